"""A device registers itself, or asks for a new certificate. Its statement or proof was verified before."""

import hashlib
import os
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol, Self

from doorstep.crypto.x509 import Certificate
from doorstep.errors import RefusedError
from doorstep.messaging.keys import OWNER_NONCE_LENGTH
from doorstep.ownership.claims import Decision, Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.label import LabelState, code_counts
from doorstep.ownership.ledger import Event
from doorstep.ownership.life import Life
from doorstep.ownership.standing import Standing, StandingStep
from doorstep.runtime.authority import Authority
from doorstep.server.custody import ledger
from doorstep.server.custody.actions import credentials
from doorstep.server.custody.actions.claiming import (
    Claimant,
    Filing,
    filing_of_contact,
    judge_claims,
    sold,
)
from doorstep.server.custody.actions.locking import locked_devices, locked_tokens
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.actions import PLATFORM, take_step
from doorstep.server.fleet.blocking import is_listed
from doorstep.server.fleet.challenges import (
    Mix,
    OtherCopyAnswered,
    admit_renewal,
    challenged,
    count_refusal,
    first_free_epoch,
    settle_in_hand,
)
from doorstep.server.fleet.models import Device

__all__ = [
    "Asked",
    "DeviceBlocked",
    "NotOwned",
    "Registration",
    "Request",
    "UnknownToken",
    "register_device",
    "register_devices",
    "renew",
    "renew_credential",
]

_ADMITTED: Final = frozenset({Outcome.BOUND, Outcome.ALREADY_YOURS})


class Asked(Protocol):
    """What a device asked, with a proof that was verified: a signed statement or a sealed request."""

    @property
    def device(self) -> str:
        """Device id."""

    @property
    def token(self) -> str | None:
        """Registration token."""

    @property
    def csr(self) -> bytes | None:
        """Signing request; None from a device that works without a certificate."""


class UnknownToken(RefusedError):
    """No token like this was ever given out."""


class NotOwned(RefusedError):
    """A device that nobody owns gets no certificate."""


class DeviceBlocked(RefusedError):
    """A blocked device gets no certificate."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a device is told."""

    decision: Decision | None
    """None for a renewal."""
    certificate: Certificate | None
    """Its operational certificate, when the device is its claimant's and asked for one."""
    epoch: int
    """The first message epoch that the device may use."""
    mix: Mix | None = None
    """What it mixes into its sealed root, after somebody else used its identity."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What was asked, and the certificate that was signed for it before the database is locked."""

    asked: Asked
    fresh: Certificate | None

    @classmethod
    def prepare(cls, asked: Asked, authority: Authority, now_us: int) -> Self:
        """Sign what is asked for; raise CertificateRefused or MalformedRequest."""
        if asked.csr is None:
            return cls(asked, None)
        return cls(asked, credentials.issue(asked.csr, asked.device, authority, now_us))


def register_device(asked: Asked, *, authority: Authority, now_us: int) -> Registration:
    """Register one device as `register_devices` does; raise UnknownToken, and as `Request.prepare`."""
    [answer] = register_devices([Request.prepare(asked, authority, now_us)], now_us)
    if isinstance(answer, UnknownToken):
        raise answer
    return answer


def register_devices(requests: Sequence[Request], now_us: int) -> list[Registration | UnknownToken]:
    """Judge devices' claims by the evidence behind their tokens, and bind, hold, dispute or refuse each.

    No device and no token may come twice. The same device with the same token gets the same answer again.
    All rows are locked while the decisions are made, so that two claims at the same moment have exactly
    one winner. One transaction for all: half of a registration's cost is making it durable.
    """
    with transaction_in_turn():
        devices = _locked([one.asked.device for one in requests])
        tokens = _tokens([_digest(one.asked) for one in requests])
        claims = [
            _Claim(one, devices[one.asked.device], token)
            for one in requests
            if (token := tokens.get(_digest(one.asked))) is not None
            or (one.asked.token is None and devices[one.asked.device].claims_waiting)
        ]
        registrations = dict(zip((one.request for one in claims), _judged(claims, now_us), strict=True))
    unknown = UnknownToken("no such registration token", next_step="Make a new one in the portal.")
    return [registrations.get(one, unknown) for one in requests]


def renew_credential(asked: Asked, *, authority: Authority, now_us: int) -> Registration:
    """Renew as `renew` does; raise also as `Request.prepare`."""
    return renew(Request.prepare(asked, authority, now_us), now_us)


