"""The tables of which-identity.md are the code's; ``python -m tests.docs.test_identity_page`` writes them."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Final

from doorstep.identity.advice import cost_of
from doorstep.identity.assurance import ASSURANCE, IdentityMethod
from doorstep.identity.methods import AVAILABLE, NEEDS, REACHES, name_of
from doorstep.identity.prices import ASSUMED, ASSUMPTIONS
from doorstep.identity.situation import WORDS, Chip, Control, Damage, Sales, Situation

PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "which-identity.md"
TYPICAL: Final = Situation(
    damage=Damage.DATA,
    price=Decimal(40),
    budget=Decimal(1),
    units=10_000,
    chip=Chip.TLS,
    sales=Sales.DIRECT,
    can_scan=True,
    control=Control.NONE,
    line_online=True,
)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [f"| {' | '.join(cells)} |" for cells in [names, *rows]]
    return "\n".join([lines[0], f"|{'---|' * len(names)}", *lines[1:]])


def methods() -> str:
    def cost(method: IdentityMethod) -> str:
        return str(cost_of(method, TYPICAL, ASSUMED).total)

    rows: dict[str, Callable[[IdentityMethod], str]] = {
        "the device holds": lambda method: ASSURANCE[method].device_holds,
        "proved by": lambda method: ASSURANCE[method].proved_by,
        "assurance, 0 to 3": lambda method: str(int(ASSURANCE[method].level)),
        "added to each device": cost,
        "Doorstep does it today": lambda method: "yes" if method in AVAILABLE else "not yet",
        "what an attacker can still do": lambda method: ASSURANCE[method].residual_risk,
    }
    head = ["", *(name_of(method) for method in IdentityMethod)]
    return table(head, ([title, *map(cell, IdentityMethod)] for title, cell in rows.items()))


def needs() -> str:
    rows = ([WORDS[damage], name_of(method), why] for damage, (method, why) in NEEDS.items())
    return table(["the worst that could happen", "the weakest method that answers", "why"], rows)


def chips() -> str:
    rows = ([WORDS[chip], name_of(method), why] for chip, (method, why) in REACHES.items())
    return table(["the chip on the board", "the strongest method", "why"], rows)


def assumptions() -> str:
    rows = ([f"`{price}`", str(assumed), says] for price, (assumed, says) in ASSUMPTIONS.items())
    return table(["name", "assumed", "for"], rows)


TABLES: Final = {"methods": methods, "needs": needs, "chips": chips, "assumptions": assumptions}
_BLOCK: Final = re.compile(r"(<!-- made from the code: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the page with its tables as they must be."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]]()}\n\n{block[3]}", page)


def test_tables_are_what_the_code_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {block[2] for block in _BLOCK.finditer(page)} == set(TABLES)
    assert page == filled(page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
