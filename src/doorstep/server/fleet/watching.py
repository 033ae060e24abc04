"""Looks for two users of one identity, and for forgers, in what sessions and refusals left behind.

Runs twice a minute in the jobs role and reads what is recorded anyway: no message costs more by it.
"""

import os
from collections import Counter
from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum

from doorstep.messaging.keys import OWNER_NONCE_LENGTH
from doorstep.messaging.variant import VARIANTS
from doorstep.ownership.life import Life
from doorstep.ownership.standing import Standing, StandingStep
from doorstep.ownership.suspicion import (
    ALTERNATIONS_THAT_TELL,
    FORK_REASONS,
    FORKS_THAT_TELL,
    HELD_THAT_TELL,
    TAGS_THAT_TELL,
    WATCHED_US,
    Finding,
    Session,
    find,
)
from doorstep.server.accounts.models import Member, Role
from doorstep.server.custody import ledger
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.actions import PLATFORM, nudge_later, take_step
from doorstep.server.fleet.challenges import challenge, open_challenge
from doorstep.server.fleet.models import Device, DeviceSession
from doorstep.server.jobs.actions import send_mail_later
from doorstep.server.readings.models import DeadLetter

__all__ = ["CALM_US", "LOOK_EVERY_S", "watch"]

LOOK_EVERY_S: Final = 30.0
CALM_US: Final = 24 * 3600 * 1_000_000
"""Without anything new for so long, and with no second user who tried, a suspicion ends by itself."""
_SAID_US: Final = 3600 * 1_000_000
"""The same is not said twice within an hour."""
_SENDING_US: Final = 1_000_000
"""A connection that sent so long after another one was put off is alive."""

_CHALLENGED: Final = (
    " Two devices seem to use its identity, so the platform asks both to renew their keys. The first that"
    " does goes on; every other one is locked out."
)
_DUPLICATE: Final = Q(reason="connect_refused", detail__startswith="duplicate")
_OLD_PROOF: Final = Q(reason="connect_refused", detail__startswith="bad_proof: replayed")
_KINDS: Final = (*FORK_REASONS, "wrong_tag")


def watch(now_us: int) -> int:
    """Look once, act on what was found, and end old suspicions; return how many devices were acted on."""
    acted = 0
    for device in _candidates(now_us):
        findings = _findings(device, now_us)
        acted += bool(findings) and _act(device, findings, now_us)
    _calm(now_us)
    return acted


def _candidates(now_us: int) -> Iterable[Device]:
    since = now_us - WATCHED_US
    busy = (
        DeviceSession.objects.filter(connected_us__gt=since)
        .values("device")
        .annotate(n=Count("pk"))
        .filter(n__gt=ALTERNATIONS_THAT_TELL)
    )
    least = min(FORKS_THAT_TELL, TAGS_THAT_TELL, HELD_THAT_TELL)
    refused = _letters(now_us).values("device_id").annotate(n=Sum("count")).filter(n__gte=least)
    names, numbers = [row["device_id"] for row in refused], [row["device"] for row in busy]
    shut_out = [Standing.QUARANTINED, Standing.BLOCKED]
    # One whose copies were told to renew may still be refused for what it did before.
    return (
        Device.objects.filter(Q(device_id__in=names) | Q(pk__in=numbers), life=Life.OWNED, must_renew=False)
        .exclude(standing__in=shut_out)
        .order_by("pk")
    )


def _letters(now_us: int) -> QuerySet[DeadLetter]:
    known = Q(reason__in=_KINDS) | _DUPLICATE | _OLD_PROOF
    return DeadLetter.objects.filter(known, at_us__gt=now_us - WATCHED_US).exclude(device_id="")


def _findings(device: Device, now_us: int) -> list[Finding]:
    asked = device.challenges.order_by("-pk").first()
    since = max(now_us - WATCHED_US, 0 if asked is None else asked.answered_us or asked.asked_us)
    rows = device.sessions.filter(connected_us__gt=since).order_by("connected_us", "pk")
    sessions = [Session(row.connected_us, row.ended_us, row.address) for row in rows]
    refused: Counter[str] = Counter()
    held = 0
    for letter in _letters(now_us).filter(device_id=device.device_id, at_us__gt=since):
        if letter.reason != "connect_refused":
            refused[letter.reason] += letter.count
        elif letter.detail.startswith("duplicate"):
            held += letter.count if _another_sends(device, sessions, letter) else 0
        else:
            refused["replayed"] += letter.count
    return find(sessions, refused, held)


def _another_sends(device: Device, sessions: list[Session], letter: DeadLetter) -> bool:
    """Whether the open connection went on sending after another one was put off: a dead one does not."""
    newer = any(one.connected_us > letter.at_us for one in sessions)
    return not newer and (device.last_seen_us or 0) > letter.at_us + _SENDING_US


def _act(device: Device, findings: list[Finding], now_us: int) -> bool:
    """Suspect a device once for each kind of evidence; make two users of it renew."""
    with transaction_in_turn():
        row = Device.objects.select_for_update(of=("self",)).select_related("sealed").get(pk=device.pk)
        said = set(
            row.standing_changes.filter(at_us__gt=now_us - _SAID_US).values_list("evidence", flat=True)
        )
        news = [one for one in findings if one.evidence not in said]
        if not news:
            return False
        clone = any(one.is_clone for one in news) and _can_be_told_apart(row)
        for one in news:
            sentence = one.sentence + (_CHALLENGED if clone and one.is_clone else "")
            step = take_step(
                row, StandingStep.SUSPECT, sentence, by=PLATFORM, now_us=now_us, evidence=one.evidence
            )
            ledger.append(step, now_us)
        if clone:
            challenge(row, os.urandom(OWNER_NONCE_LENGTH), now_us)
            nudge_later()
        tell_owner(row, " ".join(one.sentence for one in news) + (_CHALLENGED if clone else ""))
    return True


def _can_be_told_apart(row: Device) -> bool:
    """Whether one of two users can get what the other lacks: a certificate and another root."""
    if not row.credentials.exists() or open_challenge(row) is not None:
        return False
    return not VARIANTS[row.sealed.variant].is_static


def _calm(now_us: int) -> None:
    """End suspicions that nothing fed for a day."""
    for device in Device.objects.filter(standing=Standing.SUSPECTED, must_renew=False):
        newest = device.standing_changes.order_by("-at_us").first()
        if newest is not None and newest.at_us > now_us - CALM_US:
            continue
        with transaction_in_turn():
            row = Device.objects.select_for_update().get(pk=device.pk)
            asked = open_challenge(row)
            if row.standing != Standing.SUSPECTED or (asked is not None and asked.refused):
                continue
            if asked is not None:
                asked.closed_us = now_us
                asked.save(update_fields=["closed_us"])
            why = "Nothing more was noticed for a day."
            ledger.append(take_step(row, StandingStep.CLEAR, why, by=PLATFORM, now_us=now_us), now_us)


def tell_owner(device: Device, sentence: str) -> None:
    """Write to those who manage the device."""
    text = (
        f"Something looks wrong with your device {device} (serial {device.serial}).\n\n{sentence}\n\n"
        "Nothing is needed from you if its readings look right. If they do not, or if somebody had the "
        "device in hand, set it up again yourself, with the device before you: that locks every copy of it "
        "out.\n\n"
        f"{settings.DOORSTEP.base_url}/devices/{device.device_id}/\n"
    )
    managers = Member.objects.filter(organisation=device.owner_id, role__in=(Role.OWNER, Role.ADMIN))
    for address in managers.values_list("user__email", flat=True):
        send_mail_later(address, f"Something looks wrong with your device {device}", text)
