"""Reads the steps of a page and does them, in order, in one folder, as a reader at two terminals would.

A comment on its own line marks a step:

``<!-- run -->``            the commands of the ```` ```console ```` block below run one after the other
``<!-- background -->``     the command below starts and goes on; the page waits for what it shows
``<!-- stop: COMMAND -->``  Ctrl-C for the command that began so
``<!-- hands: WORDS -->``   what a person does in a browser; ``HANDS`` of the test knows how
``<!-- first: PAGE -->``    the steps of another page, up to its ``<!-- others stop here -->``

Lines that begin with ``$ `` are commands; those after one must appear in its output, in order, where ``…``
stands for anything. What a command exports, the next one has. Ports of the page become free ones.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorstep.testing.ports import free_ports

__all__ = ["OTHERS_STOP_HERE", "ROOT", "Command", "Desk", "Hands", "Step", "commands", "steps"]

ROOT: Final = Path(__file__).parents[2]
OTHERS_STOP_HERE: Final = "<!-- others stop here -->"

_STEP: Final = re.compile(
    r"^<!-- (run|background|stop|hands|first)(?:: (.+?))? -->\n(?:```console\n(.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_PORTS: Final = {
    "8080": "DOORSTEP_PORTAL_PORT",
    "8443": "DOORSTEP_DEVICE_API_PORT",
    "8883": "DOORSTEP_MQTT_TLS_PORT",
    "1883": "DOORSTEP_MQTT_PLAIN_PORT",
    "8884": "MOSQUITTO_PORT",
    "4222": "DOORSTEP_NATS_SECURE_PORT",
    "4223": "DOORSTEP_NATS_PLAIN_PORT",
    "8088": "SETUP_PORT",
    "8091": "SETUP_PORT_OF_BOX_1",
    "8092": "SETUP_PORT_OF_BOX_2",
    "8093": "SETUP_PORT_OF_THE_TOUCHED",
}
_WAIT_S: Final = 100.0


@dataclass(frozen=True)
class Command:
    """One command of a page and what it shows."""

    line: str
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One marked place of a page."""

    kind: str
    words: str
    commands: tuple[Command, ...]


def commands(block: str) -> Iterator[Command]:
    """Yield the commands of a block; a line that ends with a backslash goes on."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = re.sub(r"\\\n", "", part).splitlines()
        yield Command(lines[0], tuple(shown for shown in lines[1:] if shown.strip()))


def steps(page: str) -> list[Step]:
    """Return the steps of a page."""
    return [Step(found[1], found[2] or "", tuple(commands(found[3] or ""))) for found in _STEP.finditer(page)]


class Desk:
    """A folder, free ports and a shell's environment; whatever runs in the background ends with it."""

    def __init__(self, folder: Path, hands: "Mapping[str, Hands]") -> None:
        self.folder = folder
        self.ports = dict(zip(_PORTS, map(str, free_ports(len(_PORTS))), strict=True))
        self._hands = hands
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._open = ExitStack()
        self._memory = folder / ".exported"
        self._memory.write_text("", encoding="utf-8")
        self._environ = os.environ | {_PORTS[page]: port for page, port in self.ports.items()}
        self._environ |= {"DOORSTEP_STATE": str(folder / "state"), "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
        self._environ["PATH"] = f"{_shim(folder)}{os.pathsep}{os.environ['PATH']}"

    def follow(self, page: Path, *, to_the_end: bool = True) -> None:
        """Do the steps of a page."""
        text = page.read_text(encoding="utf-8")
        for step in steps(text if to_the_end else text.partition(OTHERS_STOP_HERE)[0]):
            if step.kind == "first":
                self.follow(page.parent / step.words, to_the_end=False)
            elif step.kind == "hands":
                self._hands[step.words](self)
            elif step.kind == "stop":
                self._stop(step.words)
            for command in step.commands:
                (self._start if step.kind == "background" else self._run)(command)

    def export(self, name: str, value: str) -> None:
        """Set a variable for the commands that follow."""
        with self._memory.open("a", encoding="utf-8") as memory:
            memory.write(f"export {name}='{value}'\n")

    def close(self) -> None:
        """Stop what runs, last first."""
        for line, _ in reversed(self._running):
            self._stop(line)
        self._open.close()

    def _run(self, command: Command) -> None:
        script = f". {self._memory}\n{self._here(command.line)}\nexport -p > {self._memory}\n"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_WAIT_S,
            check=False,
        )
        self._check(command, done.stdout.decode("utf-8", "replace"))

    def _start(self, command: Command) -> None:
        log = self._open.enter_context((self.folder / f"background-{len(self._running)}.log").open("w+b"))
        script = f". {self._memory}\nexec {self._here(command.line)}"
        process = subprocess.Popen(
            ["sh", "-c", script], cwd=self.folder, env=self._environ, stdout=log, stderr=subprocess.STDOUT
        )
        self._running.append((command.line, process))
        deadline = time.monotonic() + _WAIT_S
        while not self._shown(command, said := Path(log.name).read_text(encoding="utf-8")):
            assert process.poll() is None, f"$ {command.line}\n{said}"
            assert time.monotonic() < deadline, f"$ {command.line}\n{said}"
            time.sleep(0.1)

    def _stop(self, beginning: str) -> None:
        for line, process in self._running:
            if line.startswith(beginning) and process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)

    def _check(self, command: Command, said: str) -> None:
        assert self._shown(command, said), f"$ {command.line}\n{said}"

    def _shown(self, command: Command, said: str) -> bool:
        wanted = (re.escape(self._here(line.strip())).replace("…", ".*") for line in command.shows)
        return re.search(".*".join(wanted), said, re.DOTALL) is not None

    def _here(self, text: str) -> str:
        for page, port in self.ports.items():
            text = re.sub(rf"\b{page}\b", port, text)
        return text


Hands = Callable[[Desk], None]


def _shim(folder: Path) -> Path:
    """Make the command ``doorstep`` of this interpreter and return its folder."""
    shim = folder / "bin" / "doorstep"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m doorstep "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    return shim.parent
