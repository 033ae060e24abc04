"""The reader of pages notices what a page says wrongly."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import OTHERS_STOP_HERE, Command, Desk, Step, steps


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, {"wave": lambda desk: desk.export("WAVED", "yes")})
    yield opened
    opened.close()


def page(folder: Path, *blocks: str, name: str = "page.md") -> Path:
    path = folder / name
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def run(lines: str, kind: str = "run") -> str:
    return f"<!-- {kind} -->\n```console\n{lines}\n```\n"


def test_reader_finds_steps_and_their_output() -> None:
    text = run("$ one \\\n  more\n1\n\n$ two") + "```console\n$ not this\n```\n<!-- hands: wave -->\n"
    assert steps(text) == [
        Step("run", "", (Command("one   more", ("1",)), Command("two", ()))),
        Step("hands", "wave", ()),
    ]


def test_page_that_tells_the_truth_passes(desk: Desk, tmp_path: Path) -> None:
    exported = run('$ export A=1\n$ echo "a=$A b=2 $WAVED"\na=1 … yes')
    desk.follow(page(tmp_path, "<!-- hands: wave -->", exported))


def test_page_that_shows_something_else_fails(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="echo one"):
        desk.follow(page(tmp_path, run("$ echo one\ntwo")))


def test_lines_in_another_order_fail(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        desk.follow(page(tmp_path, run("$ printf '1\\n2\\n'\n2\n1")))


def test_background_command_that_ends_early_fails(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        desk.follow(page(tmp_path, run("$ echo one\ntwo", "background")))


def test_background_command_runs_until_it_is_stopped(desk: Desk, tmp_path: Path) -> None:
    started = run(
        "$ sh -c 'trap \"echo bye > end; exit\" INT; echo up; while :; do sleep 0.05; done'\nup", "background"
    )
    desk.follow(page(tmp_path, started, run("$ test ! -e end && echo lives\nlives")))
    desk.follow(page(tmp_path, "<!-- stop: sh -c -->", run("$ cat end\nbye")))


def test_page_begins_with_the_steps_of_another(desk: Desk, tmp_path: Path) -> None:
    page(tmp_path, run("$ export FIRST=1"), OTHERS_STOP_HERE, run("$ echo no\nyes"), name="first.md")
    desk.follow(page(tmp_path, "<!-- first: first.md -->", run('$ echo "first=$FIRST"\nfirst=1')))


def test_ports_of_a_page_become_free_ones(desk: Desk, tmp_path: Path) -> None:
    desk.follow(page(tmp_path, run('$ echo "$DOORSTEP_PORTAL_PORT"\n8080')))
    assert desk.ports["8080"] != "8080"
