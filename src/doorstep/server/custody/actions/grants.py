"""A device with a screen asks to be registered; whoever types the code that it shows answers (RFC 8628).

What the device gets in the end is a registration token that no other device can use; with it and its factory
key it registers as always.
"""

import hashlib
import os
from typing import Final

from doorstep.errors import RefusedError
from doorstep.identity import user_code
from doorstep.identity.user_code import UserCode
from doorstep.ownership.device_grant import (
    GrantState,
    GrantStep,
    Heard,
    Polled,
    answer_poll,
    step_grant,
)
from doorstep.server.custody.actions.attempts import admit, keep_attempt
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.tokens import TOKEN_LIFETIME_US, make_registration_token
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.custody.models import DeviceGrant
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device
from doorstep.wire import base64url

__all__ = [
    "INTERVAL_S",
    "LIFETIME_S",
    "TOKEN_LIFETIME_S",
    "UserCodeRefused",
    "answer_grant",
    "begin_grant",
    "find_grant",
    "poll_grant",
]

LIFETIME_S: Final = 15 * 60
"""Seconds that a person has to find the page and type eight letters."""

INTERVAL_S: Final = 5
"""Seconds between polls; RFC 8628's own default."""

TOKEN_LIFETIME_S: Final = TOKEN_LIFETIME_US // 1_000_000

_MOST_LIVE: Final = 5
"""Requests of one device at a time; an older one goes when it restarts again and again."""

_CODE_BYTES: Final = 32
_SECOND_US: Final = 1_000_000


class UserCodeRefused(RefusedError):
    """No device shows this code now."""

    def __init__(self) -> None:
        super().__init__(
            "no device shows this code now",
            next_step="Compare it with the device's screen. A code is good for a quarter of an hour.",
        )


def begin_grant(device: Device, now_us: int) -> tuple[str, UserCode]:
    """Store a device's request and return its secret device code and the code to show."""
    device_code = base64url.encode(os.urandom(_CODE_BYTES))
    shown = user_code.generate(os.urandom)
    with transaction_in_turn():
        live = device.grants.filter(expires_us__gt=now_us).order_by("-pk").values_list("pk", flat=True)
        DeviceGrant.objects.filter(pk__in=list(live[_MOST_LIVE - 1 :])).delete()
        DeviceGrant.objects.create(
            device_code_hash=_hash(device_code),
            user_code_hash=shown.hash(claim_code_pepper()),
            device=device,
            created_us=now_us,
            expires_us=now_us + LIFETIME_S * _SECOND_US,
            interval_s=INTERVAL_S,
        )
    return device_code, shown


def find_grant(claimant: Claimant, typed: str, now_us: int) -> DeviceGrant:
    """Return the request whose code somebody typed.

    Raises MalformedUserCode, TooManyAttempts, and UserCodeRefused for a code that no device shows now.
    """
    code = user_code.parse(typed)
    admit(claimant.organisation, now_us)
    rows = DeviceGrant.objects.select_related("device__product")
    waits = rows.filter(
        user_code_hash=code.hash(claim_code_pepper()), state=GrantState.PENDING, expires_us__gt=now_us
    )
    row = waits.first()
    device = row.device if row else None
    keep_attempt(claimant, "user_code", code.symbols, device=device, refused=row is None, now_us=now_us)
    if row is None:
        raise UserCodeRefused
    return row


def answer_grant(claimant: Claimant, typed: str, now_us: int, *, yes: bool) -> DeviceGrant:
    """Let the device that shows this code join the claimant's organisation, or turn it away.

    Raises as `find_grant`.
    """
    with transaction_in_turn():
        found = find_grant(claimant, typed, now_us)
        row = DeviceGrant.objects.select_for_update().get(pk=found.pk)
        row.state = step_grant(GrantState(row.state), GrantStep.APPROVE if yes else GrantStep.DENY)
        row.organisation, row.user = claimant.organisation, claimant.user
        row.alias = claimant.alias[:80]
        row.save()
    return found


def poll_grant(device_id: str, device_code: str, now_us: int) -> tuple[Heard, str]:
    """Return how a device's request stands, and the registration token once it was granted.

    A device whose answer was lost polls again: it gets a fresh token, and an unused one before is void.
    """
    with transaction_in_turn():
        rows = DeviceGrant.objects.select_for_update(of=("self",)).select_related("organisation", "user")
        row = rows.filter(device_code_hash=_hash(device_code), device__device_id=device_id).first()
        if row is None:
            return Heard.EXPIRED, ""
        polled = Polled(GrantState(row.state), row.expires_us, row.polled_us, row.interval_s)
        heard, row.interval_s = answer_poll(polled, now_us)
        row.polled_us = now_us
        token = _token(row, now_us) if heard is Heard.GRANTED else ""
        row.save()
    return heard, token


def _token(row: DeviceGrant, now_us: int) -> str:
    assert row.organisation is not None  # whoever answered yes
    if row.token is not None and row.token.used_by_id is None:
        row.token.delete()
    token, row.token = make_registration_token(row.organisation, row.user, row.alias, now_us=now_us)
    row.token.only_device = row.device
    row.token.save(update_fields=["only_device"])
    return token


def _hash(device_code: str) -> bytes:
    return hashlib.sha256(device_code.encode()).digest()
