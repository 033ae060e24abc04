"""Presence: a button opens a short window on the device, and exactly one device may be in pairing state.

As in WPS push-button configuration, but on top of keys: presence chooses the device, it secures nothing.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MisuseError, RefusedError
from doorstep.onboarding.transitions import follow

__all__ = [
    "LONGEST_WINDOW",
    "SHORTEST_WINDOW",
    "WALK_TIME",
    "WINDOW",
    "NobodyPairing",
    "PairingOverlap",
    "PairingWatch",
    "PresenceMissing",
    "PresenceWindow",
    "WindowEvent",
    "WindowState",
    "advance",
]

WINDOW: Final = 180.0
"""Seconds from the button to the end of the window."""

SHORTEST_WINDOW, LONGEST_WINDOW = 120.0, 300.0
"""What a product may choose."""

WALK_TIME: Final = 120.0
"""Seconds within which a second device in pairing state stops the set-up."""

_DEVICES_CAP: Final = 64


class PresenceMissing(RefusedError):
    """The device takes this only while its window is open."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody has pressed the device's button.",
            next_step="Press it (or switch a device without a button off and on), and try again within three "
            "minutes.",
        )


class PairingOverlap(RefusedError):
    """Two devices are in pairing state, and nothing says which of them is meant."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(names)} devices are waiting to be set up: {', '.join(names)}.",
            next_step="Wait five minutes, then press the button of one device only. If you have just one, "
            "somebody nearby may be imitating it: use the code on its label.",
        )


class NobodyPairing(RefusedError):
    """No device is in pairing state."""

    def __init__(self) -> None:
        super().__init__(
            "No device is waiting to be set up.", next_step="Press the device's button, then look again."
        )


class WindowState(enum.Enum):
    """Where the window stands."""

    CLOSED = "closed"
    OPEN = "open"


class WindowEvent(enum.Enum):
    """What moves it."""

    PRESS = "press"
    """The button, or power for a device without one."""
    EXPIRE = "expire"
    USE = "use"
    """Something was taken through it."""


TRANSITIONS: Final[Mapping[WindowState, Mapping[WindowEvent, WindowState]]] = {
    WindowState.CLOSED: {WindowEvent.PRESS: WindowState.OPEN},
    WindowState.OPEN: {
        WindowEvent.PRESS: WindowState.OPEN,
        WindowEvent.EXPIRE: WindowState.CLOSED,
        WindowEvent.USE: WindowState.CLOSED,
    },
}


def advance(state: WindowState, event: WindowEvent) -> WindowState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


@dataclass(slots=True)
class PresenceWindow:
    """The device's window; ``now`` is seconds on a clock that never goes back."""

    seconds: float = WINDOW
    state: WindowState = WindowState.CLOSED
    number: int = 0
    """Counts the presses."""
    _until: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a window that a person cannot reach, or that stands open too long."""
        if not SHORTEST_WINDOW <= self.seconds <= LONGEST_WINDOW:
            raise MisuseError(
                f"a presence window is open for {SHORTEST_WINDOW:.0f} to {LONGEST_WINDOW:.0f} seconds"
            )

    def press(self, now: float) -> None:
        """Open it, or start its time again."""
        self.state = advance(self.state, WindowEvent.PRESS)
        self.number += 1
        self._until = now + self.seconds

    def open_number(self, now: float) -> int | None:
        """Return the number of the window that is open now, None where none is."""
        if self.state is WindowState.OPEN and now >= self._until:
            self.state = advance(self.state, WindowEvent.EXPIRE)
        return self.number if self.state is WindowState.OPEN else None

    def use(self, now: float) -> None:
        """Close it, because something is taken through it; raise PresenceMissing where it is closed."""
        if self.open_number(now) is None:
            raise PresenceMissing
        self.state = advance(self.state, WindowEvent.USE)


@dataclass(slots=True)
class PairingWatch:
    """The configurator's eye on who is in pairing state; what it saw counts for `WALK_TIME`."""

    _seen: dict[str, float] = field(default_factory=dict)

    def saw(self, name: str, now: float) -> None:
        """Note a device that says it is in pairing state."""
        self._forget(now)
        if name in self._seen or len(self._seen) < _DEVICES_CAP:
            self._seen[name] = now

    def only_one(self, now: float) -> str:
        """Return the one device in pairing state; raise PairingOverlap or NobodyPairing."""
        self._forget(now)
        names = tuple(sorted(self._seen))
        if len(names) > 1:
            raise PairingOverlap(names)
        if not names:
            raise NobodyPairing
        return names[0]

    def _forget(self, now: float) -> None:
        self._seen = {name: at for name, at in self._seen.items() if now - at < WALK_TIME}
