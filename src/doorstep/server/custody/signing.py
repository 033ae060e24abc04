"""The keys that sign for organisations in the ledger: made when they first act, and kept wrapped."""

import os
from collections.abc import Set as AbstractSet
from typing import Final

from django.conf import settings

from doorstep.crypto.ed25519 import SigningKey
from doorstep.ownership.ledger import Event, Kind
from doorstep.server import bulk
from doorstep.server.custody.models import LedgerKey

__all__ = ["keys_for"]

_SEED_BYTES: Final = 32
_PLATFORM: Final = "platform"
_KEYS: Final = """
SELECT organisation_id, public_key, secret FROM ledger_key WHERE organisation_id = ANY(%s) ORDER BY id"""


def keys_for(organisations: AbstractSet[int], at_us: int) -> tuple[dict[int, SigningKey], list[Event]]:
    """Return each organisation's key, and the events that tell the ledger of keys that were made just now.

    The caller holds the ledger's lock, so that nobody makes a second one.
    """
    if not organisations:
        return {}, []
    rows = bulk.select(_KEYS, organisations)
    keys = {one: _unwrapped(one, bytes(public), bytes(secret)) for one, public, secret in rows}
    fresh = [_make(one, at_us) for one in sorted(organisations - keys.keys())]
    return keys | {one: key for one, key, _ in fresh}, [event for _, _, event in fresh]


def _make(organisation: int, at_us: int) -> tuple[int, SigningKey, Event]:
    seed = os.urandom(_SEED_BYTES)
    key = SigningKey.from_seed(seed)
    public = key.verifying_key.raw
    LedgerKey.objects.create(
        organisation_id=organisation,
        public_key=public,
        secret=settings.KEY_FILE.wrap(seed, _context(organisation, public)),
        created_us=at_us,
    )
    detail: dict[str, str | int] = {"organisation": organisation, "key": public.hex()}
    return organisation, key, Event(Kind.KEY_ADDED, "", _PLATFORM, detail)


def _unwrapped(organisation: int, public_key: bytes, secret: bytes) -> SigningKey:
    return SigningKey.from_seed(settings.KEY_FILE.unwrap(secret, _context(organisation, public_key)))


def _context(organisation: int, public_key: bytes) -> str:
    return f"ledger/{organisation}/{public_key.hex()}"
