"""Sealed requests of devices whose identity is a symmetric key: each is opened once, and counted for good."""

import os
from typing import Final

from django.conf import settings

from doorstep.errors import VerificationFailed
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.ids import kid_of
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.errors import Rejected
from doorstep.messaging.proof import NO_PROOF_YET, Standing
from doorstep.messaging.registration import OpenedRequest, open_request
from doorstep.messaging.state import SealedState as Sealed
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device, SealedState

__all__ = ["Unproved", "take_request"]

_MOST_ALLOWANCES: Final = 50_000
_allowances: Final[dict[str, Allowance]] = {}
"""How far the ratchet may still be run this minute; only ids of our own devices come so far."""

_NOBODY: Final = Sealed.first(os.urandom(32))
"""Tried instead of an unknown device's keys, so that the answer takes as long."""


class Unproved(VerificationFailed):
    """The request is not a fresh one of a device that may ask so."""


def take_request(device_id: str, message: bytes, now_us: int) -> OpenedRequest:
    """Open a request; its counter is stored when this returns. Raises Unproved, and then nothing changed."""
    _open(device_id, message, now_us)  # forgeries take no turn at the database
    with transaction_in_turn():
        Device.objects.select_for_update().filter(device_id=device_id).first()
        opened = _open(device_id, message, now_us)
        epoch, sequence = opened.counter
        rows = SealedState.objects.filter(device__device_id=device_id)
        rows.update(connect_epoch=epoch, connect_seq=sequence)
    return opened


def _open(device_id: str, message: bytes, now_us: int) -> OpenedRequest:
    rows = Device.objects.select_related("sealed")
    device = rows.filter(
        device_id=device_id, product__identity_method=IdentityMethod.SYMMETRIC_KEY.value
    ).first()
    stands = Standing(_NOBODY, NO_PROOF_YET, Allowance()) if device is None else _standing(device)
    try:
        return open_request(kid_of(device_id), stands, message, now_us)
    except Rejected as error:
        raise Unproved(f"{error.reason}: {error.message}") from error


def _standing(device: Device) -> Standing:
    row = device.sealed
    state = read_sealed(
        settings.KEY_FILE, device.device_id, tuple(getattr(row, column) for column in SEALED_COLUMNS)
    )
    if len(_allowances) > _MOST_ALLOWANCES:
        _allowances.clear()
    allowance = _allowances.setdefault(device.device_id, Allowance())
    return Standing(state, (row.connect_epoch, row.connect_seq), allowance)
