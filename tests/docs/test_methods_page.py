"""The tables of onboarding-methods.md are the code's: ``python -m tests.docs.test_methods_page`` writes them.

What a method claims stands with its test, and each such test is there.
"""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from doorstep.onboarding.methods import METHODS, PROOFS, Method, Proof, Role
from tests.docs.test_identity_page import table

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "explanation" / "onboarding-methods.md"
NOT_OURS: Final = {"apple-wac"}
"""Nothing of them is built, so nothing is claimed."""


def rows(*names: str) -> Iterable[Iterable[str]]:
    return ([f"**{method.name}** `{key}`", *_cells(method, names)] for key, method in METHODS.items())


def _cells(method: Method, names: Iterable[str]) -> Iterable[str]:
    return (str(getattr(method, name)) for name in names)


def attackers() -> str:
    head = ("method", "who proves what to whom", "a listener", "an active attacker", "a photographed label")
    return table(head, rows("authenticates", "eavesdropper", "active_attacker", "label_photo"))


def people() -> str:
    head = (
        "method",
        "the customer",
        "without sight",
        "several at once",
        "needs of the customer",
        "of the device",
    )
    return table(head, rows("steps", "without_sight", "many", "app", "needs"))


def standing() -> str:
    head = ("method", "standing", "Doorstep has", "the most that an attacker can still do")
    lines = (
        [f"`{key}`", method.standing.value, _roles(method), method.risk] for key, method in METHODS.items()
    )
    return table(head, lines)


def _roles(method: Method) -> str:
    return " and ".join(role.value for role in Role if role in method.roles) or "nothing"


def proofs() -> str:
    lines = ([f"`{key}`", "; ".join(map(_claim, PROOFS[key]))] for key in METHODS if key in PROOFS)
    return table(("method", "claim and the test that shows it"), lines)


def _claim(proof: Proof) -> str:
    file, name = proof.test.split("::")
    return f"{proof.claim} ([{name}](../../{file}))"


TABLES: Final = {"attackers": attackers, "people": people, "standing": standing, "proofs": proofs}
_BLOCK: Final = re.compile(r"(<!-- made from the code: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the page with its tables as they must be."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]]()}\n\n{block[3]}", page)


def test_tables_are_what_the_code_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {block[2] for block in _BLOCK.finditer(page)} == set(TABLES)
    assert page == filled(page)


@cache
def functions(file: str) -> set[str]:
    """Return the names of a test file's functions, without importing it."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("key", PROOFS)
def test_every_claim_has_its_test(key: str) -> None:
    missing = []
    for proof in PROOFS[key]:
        file, name = proof.test.split("::")
        if not (ROOT / file).exists() or name not in functions(file):
            missing.append(proof.test)
    assert missing == []


def test_every_method_that_is_ours_claims_something() -> None:
    assert METHODS.keys() - PROOFS.keys() == NOT_OURS


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
