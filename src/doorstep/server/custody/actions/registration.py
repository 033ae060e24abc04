"""A device registers itself, or asks for a new certificate. Its statement was verified before."""

import hashlib
from dataclasses import dataclass

from doorstep.crypto.x509 import Certificate
from doorstep.errors import RefusedError
from doorstep.identity.statement import Statement
from doorstep.ownership.claims import Decision, Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.life import Life
from doorstep.ownership.standing import Standing
from doorstep.runtime.authority import Authority
from doorstep.server.custody.actions import credentials
from doorstep.server.custody.actions.claiming import Claimant, file_claim, sold_to
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.blocking import is_listed
from doorstep.server.fleet.models import Device

__all__ = ["DeviceBlocked", "NotOwned", "Registration", "UnknownToken", "register_device", "renew_credential"]


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


def register_device(statement: Statement, *, authority: Authority, now_us: int) -> Registration:
    """Judge a device's claim by the evidence that stands behind its token, and bind, hold, dispute or refuse.

    The same device with the same token gets the same answer again. The device's row is locked while
    the decision is made, so that two claims at the same moment have exactly one winner. Raises
    UnknownToken, and CertificateRefused or MalformedRequest for a bad signing request.
    """
    fresh = _fresh(statement, authority, now_us)
    with transaction_in_turn():
        device = _locked(statement.device)
        token = _token(statement)
        claimant = Claimant(token.organisation, token.created_by, f"device:{device.device_id}", token)
        decision = file_claim(device, claimant, _evidence(device, token), now_us)
        admitted = decision.outcome in {Outcome.BOUND, Outcome.ALREADY_YOURS}
        kept = credentials.keep(device, fresh, now_us) if fresh and admitted else None
        return Registration(decision, kept, _first_free_epoch(device))


def renew_credential(statement: Statement, *, authority: Authority, now_us: int) -> Registration:
    """Give an owned device a certificate for the key it names; raise DeviceBlocked or NotOwned otherwise."""
    fresh = _fresh(statement, authority, now_us)
    with transaction_in_turn():
        device = _locked(statement.device)
        _admit(device)
        kept = credentials.keep(device, fresh, now_us) if fresh else None
        return Registration(None, kept, _first_free_epoch(device))


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


def _fresh(statement: Statement, authority: Authority, now_us: int) -> Certificate | None:
    """Do the slow signing before the database is locked."""
    if statement.csr is None:
        return None
    return credentials.issue(statement.csr, statement.device, authority, now_us)


def _locked(device_id: str) -> Device:
    rows = Device.objects.select_for_update(of=("self",)).select_related("product", "batch", "sealed")
    return rows.get(device_id=device_id)


def _token(statement: Statement) -> RegistrationToken:
    digest = hashlib.sha256((statement.token or "").encode()).digest()
    rows = RegistrationToken.objects.select_for_update(of=("self",))
    # Only what never changes is joined: PostgreSQL joins before it waits for the lock.
    token = rows.select_related("organisation", "created_by").filter(token_hash=digest).first()
    if token is None:
        raise UnknownToken("no such registration token", next_step="Make a new one in the portal.")
    return token


def _evidence(device: Device, token: RegistrationToken) -> set[Evidence]:
    # The statement's signature was verified, and the token reached the device in its set-up session.
    evidence = {Evidence.DEVICE_KEY, Evidence.SETUP_SESSION}
    unused = device.claim_code_used_at is None
    if unused and token.code_device_id == device.pk:
        evidence.add(Evidence.LABEL_CODE)
    if sold_to(device, token.organisation):
        evidence.add(Evidence.SALE)
    return evidence


def _first_free_epoch(device: Device) -> int:
    """Return the epoch after the newest that a message or a CONNECT proof used; else the factory's own."""
    sealed = device.sealed
    by_messages = sealed.epoch + 1 if sealed.master is not None else sealed.epoch
    by_proofs = sealed.connect_epoch + 1 if sealed.connect_seq >= 0 else 0
    return max(by_messages, by_proofs)
