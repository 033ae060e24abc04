"""What others tried with a device since its owner has it. The owner reads everything but who it was."""

import enum
from dataclasses import dataclass
from typing import Final

from django.db.models import Max, Sum

from doorstep.ownership.claims import Outcome
from doorstep.ownership.ledger import Kind
from doorstep.server.custody.models import Claim, ClaimAttempt
from doorstep.server.fleet.models import Device
from doorstep.server.readings.models import DeadLetter

__all__ = ["Attempt", "What", "attempts_on", "owned_since_us"]

_NEWEST: Final = 50


class What(enum.StrEnum):
    """What was tried."""

    CLAIM = "claim"
    """Somebody claimed the device."""
    GUESS = "guess"
    """Somebody typed a secret or an order's number of it."""
    MESSAGE = "message"
    """Something was sent, or tried to connect, in its name, and was refused."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, or many alike."""

    at_us: int
    """Of the last."""
    what: What
    detail: str
    """Kinds of evidence, kind of guess, or the reason of the refusal."""
    outcome: str
    """``disputed``, ``held``, ``refused``, or ``accepted`` for a guess that was right."""
    count: int = 1


def attempts_on(device: Device) -> list[Attempt]:
    """Return what others than its owner tried with a device in this ownership period, newest first."""
    since_us = owned_since_us(device)
    found = [*_claims(device, since_us), *_guesses(device, since_us), *_messages(device, since_us)]
    return sorted(found, key=lambda one: -one.at_us)[:_NEWEST]


def owned_since_us(device: Device) -> int:
    """Return when its owner got the device; 0 for a device that nobody ever owned."""
    got = device.custody.filter(kind=Kind.OWNED).order_by("-number").values_list("at_us", flat=True).first()
    return got or 0


def _claims(device: Device, since_us: int) -> list[Attempt]:
    rows = Claim.objects.filter(device=device, at_us__gte=since_us).exclude(decision=Outcome.BOUND)
    others = rows.exclude(organisation=device.owner_id).order_by("-at_us")[:_NEWEST]
    return [Attempt(row.at_us, What.CLAIM, " ".join(row.evidence), row.decision) for row in others]


def _guesses(device: Device, since_us: int) -> list[Attempt]:
    rows = ClaimAttempt.objects.filter(device=device, at_us__gte=since_us)
    others = rows.exclude(organisation=device.owner_id).order_by("-at_us")[:_NEWEST]
    return [
        Attempt(row.at_us, What.GUESS, row.kind, "refused" if row.refused else "accepted") for row in others
    ]


def _messages(device: Device, since_us: int) -> list[Attempt]:
    rows = DeadLetter.objects.filter(device_id=device.device_id, at_us__gte=since_us).values("reason")
    totals = rows.annotate(last=Max("at_us"), times=Sum("count")).order_by("-last")[:_NEWEST]
    return [Attempt(row["last"], What.MESSAGE, row["reason"], "refused", row["times"]) for row in totals]
