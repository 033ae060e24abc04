"""Two users of one identity: both are told to renew, and only the first can follow.

The answer goes to whoever asks first, over TLS: a certificate for a key that the others don't have, and a
nonce that is mixed into the sealed root (rule S-9 of ``docs/spec/sealed.md``). From then on the factory key
alone, which all copies share, renews nothing: the key of the first answer must. Whoever has the device in
hand settles it.
"""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from doorstep.crypto.x509 import Certificate
from doorstep.errors import RefusedError
from doorstep.messaging.ahead import MAX_AHEAD
from doorstep.messaging.keys import OWNER_NONCE_LENGTH
from doorstep.messaging.rotation.platform import mixed
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed, sealed_row
from doorstep.server import bulk
from doorstep.server.fleet.models import Device, SealedState
from doorstep.server.fleet.trust import CloneChallenge

__all__ = [
    "Mix",
    "OtherCopyAnswered",
    "admit_renewal",
    "challenge",
    "challenged",
    "count_refusal",
    "first_free_epoch",
    "open_challenge",
    "settle_in_hand",
]

_MARGIN: Final = MAX_AHEAD
"""Epochs that the device may have begun unheard before the answer reached its flash."""


class OtherCopyAnswered(RefusedError):
    """Another device with this identity renewed first; this one is locked out."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What the device mixes into its root of ``epoch``, once."""

    epoch: int
    nonce: bytes = field(repr=False)


def challenge(row: Device, nonce: bytes, now_us: int) -> CloneChallenge:
    """Tell all users of a device's identity to renew; its row is locked by the caller."""
    row.must_renew = True
    row.generation += 1
    row.save(update_fields=["must_renew", "generation"])
    row.credentials.filter(state="active").update(state="superseded", ended_us=now_us)
    return CloneChallenge.objects.create(device=row, asked_us=now_us, nonce=_wrapped(row, nonce), epoch=0)


def first_free_epoch(sealed: SealedState) -> int:
    """Return the epoch after the newest that a message or a CONNECT proof used; else the factory's own."""
    by_proofs = sealed.connect_epoch + 1 if sealed.connect_seq >= 0 else 0
    return max(_epoch_by_messages(sealed), by_proofs)


def _epoch_by_messages(sealed: SealedState) -> int:
    return sealed.epoch + 1 if sealed.master is not None else sealed.epoch


def challenged(devices: Collection[int]) -> set[int]:
    """Return the keys of those devices whose users were ever told to renew."""
    return {
        device
        for (device,) in bulk.select(
            "SELECT DISTINCT device_id FROM clone_challenge WHERE device_id = ANY(%s)", devices
        )
    }


def open_challenge(row: Device) -> CloneChallenge | None:
    """Return the challenge that nobody settled yet."""
    return row.challenges.filter(closed_us=None).order_by("-pk").first()


def admit_renewal(row: Device, fresh: Certificate | None, now_us: int) -> Mix | None:
    """Judge a renewal of a device whose row the caller locked; return what it mixes into its root.

    Raises OtherCopyAnswered for the key of somebody who did not answer first.
    """
    asked = open_challenge(row)
    key_hash = "" if fresh is None else hashlib.sha256(fresh.public_key.spki).hexdigest()
    if asked is None:
        return _repeated(row, key_hash)
    if asked.answered_us is None and key_hash:
        return _answer(row, asked, key_hash, now_us)
    if asked.key_hash != key_hash or not key_hash:
        raise OtherCopyAnswered(
            f"another device with the identity {row.device_id} renewed its keys first",
            next_step="If this is the genuine one, set it up again: that locks every copy out.",
        )
    return _repeated(row, key_hash)


def settle_in_hand(row: Device, fresh: Certificate, nonce: bytes, now_us: int) -> Mix | None:
    """Let a device that its owner set up again go on, alone: they had it in hand, so it is genuine."""
    asked = open_challenge(row)
    key_hash = hashlib.sha256(fresh.public_key.spki).hexdigest()
    if asked is None:
        return _repeated(row, key_hash)
    if asked.answered_us is None:
        mix = _answer(row, asked, key_hash, now_us)
    else:
        row.credentials.filter(state="active").update(state="superseded", ended_us=now_us)
        asked.nonce = _wrapped(row, nonce)
        mix = _answer(row, asked, key_hash, now_us)
    asked.closed_us = now_us
    asked.save(update_fields=["closed_us"])
    return mix


def count_refusal(device_id: str) -> None:
    """Note that somebody else than the first tried to renew; in a transaction of its own."""
    newest = (
        CloneChallenge.objects.filter(device__device_id=device_id, closed_us=None).order_by("-pk").first()
    )
    if newest is not None:
        newest.refused += 1
        newest.save(update_fields=["refused"])


def _answer(row: Device, asked: CloneChallenge, key_hash: str, now_us: int) -> Mix:
    """Take the first answer: from now on its key alone renews, and the sealed root is another."""
    asked.key_hash, asked.answered_us = key_hash, now_us
    # Not when the question was asked: a gateway may have brought messages of later epochs since.
    asked.epoch = first_free_epoch(_fresh(row)) + _MARGIN
    asked.save(update_fields=["key_hash", "answered_us", "nonce", "epoch"])
    mix = Mix(asked.epoch, _unwrapped(row, asked))
    _replace_root(row, mix)
    row.must_renew = False
    row.generation += 1
    row.save(update_fields=["must_renew", "generation"])
    return mix


def _replace_root(row: Device, mix: Mix) -> None:
    """Run the ratchet to the new epoch and mix the nonce in; the epochs before it are over."""
    sealed = _fresh(row)
    keys = read_sealed(
        settings.KEY_FILE, row.device_id, tuple(getattr(sealed, column) for column in SEALED_COLUMNS)
    )
    begun = sealed_row(settings.KEY_FILE, row.device_id, mixed(keys, mix.epoch, mix.nonce, os.urandom))
    for column, value in begun._asdict().items():
        setattr(sealed, column, value)
    sealed.save(update_fields=list(SEALED_COLUMNS))


def _fresh(row: Device) -> SealedState:
    """Return the keys as they are under the device's lock: PostgreSQL joined before it waited for it."""
    row.sealed.refresh_from_db()
    return row.sealed


def _repeated(row: Device, key_hash: str) -> Mix | None:
    """Return the mix again to whoever lost the answer to it, until a message came under the mixed root."""
    last = row.challenges.order_by("-pk").first()
    sealed = row.sealed
    if last is None or last.key_hash != key_hash or not key_hash:
        return None
    if _epoch_by_messages(sealed) != last.epoch:
        return None
    return Mix(last.epoch, _unwrapped(row, last))


def _wrapped(row: Device, nonce: bytes) -> bytes:
    if len(nonce) != OWNER_NONCE_LENGTH:
        raise ValueError(f"the nonce of a challenge has {OWNER_NONCE_LENGTH} bytes")
    wrapped: bytes = settings.KEY_FILE.wrap(nonce, f"clone/{row.device_id}/nonce")
    return wrapped


def _unwrapped(row: Device, asked: CloneChallenge) -> bytes:
    nonce: bytes = settings.KEY_FILE.unwrap(bytes(asked.nonce), f"clone/{row.device_id}/nonce")
    return nonce
