"""Every runnable block of the docs runs, in order, in a copy of its own.

A block is runnable when the comment ``<!-- run -->`` stands on the line before its ```` ```console ````.
Lines that begin with ``$ `` are commands; those after one must appear in its output, in order, where ``…``
stands for anything.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorstep.testing.ports import free_ports

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^<!-- run -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = (
    "PORTAL_PORT",
    "DEVICE_API_PORT",
    "MQTT_TLS_PORT",
    "MQTT_PLAIN_PORT",
    "NATS_SECURE_PORT",
    "NATS_PLAIN_PORT",
)


@dataclass(frozen=True)
class Command:
    """One command of a page and what it shows."""

    line: str
    shows: tuple[str, ...]


def commands(page: str) -> Iterator[Command]:
    for block in BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *shows = part.splitlines()
            yield Command(line, tuple(shown for shown in shows if shown.strip()))


def pages() -> list[Path]:
    return [
        path
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
        if BLOCK.search(path.read_text(encoding="utf-8"))
    ]


def test_reader_finds_commands_and_their_output() -> None:
    page = "text\n<!-- run -->\n```console\n$ one\n1\n$ two\n```\n```console\n$ not this\n```\n"
    assert list(commands(page)) == [Command("one", ("1",)), Command("two", ())]


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    ports = {f"DOORSTEP_{name}": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    shim = tmp_path / "bin" / "doorstep"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m doorstep "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | ports | {"PATH": path, "DOORSTEP_STATE": str(tmp_path / "state"), "COLUMNS": "120"}
    for command in commands(page.read_text(encoding="utf-8")):
        done = subprocess.run(
            command.line,
            shell=True,
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        shown = done.stdout + done.stderr
        wanted = ".*".join(re.escape(line.strip()).replace("…", ".*") for line in command.shows)
        assert re.search(wanted, shown, re.DOTALL), f"$ {command.line}\n{shown}"
