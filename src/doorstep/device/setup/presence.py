"""A board's button and its light, sound or motor: the ports, and what Linux boards have."""

import asyncio
import contextlib
import enum
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from doorstep.errors import SettingsError, UnavailableError
from doorstep.onboarding.attestation.transcript import Pattern, in_words
from doorstep.onboarding.presence import WINDOW

__all__ = [
    "Button",
    "FileButton",
    "KeyButton",
    "Presence",
    "Press",
    "button_of",
    "pulses",
    "show_of",
]

HOLD: Final = 10.0
"""Seconds for which a button is held to reset the device."""
POLL: Final = 0.05
PULSE: Final = 0.25
PAUSE: Final = 1.0
REPEATS: Final = 2
_PRESSES_CAP: Final = 8
_LINE_CAP: Final = 256


class Press(enum.Enum):
    """What somebody did."""

    SHORT = "short"
    """Pressed it: set-up may begin."""
    LONG = "long"
    """Held it for ten seconds: the device is reset."""


class Button(Protocol):
    """Something to press."""

    async def pressed(self) -> Press:
        """Wait for the next press."""
        ...


Show = Callable[[Pattern], Awaitable[None]]
"""Shows a pattern in pulses."""


async def show_nothing(pattern: Pattern) -> None:
    """Show nothing: a board without light, sound or motor."""
    del pattern


@dataclass(frozen=True, slots=True)
class Presence:
    """What this board has; without a button, power opens the window."""

    button: Button | None = None
    show: Show = show_nothing
    seconds: float = WINDOW


class KeyButton:
    """Lines on a descriptor, for benches: an empty one presses, ``reset`` resets, its end does nothing."""

    def __init__(self, descriptor: int = 0) -> None:
        """``descriptor`` is standard input's, unless another is given."""
        self._descriptor = descriptor
        self._presses: asyncio.Queue[Press] | None = None

    async def pressed(self) -> Press:
        """Wait for the next line."""
        if self._presses is None:
            self._presses = asyncio.Queue(maxsize=_PRESSES_CAP)
            # A file or /dev/null can't be waited for, and has nobody behind it.
            with contextlib.suppress(OSError):
                asyncio.get_running_loop().add_reader(self._descriptor, self._read, self._presses)
        return await self._presses.get()

    def _read(self, presses: "asyncio.Queue[Press]") -> None:
        octets = os.read(self._descriptor, _LINE_CAP)
        if not octets:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        for line in octets.splitlines():
            with contextlib.suppress(asyncio.QueueFull):
                presses.put_nowait(Press.LONG if line.strip() == b"reset" else Press.SHORT)


class FileButton:
    """A file that reads ``1`` while the button is down, as ``/sys/class/gpio/gpio17/value``."""

    def __init__(self, path: Path, *, hold: float = HOLD) -> None:
        self._path = path
        self._hold = hold

    async def pressed(self) -> Press:
        """Wait until it is pressed and let go, or held long enough."""
        while not self._is_down():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(POLL)
        since = time.monotonic()
        while self._is_down():
            if time.monotonic() - since >= self._hold:
                await self._let_go()
                return Press.LONG
            await asyncio.sleep(POLL)
        return Press.SHORT

    async def _let_go(self) -> None:
        while self._is_down():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(POLL)

    def _is_down(self) -> bool:
        try:
            return self._path.read_bytes().strip() == b"1"
        except OSError as error:
            raise UnavailableError(
                f"the button {self._path} can't be read: {error.strerror}",
                next_step="Export the pin and give the agent the right to read it.",
            ) from error


def pulses(pattern: Pattern) -> list[tuple[bool, float]]:
    """Return a pattern as steps of on or off and their seconds."""
    steps: list[tuple[bool, float]] = []
    for _ in range(REPEATS):
        for count in pattern:
            steps += [(True, PULSE), (False, PULSE)] * count
            steps.append((False, PAUSE))
        steps.append((False, PAUSE))
    return steps


def button_of(text: str) -> Button | None:
    """Return the button that an option names: power, key or gpio:PATH."""
    kind, _, path = text.partition(":")
    match kind, bool(path):
        case "power", False:
            return None
        case "key", False:
            return KeyButton()
        case "gpio", True:
            return FileButton(Path(path))
        case _:
            raise SettingsError(f"{text!r} is no button", next_step="Give power, key or gpio:PATH.")


def show_of(text: str, say: Callable[[str], None]) -> Show:
    """Return what shows patterns: ``say`` for ``console``, else KIND:PATH, whose file takes 1 and 0.

    KIND is ``led``, ``buzzer`` or ``vibrator``: all are switched alike, and people count what they see, hear
    or feel.
    """
    kind, _, path = text.partition(":")
    match kind, bool(path):
        case "console", False:
            return _speaker(say)
        case (("led" | "buzzer" | "vibrator"), True):
            return _pulser(kind, Path(path))
        case _:
            raise SettingsError(
                f"{text!r} shows nothing", next_step="Give console, led:PATH, buzzer:PATH or vibrator:PATH."
            )


def _speaker(say: Callable[[str], None]) -> Show:
    async def show(pattern: Pattern) -> None:
        say(f"The pattern is {in_words(pattern)}.")

    return show


def _pulser(kind: str, path: Path) -> Show:
    async def show(pattern: Pattern) -> None:
        for is_on, seconds in pulses(pattern):
            _switch(kind, path, is_on=is_on)
            await asyncio.sleep(seconds)

    return show


def _switch(kind: str, path: Path, *, is_on: bool) -> None:
    try:
        path.write_bytes(b"1" if is_on else b"0")
    except OSError as error:
        raise UnavailableError(f"the {kind} {path} can't be switched: {error.strerror}") from error
