"""Every page can be found: it has its line in the index, and what it points to is there."""

import re
from pathlib import Path

import pytest

from doorstep.identity.assurance import ASSURANCE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def links(page: Path) -> set[Path]:
    """Return the files of this project that a page leads to."""
    found = (one or other for one, other in LINK.findall(page.read_text(encoding="utf-8")))
    targets = (target.partition("#")[0] for target in found if "://" not in target)
    return {(page.parent / target).resolve() for target in targets if target}


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as repositories' viewers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *sorted(DOCS.rglob("*.md"))]


def test_index_lists_every_page() -> None:
    pages = {path.resolve() for path in DOCS.rglob("*.md") if path.parent != DOCS}
    assert pages - links(DOCS / "README.md") == set()


def test_index_says_something_of_every_page() -> None:
    lines = (DOCS / "README.md").read_text(encoding="utf-8").splitlines()
    silent = [line for line in lines if line.startswith("* [") and not re.search(r"\): \S", line)]
    assert silent == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_are_there(page: Path) -> None:
    assert {target for target in links(page) if not target.exists()} == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_pages_meet_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
        assert anchor in anchors((page.parent / target) if target else page), f"{target}#{anchor}"


def test_every_picture_is_shown_somewhere() -> None:
    shown = set().union(*(links(page) for page in pages()))
    assert {path for path in (DOCS / "images").rglob("*.*") if path.resolve() not in shown} == set()


def test_security_model_says_what_the_code_says_of_each_method() -> None:
    page = (DOCS / "security" / "model.md").read_text(encoding="utf-8")
    for method, row in ASSURANCE.items():
        name = method.value.replace("_", " ")
        cells = (name, str(int(row.level)), row.device_holds, row.proved_by, row.residual_risk)
        assert f"| {' | '.join(cells)} |" in page
