"""Which test shows which security claim of a method."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.method import Proof
from doorstep.onboarding.methods.proofs_air import ON_THE_AIR, RADIO_METHODS
from doorstep.onboarding.methods.proofs_desk import AT_THE_DESK

__all__ = ["PROOFS"]

PROOFS: Final[Mapping[str, tuple[Proof, ...]]] = {
    key: (*claims, *ON_THE_AIR.get(key, ())) for key, claims in {**AT_THE_DESK, **RADIO_METHODS}.items()
}
"""Key of a method → its claims; the page of methods prints them and a test looks each test up."""
