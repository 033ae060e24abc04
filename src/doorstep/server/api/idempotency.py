"""A request repeated with its idempotency key gets its first answer again and does nothing twice."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction

from doorstep.errors import MisuseError
from doorstep.server.accounts.permissions import Caller
from doorstep.server.custody.models import IdempotencyRecord

__all__ = ["KEY_CAP", "KeyReused", "once"]

KEY_CAP: Final = 100
"""Characters of an idempotency key."""


class KeyReused(MisuseError):
    """An idempotency key came again with another request."""


def once(
    caller: Caller, key: str | None, request: Any, act: Callable[[], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any]]:
    """Act and keep the answer in one transaction, or return the answer kept for this key.

    An act that raises keeps nothing, so that a mended request may use the key again. Raises
    KeyReused when the kept answer belongs to another request.
    """
    if key is None or caller.key is None:
        return act()
    if not 0 < len(key) <= KEY_CAP or not key.isprintable():
        raise MisuseError(f"an idempotency key has 1 to {KEY_CAP} printable characters")
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()
    with transaction.atomic():
        record, fresh = IdempotencyRecord.objects.get_or_create(
            api_key_id=caller.key, key=key, defaults={"request_hash": digest, "status": 0, "body": {}}
        )
        if not fresh:
            return _kept(record, digest)
        record.status, record.body = act()
        record.save(update_fields=["status", "body"])
        return record.status, record.body


def _kept(record: IdempotencyRecord, digest: bytes) -> tuple[int, dict[str, Any]]:
    if bytes(record.request_hash) != digest:
        raise KeyReused(
            "this idempotency key was used for another request",
            next_step="Use a new key for a new request, and the same key only to repeat one.",
        )
    return record.status, record.body
