"""How a key is replaced and nobody is locked out: the one machine of roots, certificates and trust anchors.

Either end stages the new key beside the old one, so that both work. Whoever may give up the old key learns
first that the new one works at the other end. Whatever is cut, the platform takes every key that the device
may still use. `docs/spec/rotation.md` is normative.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = [
    "TRANSITIONS",
    "Abandoned",
    "Asked",
    "Proven",
    "RotationEvent",
    "Stage",
    "Staged",
    "advance",
    "diagram",
]


class Stage(enum.Enum):
    """How far a rotation has come at one end; the value is what tables and people read."""

    SETTLED = "settled"
    """One key works."""
    OFFERED = "offered"
    """The platform wants a new key and waits for the device; one key works."""
    STAGED = "staged"
    """The old and the new key are both stored, and both work."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody, or the policy, wants a new key."""


@dataclass(frozen=True, slots=True)
class Staged:
    """This end has stored a new key beside the old one; it may replace one that was staged before."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The other end has shown that the new key works there: the old one is erased here."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The platform no longer wants the new key, and no device can have staged it for good."""


RotationEvent = Asked | Staged | Proven | Abandoned

TRANSITIONS: Final[Mapping[Stage, Mapping[type[RotationEvent], Stage]]] = {
    Stage.SETTLED: {Asked: Stage.OFFERED, Staged: Stage.STAGED},
    Stage.OFFERED: {Asked: Stage.OFFERED, Staged: Stage.STAGED, Abandoned: Stage.SETTLED},
    Stage.STAGED: {Staged: Stage.STAGED, Proven: Stage.SETTLED},
}
"""Every move there is. A staged key is never abandoned: the device may hold nothing else by now."""


def advance(stage: Stage, event: RotationEvent) -> Stage:
    """Return the stage after ``event``; raise IllegalTransition for a move the table does not have."""
    try:
        return TRANSITIONS[stage][type(event)]
    except KeyError as error:
        raise IllegalTransition(
            f"a key that is {stage.value} cannot take the event {type(event).__name__}"
        ) from error


def diagram() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.SETTLED.value}"]
    for stage, moves in TRANSITIONS.items():
        for target in dict.fromkeys(moves.values()):
            names = ", ".join(event.__name__ for event, to in moves.items() if to is target)
            lines.append(f"    {stage.value} --> {target.value}: {names}")
    return "\n".join(lines) + "\n"
