"""The table of security/attacks.md is the tests': ``python -m tests.docs.test_attacks_page`` writes it."""

from pathlib import Path
from typing import Final

from tests.attacks import ATTACKS, by_attack, told_by
from tests.docs.test_identity_page import table

PAGE: Final = Path(__file__).parents[2] / "docs" / "security" / "attacks.md"
_MARK: Final = "<!-- The table is written by python -m tests.docs.test_attacks_page -->\n\n"


def page() -> str:
    """Return the page as it should be."""
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(_MARK)
    tests = by_attack()
    rows = (
        [f"**{attack}**", tried, holds, "<br>".join(f"`{one}`" for one in tests[attack])]
        for attack, (tried, holds) in ATTACKS.items()
    )
    return head + _MARK + table(("id", "somebody …", "holds", "tests"), rows) + "\n"


def test_every_attack_has_a_test_and_every_test_a_known_attack() -> None:
    tests = by_attack()
    assert tests.keys() == ATTACKS.keys()
    assert not [attack for attack, names in tests.items() if not names]


def test_page_of_attacks_names_the_tests_there_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_line_of_a_test_says_its_id_and_what_it_tried() -> None:
    assert (
        told_by("test_bind_05_two_claims_at_once[3]", "BIND-05: in one moment.") == "BIND-05: in one moment."
    )
    assert told_by("test_bind_05_two_claims_at_once") == "BIND-05: two claims at once"
    assert told_by("test_device_refuses_replayed_proof") == ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
