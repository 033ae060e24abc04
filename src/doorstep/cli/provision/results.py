"""How each device ended, and what that makes of the whole run."""

import enum
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.errors import DoorstepError, RefusedError, UnavailableError, VerificationFailed
from doorstep.onboarding.failures import DowngradeRefused, OldSecurityRefused, WrongCode
from doorstep.onboarding.steps import Step
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.provisioner.provisioner import Outcome

__all__ = ["DeviceResult", "Ending", "ended", "failed", "problem_of"]


class Ending(enum.Enum):
    """How the set-up of one device ended, in the words of the summary."""

    DONE = "done"
    BEFORE = "done before"
    HELD = "held"
    REFUSED = "refused"
    WRONG_CODE = "wrong code"
    NOT_FOUND = "not found"
    CHECKING = "checking"
    FAILED = "failed"


WELL: Final = frozenset({Ending.DONE, Ending.BEFORE})
_OF_STEP: Final = {Step.HELD: Ending.HELD, Step.REFUSED: Ending.REFUSED, Step.CHECKING: Ending.CHECKING}


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """One device's end, with the sentence and the next step that a person reads."""

    name: str
    ending: Ending
    sentence: str = ""
    next_step: str = ""
    device_said_connected: bool = False
    platform_saw_it: bool = False
    step: str = ""
    """Key of the last step; empty where an error ended it."""


def ended(name: str, outcome: Outcome, *, platform_asked: bool) -> DeviceResult:
    """Judge an outcome; where the platform is asked, success needs its word too."""
    ending = _OF_STEP.get(outcome.step, Ending.DONE)
    if platform_asked and ending is Ending.DONE and not outcome.succeeded:
        ending = Ending.CHECKING
    return DeviceResult(
        name,
        ending,
        outcome.step.sentence,
        outcome.step.next_step,
        outcome.device_said_connected,
        outcome.platform_saw_it,
        outcome.step.key,
    )


def failed(name: str, error: DoorstepError, heard: Collection[Step]) -> DeviceResult:
    """Judge an error after these steps; silence of a device that has its network is never a failure."""
    if isinstance(error, WrongCode):
        ending = Ending.WRONG_CODE
    elif isinstance(error, DeviceUnreachable):
        ending = _silent(heard)
    elif isinstance(error, DowngradeRefused | OldSecurityRefused):
        ending = Ending.REFUSED
    else:
        ending = Ending.FAILED
    return DeviceResult(name, ending, error.message, error.next_step)


def _silent(heard: Collection[Step]) -> Ending:
    if not heard:
        return Ending.NOT_FOUND
    return Ending.CHECKING if Step.TRYING in heard else Ending.FAILED


def problem_of(results: Sequence[DeviceResult]) -> DoorstepError | None:
    """Return the error that ends a run in which not every device is done; its class sets the exit code."""
    counts = Counter(result.ending for result in results if result.ending not in WELL)
    if not counts:
        return None
    what = ", ".join(f"{counts[ending]} {ending.value}" for ending in Ending if counts[ending])
    message = f"{sum(counts.values())} of {len(results)} devices are not done: {what}."
    next_step = "Look at the summary, then run the same command again: what is done is skipped."
    if counts[Ending.WRONG_CODE]:
        return VerificationFailed(message, next_step=next_step)
    if counts[Ending.HELD] or counts[Ending.REFUSED]:
        return RefusedError(message, next_step=next_step)
    return UnavailableError(message, next_step=next_step)
