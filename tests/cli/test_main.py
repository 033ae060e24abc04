"""The command finds its subcommands lazily and turns errors into sentences and exit codes."""

import errno
import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from django.db import InterfaceError, OperationalError

from doorstep import __version__
from doorstep.cli import main as cli
from doorstep.cli.lazy import Later, LazyGroup
from doorstep.errors import (
    DoorstepError,
    MisuseError,
    RefusedError,
    SettingsError,
    UnavailableError,
    VerificationFailed,
)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, failing: BaseException | None = None) -> int:
    """Run the command in this process with a subcommand ``fail`` that raises; return its exit code."""

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def fail(*, as_json: bool) -> None:
        if failing is not None:
            raise failing

    monkeypatch.setattr(sys, "argv", ["doorstep", *arguments])
    monkeypatch.setattr(sys.modules[__name__], "fail", fail, raising=False)
    monkeypatch.setattr(cli._doorstep, "later", {"fail": Later(f"{__name__}:fail", "Fail.")})
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


EXITS = {
    "misuse": (MisuseError("m"), 2),
    "settings": (SettingsError("m"), 2),
    "peer": (VerificationFailed("m"), 3),
    "refused": (RefusedError("m"), 4),
    "unavailable": (UnavailableError("m"), 5),
    "any other": (DoorstepError("m"), 1),
    "interrupt": (KeyboardInterrupt(), 130),
    "usage": (click.UsageError("m"), 2),
    "own exit": (SystemExit(7), 7),
    "success": (None, 0),
}


@pytest.mark.parametrize("name", EXITS)
def test_class_of_error_decides_the_exit_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error, code = EXITS[name]
    assert run(monkeypatch, "fail", failing=error) == code


OUTAGES = {
    "database": (
        OperationalError("database or disk is full\nDETAIL: secret"),
        "the database failed: database or",
    ),
    "connection": (InterfaceError("connection already closed"), "connection already closed"),
    "disk": (OSError(errno.ENOSPC, "No space left on device", "/d/batch"), "no room left for /d/batch"),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_outage_in_the_middle_of_a_command_is_no_stack_trace(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error, words = OUTAGES[name]
    assert run(monkeypatch, "fail", failing=error) == 5
    shown = capsys.readouterr().err
    assert words in shown
    assert "\nNext:  " in shown
    assert "secret" not in shown


def test_error_that_nobody_expected_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        run(monkeypatch, "fail", failing=FileNotFoundError(2, "gone"))


def test_error_shows_what_happened_and_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "fail", failing=UnavailableError("the disk is full", next_step="Free some space."))
    assert capsys.readouterr().err == "Error: the disk is full\nNext:  Free some space.\n"


def test_error_without_next_step_shows_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "fail", failing=MisuseError("no"))
    assert capsys.readouterr().err == "Error: no\n"


def test_error_is_one_object_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "fail", "--json", failing=MisuseError("no", next_step="yes"))
    assert json.loads(capsys.readouterr().err) == {"error": "no", "next_step": "yes"}


@pytest.mark.parametrize("arguments", [["nonsense"], ["fail", "--nonsense"], ["fail", "nonsense"]])
def test_unknown_word_is_a_misuse(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, *arguments) == 2


def test_help_and_version_need_no_subcommand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--help") == 0
    assert run(monkeypatch, "--version") == 0


def test_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "doorstep", "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in done.stdout


def tree(group: LazyGroup, path: str = "") -> Iterator[tuple[str, LazyGroup, str]]:
    """Yield each command below a group: its whole name, its group, its name there."""
    for name in group.later:
        yield f"{path}{name}", group, name
        command = group.get_command(click.Context(group), name)
        if isinstance(command, LazyGroup):
            yield from tree(command, f"{path}{name} ")


TREE = {path: (group, name) for path, group, name in tree(cli._doorstep)}


@pytest.mark.parametrize("path", TREE)
def test_every_command_is_there_and_its_group_says_what_it_says(path: str) -> None:
    group, name = TREE[path]
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.name == name
    assert command.help
    assert group.later[name].sentence == ("" if command.hidden else command.get_short_help_str(200))


HEAVY = {"asyncio", "bumble", "cryptography", "django", "httpx", "msgspec", "nats", "psycopg", "rich"}
"""What a command may need when it runs, and never to be listed or to show its help."""


@pytest.mark.parametrize("path", ["", "bench", "device", "provision"])
def test_help_loads_nothing_heavy(path: str) -> None:
    code = f"""
import sys
from doorstep.cli.main import main
sys.argv = ["doorstep", *{path.split()!r}, "--help"]
try:
    main()
finally:
    print({HEAVY!r} & set(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: doorstep")
    assert done.stderr.strip() == "set()"
