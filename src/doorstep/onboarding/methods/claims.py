"""How a file of tests becomes the proofs of claims."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.method import Proof

__all__ = ["proofs_in"]

_RADIO: Final = "tests/radio/"


def proofs_in(file: str, claims: Mapping[str, str]) -> tuple[Proof, ...]:
    """Return the proofs that stand in one file; ``claims`` is the test's name, without ``test_``, → claim.

    The proofs of the machine with simulated radios have no ``test_`` to leave out.
    """
    begin = "" if file.startswith(_RADIO) else "test_"
    return tuple(Proof(claim, f"{file}::{begin}{name}") for name, claim in claims.items())
