"""What the platform knows of a device that somebody has before them, and what it tells them."""

import hmac
import os
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db.models import Q

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import RefusedError, ReplayRefused, VerificationFailed
from doorstep.identity import statement
from doorstep.identity.statement import Purpose, Statement
from doorstep.onboarding.attestation.verdict import Facts, Owner, Sale, Verdict, judge
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life
from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Caller
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.bringing import keep_piece, locked_device
from doorstep.server.custody.actions.claiming import Claimant, sold_to
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.device_api import nonces
from doorstep.server.fleet.access import NoSuchDevice
from doorstep.server.fleet.blocking import is_listed
from doorstep.server.fleet.models import Device

__all__ = [
    "Attested",
    "ChallengeRefused",
    "NotGenuine",
    "OtherConversation",
    "attest",
    "look_up",
    "make_challenge",
]

_OUT_OF_USE: Final = frozenset({Life.RETURNED, Life.SWAPPED, Life.SCRAPPED})
_NAME_CAP: Final = 60


class NotGenuine(RefusedError):
    """What answered the phone is no device that this platform made."""

    def __init__(self) -> None:
        super().__init__(
            "What answered is no device of ours, or somebody changed its answer.",
            next_step="Do not give it your Wi-Fi password. Look whether the device in front of you is the "
            "one that is waiting, and ask the maker.",
        )


class OtherConversation(RefusedError):
    """A genuine device signed another conversation than the phone had."""

    def __init__(self) -> None:
        super().__init__(
            "A genuine device answered, but in another conversation than this one: somebody is in between.",
            next_step="Do not go on. Move away from other devices, press the button again and start over.",
        )


class ChallengeRefused(RefusedError):
    """A challenge is too old, or was made for another account."""

    def __init__(self) -> None:
        super().__init__(
            "This check took too long, or was begun by another account.", next_step="Start it again."
        )


@dataclass(frozen=True, slots=True)
class Attested:
    """A device as the asking organisation may know it."""

    device: Device
    facts: Facts
    verdict: Verdict
    setup_code: str | None = field(default=None, repr=False)
    oob_code: str | None = field(default=None, repr=False)
    """For Bluetooth pairing; released together with the set-up code."""


def make_challenge(organisation: Organisation, now_us: int) -> bytes:
    """Return a challenge that is good for this organisation for five minutes; nothing is stored."""
    return nonces.make(_challenge_key(), _holder(organisation), now_us, os.urandom)


def attest(caller: Caller, signed: bytes, transcript: bytes, now_us: int) -> Attested:
    """Judge a device's statement that the caller's phone relayed; a press of its button is evidence.

    Raises MalformedMessage, NotGenuine, ChallengeRefused or OtherConversation, in this order.
    """
    device, said = _verified(signed)
    try:
        nonces.check(_challenge_key(), _holder(caller.organisation), said.nonce, now_us)
    except ReplayRefused as error:
        raise ChallengeRefused from error
    if not hmac.compare_digest(said.transcript or b"", transcript):
        raise OtherConversation
    facts = _facts(device, caller.organisation, presence=bool(said.presence))
    verdict = judge(facts)
    if facts.presence and verdict.may_set_up:
        _keep_presence(device, caller, now_us)
    if not verdict.may_have_code:
        return Attested(device, facts, verdict)
    _note_release(device, caller, now_us)
    code, oob = _kept(device, "code", device.setup_code), _kept(device, "oob", device.oob_code)
    return Attested(device, facts, verdict, code, oob)


def look_up(organisation: Organisation, name: str) -> Attested:
    """Find a device by serial or id as people type and say them.

    Raises NoSuchDevice, in the same words, for what the organisation may not set up.
    """
    typed = "".join(name.split())[:_NAME_CAP]
    device = (
        Device.objects.select_related("product")
        .filter(Q(serial__iexact=typed) | Q(device_id__iexact=typed))
        .first()
    )
    if device is None:
        raise NoSuchDevice(typed)
    facts = _facts(device, organisation, presence=False)
    verdict = judge(facts)
    if not verdict.may_set_up:
        raise NoSuchDevice(typed)
    return Attested(device, facts, verdict)


def _verified(signed: bytes) -> tuple[Device, Statement]:
    name = statement.claimed_device(signed)
    device = Device.objects.select_related("product", "batch").filter(device_id=name).first()
    key = PublicKey.from_spki(bytes(device.public_key)) if device and device.public_key else _NOBODY
    try:
        said = statement.verify(signed, key, purpose=Purpose.ATTEST)
    except VerificationFailed as error:
        raise NotGenuine from error
    if device is None:
        raise NotGenuine
    return device, said


def _facts(device: Device, organisation: Organisation, *, presence: bool) -> Facts:
    line = getattr(device, "sale_line", None)
    yours = sold_to(device, organisation)
    dealt = line is not None and line.sale.wholesaler_id is not None
    sale = Sale.YOURS if yours else Sale.WHOLESALER if dealt else Sale.UNKNOWN
    owners = {None: Owner.NOBODY, organisation.pk: Owner.YOURS}
    return Facts(
        sale=sale,
        sold_elsewhere=line is not None and not yours and not dealt,
        owner=owners.get(device.owner_id, Owner.ANOTHER),
        blocked=device.blocked or is_listed(device),
        usable=Life(device.life) not in _OUT_OF_USE,
        presence=presence,
        releases_code=device.product.release_setup_code and device.setup_code is not None,
    )


def _keep_presence(device: Device, caller: Caller, now_us: int) -> None:
    """Keep it for the claim that the device brings when it registers; nobody's claim on an owner."""
    with transaction_in_turn():
        row = locked_device(pk=device.pk)
        if row is not None and row.owner_id is None:
            claimant = Claimant(caller.organisation, caller.user, caller.actor)
            keep_piece(row, claimant, Evidence.PRESENCE, now_us=now_us)


def _note_release(device: Device, caller: Caller, now_us: int) -> None:
    """Note in the ledger who gets the code before they get it."""
    event = Event(
        Kind.CODE_RELEASED, device.device_id, caller.actor, {"organisation": caller.organisation.pk}
    )
    with transaction_in_turn():
        ledger.append([(device.pk, event)], now_us)


def _kept(device: Device, name: str, wrapped: bytes | memoryview | None) -> str | None:
    if wrapped is None:
        return None
    code: bytes = settings.KEY_FILE.unwrap(bytes(wrapped), f"setup/{device.device_id}/{name}")
    return code.decode()


def _holder(organisation: Organisation) -> str:
    return f"organisation/{organisation.pk}"


def _challenge_key() -> bytes:
    key: bytes = settings.KEY_FILE.derive("onboarding/challenge")
    return key


_NOBODY: Final = p256.generate(os.urandom).public_key
"""Checked instead of an unknown device's key, so that the answer takes as long."""
