"""The words of onboarding for pages whose scripts know only keys: each with sentence and next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import DoorstepError
from doorstep.onboarding.failures import DowngradeRefused, RequestRefused, WrongCode
from doorstep.onboarding.steps import Step

__all__ = ["FAILURES", "STEPS", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, and what the customer does now (may be empty)."""

    sentence: str
    next_step: str

    @classmethod
    def of(cls, error: DoorstepError) -> "Words":
        """Return an error's own words."""
        return cls(error.message, error.next_step)


STEPS: Final[Mapping[str, Words]] = {step.key: Words(step.sentence, step.next_step) for step in Step}

_AGAIN: Final = "Run the set-up again; switch the device off and on if it happens again."
_NEARER: Final = "Move nearer, check that the device is on and waits for its set-up, and try again."

FAILURES: Final[Mapping[str, Words]] = {
    "wrong-code": Words.of(WrongCode()),
    "downgrade": Words.of(DowngradeRefused("security 2", "less")),
    "old-security": Words(
        "The device speaks an old security that somebody nearby could break, and this page does not.",
        "Ask its maker for newer firmware, or set it up with the command line and its warning.",
    ),
    "malformed": Words("What the device answered makes no sense.", _AGAIN),
    "forged": Words("An answer was not the device's own, or was changed on the way.", _AGAIN),
    "refused": Words("The device refused.", RequestRefused("", 0).next_step),
    "no-session": Words("The connection to the device is over.", _AGAIN),
    "lost": Words("The device does not answer.", _NEARER),
    "not-a-device": Words("What answers there is no device that waits for its set-up.", _NEARER),
    "not-chosen": Words(
        "No device was chosen.",
        "Choose yours in the browser's list. If it is not there, move nearer and "
        "check that it waits for its set-up.",
    ),
    "too-long": Words(
        "That is more than the device takes over Bluetooth.",
        "Give it a shorter name, or set it up through its own Wi-Fi.",
    ),
    "too-many-guesses": Words(
        "Too many wrong codes were tried.", "Wait a minute and try the code once more."
    ),
    "bad-label": Words(
        "This is no set-up code.", "Type the code that is printed on the label, or scan its QR code."
    ),
    "no-choice": Words("No network is chosen.", "Choose one of the list, or type its name."),
    "bad-network": Words(
        "The name or the password cannot be those of a network.",
        "A password has 8 to 63 characters, or is empty for an open network.",
    ),
}
"""By the keys of `web/failures.js`."""