def renew(request: Request, now_us: int) -> Registration:
    """Tell an owned device so, with a certificate for its key.

    Raises DeviceBlocked, NotOwned, or OtherCopyAnswered where two devices use one identity.
    """
    fresh, device_id = request.fresh, request.asked.device
    try:
        with transaction_in_turn():
            device = _locked([device_id])[device_id]
            _admit(device)
            mix = admit_renewal(device, fresh, now_us)
            kept = credentials.keep({device.pk: fresh}, now_us) if fresh else {}
            return Registration(None, kept.get(device.pk), first_free_epoch(device.sealed), mix)
    except OtherCopyAnswered:
        count_refusal(device_id)
        raise


def _settled(device: Device, fresh: Certificate, events: list[tuple[int, Event]], now_us: int) -> Mix | None:
    """End a suspicion of two users: the token reached this one in its owner's hand."""
    mix = settle_in_hand(device, fresh, os.urandom(OWNER_NONCE_LENGTH), now_us)
    if mix is not None and device.standing == Standing.SUSPECTED:
        why = "It was set up again by its owner. Every copy of it is locked out."
        events += take_step(device, StandingStep.CLEAR, why, by=PLATFORM, now_us=now_us)
    return mix


def _admit(device: Device) -> None:
    if device.standing == Standing.QUARANTINED:
        raise DeviceBlocked(
            f"device {device.device_id} is in quarantine: something looked wrong with it",
            next_step="Its maker's staff looks at it. Ask them, or its owner.",
        )
    if is_listed(device):
        raise DeviceBlocked(
            f"device {device.device_id} is on its maker's block-list", next_step="Ask its maker."
        )
    if device.blocked:
        raise DeviceBlocked(f"device {device.device_id} is blocked", next_step="Ask its maker or its owner.")
    if device.life != Life.OWNED:
        raise NotOwned(
            f"device {device.device_id} is {device.life}: nobody owns it",
            next_step="Register it with a new token from the portal.",
        )


def _locked(device_ids: Collection[str]) -> dict[str, Device]:
    return {row.device_id: row for row in locked_devices(device_ids)}


def _digest(asked: Asked) -> bytes:
    return hashlib.sha256((asked.token or "").encode()).digest()


def _tokens(digests: Collection[bytes]) -> dict[bytes, RegistrationToken]:
    return {bytes(row.token_hash): row for row in locked_tokens(digests)}


@dataclass(frozen=True, slots=True)
class _Claim:
    """A request with its locked rows."""

    request: Request
    device: Device
    token: RegistrationToken | None
    """None where claims wait for the device to report."""

    def filing(self, bought: AbstractSet[tuple[int, int]], now_us: int) -> Filing:
        device, token = self.device, self.token
        if token is None:
            return filing_of_contact(device, f"device:{device.device_id}", now_us)
        claimant = Claimant(token.organisation, token.created_by, f"device:{device.device_id}", token)
        evidence = _evidence(device, token, bought=(device.pk, token.organisation.pk) in bought)
        return Filing(device, claimant, evidence)


def _judged(claims: Sequence[_Claim], now_us: int) -> list[Registration]:
    bought = sold([(one.device, one.token.organisation) for one in claims if one.token])
    decisions, events = judge_claims([one.filing(bought, now_us) for one in claims], now_us)
    fresh = {
        one.device.pk: one.request.fresh
        for one, decision in zip(claims, decisions, strict=True)
        if one.request.fresh is not None and decision.outcome in _ADMITTED
    }
    # Only a token shows in whose hand the device is.
    doubted = challenged(
        {one.device.pk: fresh[one.device.pk] for one in claims if one.token and one.device.pk in fresh}
    )
    mixes = {
        one.device.pk: _settled(one.device, fresh[one.device.pk], events, now_us)
        for one in claims
        if one.device.pk in doubted
    }
    kept = credentials.keep(fresh, now_us) if fresh else {}
    if events:
        ledger.append(events, now_us)
    return [
        Registration(
            decision,
            kept.get(one.device.pk),
            first_free_epoch(one.device.sealed),
            mixes.get(one.device.pk),
        )
        for one, decision in zip(claims, decisions, strict=True)
    ]


def _evidence(device: Device, token: RegistrationToken, *, bought: bool) -> set[Evidence]:
    # Signature or seal was verified, and the token reached the device in its set-up session.
    evidence = {Evidence.DEVICE_KEY, Evidence.SETUP_SESSION}
    unused = device.claim_code_used_at is None and code_counts(LabelState(device.label_state))
    if unused and token.code_device_id == device.pk:
        evidence.add(Evidence.LABEL_CODE)
    if bought:
        evidence.add(Evidence.SALE)
    return evidence
