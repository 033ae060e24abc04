"""Ownership vouchers: made for a buyer, and brought by them, for one device or a thousand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from doorstep.crypto.x509 import Certificate
from doorstep.errors import MisuseError
from doorstep.identity import voucher
from doorstep.identity.voucher import LIFETIME, Voucher, addressee
from doorstep.ownership.claims import Decision, Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.runtime.authority import Authority, load_authority
from doorstep.server.accounts.models import Role
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.requests import keep_request
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["Brought", "bring_voucher", "make_voucher", "trusted_roots"]

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of one device of a voucher."""

    serial: str
    decision: Decision

    @property
    def waits(self) -> bool:
        """Whether the device has to report first, or something else is missing."""
        return self.decision.outcome is Outcome.HELD


def trusted_roots() -> list[Certificate]:
    """Return the roots to which a voucher's signer must chain: this deployment's own."""
    return [load_authority(Path(settings.STATE.ca), now=datetime.now(UTC)).root]


def make_voucher(serials: Sequence[str], email: str, authority: Authority, now_us: int) -> bytes:
    """Return a signed voucher for devices that nobody owns.

    Raises MisuseError for an address or a serial that can't be, MalformedMessage for too many devices.
    """
    try:
        validate_email(email.strip())
    except ValidationError as error:
        raise MisuseError("the buyer's e-mail address is not one", next_step="Check the address.") from error
    rows = dict(Device.objects.filter(serial__in=serials, owner=None).values_list("serial", "device_id"))
    strange = [serial for serial in serials if serial not in rows]
    if strange:
        raise MisuseError(
            f"no device that is free has the serial {strange[0][:40]!a} ({len(strange)} of {len(serials)})",
            next_step="Compare it with the label, and leave out devices that have an owner.",
        )
    now = now_us // _SECOND_US
    devices = tuple(rows[serial] for serial in dict.fromkeys(serials))
    return Voucher(addressee(email), devices, now, now + LIFETIME).sign(authority.operations)


def bring_voucher(
    claimant: Claimant, data: bytes, roots: Sequence[Certificate], now_us: int
) -> list[Brought]:
    """Take a voucher as evidence for each of its devices; the same voucher again changes nothing.

    Raises as `doorstep.identity.voucher.read`.
    """
    addresses = EmailAddress.objects.filter(
        verified=True,
        user__memberships__organisation=claimant.organisation,
        user__memberships__role=Role.OWNER,
    ).values_list("email", flat=True)
    said = voucher.read(data, roots, list(addresses), now_us // _SECOND_US)
    return [one for device in said.devices if (one := _bring(claimant, device, said, now_us)) is not None]


def _bring(claimant: Claimant, device_id: str, said: Voucher, now_us: int) -> Brought | None:
    with transaction_in_turn():
        device = locked_device(device_id=device_id)
        if device is None:
            return None
        keep_request(claimant, device.serial, now_us)
        detail = f"voucher for {len(said.devices)} devices, issued {said.issued}"
        return Brought(device.serial, bring(device, claimant, Evidence.VOUCHER, now_us=now_us, detail=detail))
