"""What speaks for two users of one identity, judged from what is recorded anyway. Pure.

An honest device opens one session at a time and never goes back in its epochs. Two copies of it push each
other out of the broker again and again, and send in epochs that the other has left.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = [
    "FORKS_THAT_TELL",
    "FORK_REASONS",
    "TAGS_THAT_TELL",
    "TAKEOVERS_THAT_TELL",
    "WATCHED_US",
    "Evidence",
    "Finding",
    "Session",
    "find",
    "takeovers",
]

WATCHED_US: Final = 600_000_000
"""How far back is looked."""

TAKEOVERS_THAT_TELL: Final = 5
"""A device whose network breaks leaves a dead session behind now and then, not five in ten minutes."""

FORKS_THAT_TELL: Final = 5
"""Messages of an epoch, or proofs of a place, that the device had left; repeats don't count."""

TAGS_THAT_TELL: Final = 100
"""Failed tags in ten minutes: somebody tries to forge, or the keys differ."""

FORK_REASONS: Final = ("epoch_past", "replayed", "too_old")
"""Reasons of dead letters that an honest device hardly ever causes."""


class Evidence(enum.StrEnum):
    """What was noticed."""

    ALTERNATION = "alternation"
    """Sessions that push each other out."""
    FORK = "fork"
    """Epochs or sequence numbers that go back and forth."""
    TAG_FAILURES = "tag_failures"
    """Messages in its name that its keys did not seal."""


@dataclass(frozen=True, slots=True)
class Session:
    """One broker connection of the device, ended or not."""

    connected_us: int
    ended_us: int | None
    address: str
    """Where it came from; empty when that is not known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of evidence, in words for the device's owner."""

    evidence: Evidence
    sentence: str

    @property
    def is_clone(self) -> bool:
        """Whether it speaks for two users of one identity; the other kinds need nobody inside."""
        return self.evidence is not Evidence.TAG_FAILURES


def find(sessions: Sequence[Session], refused: Mapping[str, int], held: int = 0) -> list[Finding]:
    """Return what the last `WATCHED_US` tell about one device.

    ``sessions`` are in the order of their beginning; ``refused`` counts dead letters by reason, with used
    proofs under ``replayed``; ``held`` counts connections that were put off because another was open.
    """
    found = []
    pushed, places = takeovers(sessions) + held, {one.address for one in sessions if one.address}
    if pushed >= TAKEOVERS_THAT_TELL:
        found.append(Finding(Evidence.ALTERNATION, _alternation(pushed, len(places))))
    forks = sum(refused.get(reason, 0) for reason in FORK_REASONS)
    if forks >= FORKS_THAT_TELL:
        found.append(Finding(Evidence.FORK, _FORK.format(forks)))
    if refused.get("wrong_tag", 0) >= TAGS_THAT_TELL:
        found.append(Finding(Evidence.TAG_FAILURES, _TAGS.format(refused["wrong_tag"])))
    return found


def takeovers(sessions: Sequence[Session]) -> int:
    """Count the sessions that began while the one before them was open."""
    return sum(
        earlier.ended_us is None or earlier.ended_us >= later.connected_us
        for earlier, later in pairwise(sessions)
    )


def _alternation(pushed: int, places: int) -> str:
    where = f" from {places} different addresses" if places > 1 else ""
    return f"Within ten minutes, {pushed} connections in its name pushed each other out{where}."


_FORK: Final = (
    "Within ten minutes, {} messages or log-ins in its name were older than what it had sent already."
)
_TAGS: Final = "Within ten minutes, {} messages in its name were not sealed with its keys."
