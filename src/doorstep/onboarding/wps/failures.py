"""Why a WPS session ended, each with the sentence and the next step that a person reads."""

import enum
from typing import Final

from doorstep.errors import (
    DoorstepError,
    ProtocolViolation,
    RefusedError,
    UnavailableError,
    VerificationFailed,
)

__all__ = [
    "Overlap",
    "PinIsOff",
    "SetupLocked",
    "UnusableNetwork",
    "WalkTimeOver",
    "WpsBroken",
    "WrongPin",
    "failure_of",
]


class ConfigurationError(enum.IntEnum):
    """The codes of the specification's table 34 that mean something to a person."""

    OVERLAP = 12
    BUSY = 14
    LOCKED = 15
    TIMEOUT = 16
    SESSION_TIMEOUT = 17
    WRONG_PIN = 18


class Overlap(RefusedError):
    """Two devices or two routers are in push-button mode at once: nobody can tell which is meant."""

    def __init__(self) -> None:
        super().__init__(
            "Two buttons were pressed at the same time nearby, so nothing was given to anybody.",
            next_step="Wait two minutes. Then press the button of one device and of one router only.",
        )


class WalkTimeOver(UnavailableError):
    """Nobody did the other half within two minutes."""

    def __init__(self) -> None:
        super().__init__(
            "The two minutes are over and the other side did not answer.",
            next_step="Press the button on the device and, within two minutes, the one on the router. "
            "If it has none, or WPS is switched off there, set the device up another way.",
        )


class WrongPin(VerificationFailed):
    """The two sides have different PINs, or somebody stands between them."""

    def __init__(self) -> None:
        super().__init__(
            "The PIN that was typed is not this device's.",
            next_step="Read the PIN from the device again, and check that it is the device you mean.",
        )


class SetupLocked(RefusedError):
    """The router takes no PIN any more, because too many wrong ones were tried."""

    def __init__(self) -> None:
        super().__init__(
            "The router takes no PIN: too many wrong ones were tried.",
            next_step="Use the button instead, or restart the router. If nobody typed wrong PINs, somebody "
            "is guessing: switch WPS off in the router.",
        )


class PinIsOff(RefusedError):
    """The PIN was asked for where the maker or operator has not allowed it."""

    def __init__(self) -> None:
        super().__init__(
            "WPS by PIN is off: a stranger can find the PIN by trying, in a few hours or less.",
            next_step="Use the button. Who accepts the risk for this product allows the PIN in its settings.",
        )


class UnusableNetwork(RefusedError):
    """The router gave a network that a device must not or cannot use."""

    def __init__(self) -> None:
        super().__init__(
            "The router gave a network with an old or unknown kind of security; the device does not use it.",
            next_step="Set the router to WPA2 and try again.",
        )


class WpsBroken(ProtocolViolation):
    """The exchange ended for another reason; ``code`` is the other side's number for it."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"The router and the device did not come to an end (WPS error {code}).",
            next_step="Move the device nearer to the router and try again.",
        )
        self.code = code


_FAILURES: Final[dict[int, type[Overlap | SetupLocked | WalkTimeOver | WrongPin]]] = {
    ConfigurationError.OVERLAP: Overlap,
    ConfigurationError.LOCKED: SetupLocked,
    ConfigurationError.TIMEOUT: WalkTimeOver,
    ConfigurationError.SESSION_TIMEOUT: WalkTimeOver,
    ConfigurationError.WRONG_PIN: WrongPin,
}


def failure_of(code: int) -> DoorstepError:
    """Return the failure of a configuration error's number."""
    kind = _FAILURES.get(code)
    return WpsBroken(code) if kind is None else kind()
