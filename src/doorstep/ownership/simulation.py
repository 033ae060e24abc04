"""Who could claim a device with what? A policy tried on people who may come, the wrong ones among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.ownership.claims import Decision, Facts, Outcome, decide
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.life import Life
from doorstep.ownership.policy import Policy, needs, parse

__all__ = ["PEOPLE", "Person", "Trial", "Tried", "simulate", "try_evidence", "try_policy", "warnings"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may claim a device, and what they can bring."""

    who: str
    brings: frozenset[Evidence]
    rightful: bool
    """Whether the device should become theirs while nobody owns it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come of somebody's claim."""

    person: Person
    free: Decision
    """While nobody owns the device."""
    owned: Decision
    """While somebody else owns it."""

    @property
    def surprising(self) -> bool:
        """Whether a wrong person would get the device."""
        return self.free.outcome is Outcome.BOUND and not self.person.rightful


@dataclass(frozen=True, slots=True)
class Tried:
    """What a policy means, in words, and what would come of everybody's claim."""

    explanation: str
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...]


def _brings(*kinds: Evidence) -> frozenset[Evidence]:
    return frozenset(kinds)


_IN_HAND: Final = _brings(Evidence.DEVICE_KEY, Evidence.SETUP_SESSION)

PEOPLE: Final[Sequence[Person]] = (
    Person("The buyer sets it up; the seller's records name them", _IN_HAND | {Evidence.SALE}, rightful=True),
    Person(
        "The buyer sets it up and types the scratch-off code", _IN_HAND | {Evidence.LABEL_CODE}, rightful=True
    ),
    Person("The buyer sets it up and confirms by e-mail", _IN_HAND | {Evidence.EMAIL}, rightful=True),
    Person("The buyer sets it up with an ownership voucher", _IN_HAND | {Evidence.VOUCHER}, rightful=True),
    Person(
        "The buyer sets it up; the maker's staff vouch for them", _IN_HAND | {Evidence.STAFF}, rightful=True
    ),
    Person(
        "The buyer only typed the code; the device reports by itself",
        _brings(Evidence.DEVICE_KEY, Evidence.LABEL_CODE, Evidence.SALE),
        rightful=True,
    ),
    Person("Somebody who knows its serial number", frozenset(), rightful=False),
    Person("Somebody who knows the order's number", _brings(Evidence.ORDER_REF), rightful=False),
    Person(
        "Somebody scratched the label in the shop",
        _brings(Evidence.DEVICE_KEY, Evidence.LABEL_CODE),
        rightful=False,
    ),
    Person("A thief or finder sets it up, without the box", _IN_HAND | {Evidence.PRESENCE}, rightful=False),
    Person(
        "A thief took it with its box and order papers",
        _IN_HAND | {Evidence.PRESENCE, Evidence.LABEL_CODE, Evidence.ORDER_REF},
        rightful=False,
    ),
    Person("A neighbour joins its set-up network", _brings(Evidence.DEVICE_KEY), rightful=False),
    Person(
        "Somebody who reads the buyer's e-mail", _brings(Evidence.DEVICE_KEY, Evidence.EMAIL), rightful=False
    ),
)
"""Who may come. A device is online for each of them, because every device reports in the end."""

_NAME: Final = "abcdefgh"
_CLAIMANT, _SOMEBODY_ELSE = 1, 2


def try_evidence(policy: Policy, person: Person) -> Trial:
    """Decide a claim of this person on a device of nobody's, and on one of somebody else's."""
    free = Facts(
        device=_NAME,
        life=Life.ONBOARDED,
        blocked=False,
        owner=None,
        claimant=_CLAIMANT,
        evidence=person.brings,
        policy=policy,
        token=None,
    )
    owned = Facts(
        device=_NAME,
        life=Life.OWNED,
        blocked=False,
        owner=_SOMEBODY_ELSE,
        claimant=_CLAIMANT,
        evidence=person.brings,
        policy=policy,
        token=None,
    )
    return Trial(person, decide(free, 0), decide(owned, 0))


def simulate(policy: Policy) -> list[Trial]:
    """Try a policy on everybody in `PEOPLE`."""
    return [try_evidence(policy, person) for person in PEOPLE]


def try_policy(text: str) -> Tried:
    """Read a policy and try it; raise BadPolicy."""
    policy = parse(text)
    trials = simulate(policy)
    return Tried(needs(policy), tuple(trials), tuple(warnings(trials)))


def warnings(trials: Sequence[Trial]) -> list[str]:
    """Say what a maker should think about before they take the policy; empty when nothing stands out."""
    told = [f"{trial.person.who}: the device would become theirs." for trial in trials if trial.surprising]
    if not any(_by_themselves(trial) for trial in trials):
        told.append("No buyer in this list gets the device without your staff.")
    return told


def _by_themselves(trial: Trial) -> bool:
    person = trial.person
    return person.rightful and Evidence.STAFF not in person.brings and trial.free.outcome is Outcome.BOUND
