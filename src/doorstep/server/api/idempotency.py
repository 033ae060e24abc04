"""A request repeated with its idempotency key gets its first answer again and does nothing twice."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from pydantic import BaseModel

from doorstep.errors import DoorstepError, MisuseError
from doorstep.server.accounts.permissions import Caller
from doorstep.server.api.models import StoredAnswer
from doorstep.server.custody.turns import transaction_in_turn

__all__ = ["KEY_CAP", "KeyReused", "fingerprint", "once"]

KEY_CAP: Final = 100
"""Characters of an idempotency key."""

Answer = tuple[int, Any]
"""Status and JSON value."""


class KeyReused(MisuseError):
    """An idempotency key came again with another request."""


def fingerprint(route: str, values: dict[str, Any]) -> bytes:
    """Return a keyed hash that tells this request to a route from any other."""
    text = json.dumps([route, values], sort_keys=True, default=_plain)
    return hmac.digest(settings.KEY_FILE.derive("api/idempotency"), text.encode(), "sha256")


def once(caller: Caller, key: str, request: bytes, act: Callable[[], Answer]) -> Answer:
    """Act and keep the answer in one transaction, or return the answer kept for this key.

    An act that refuses keeps no answer, so that a mended request may use the key again; what it stored
    before it refused, such as a counted attempt, stays as it would without a key. ``request`` is the
    fingerprint. Raises KeyReused when the kept answer belongs to another request.
    """
    if not 0 < len(key) <= KEY_CAP or not key.isprintable():
        raise MisuseError(
            f"an idempotency key has 1 to {KEY_CAP} printable characters",
            next_step="Use a fresh UUID for each new request.",
        )
    with transaction_in_turn():
        record, fresh = StoredAnswer.objects.get_or_create(
            organisation=caller.organisation,
            actor=caller.actor,
            key=key,
            defaults={"fingerprint": request},
        )
        if not fresh:
            return _kept(record, request)
        try:
            answer = act()
        except DoorstepError as error:
            record.delete()
            refused = error
        else:
            wrapped = settings.KEY_FILE.wrap(json.dumps(answer).encode(), _context(record))
            StoredAnswer.objects.filter(pk=record.pk).update(answer=wrapped)
            return answer
    raise refused


def _kept(record: StoredAnswer, request: bytes) -> Answer:
    if not hmac.compare_digest(bytes(record.fingerprint), request):
        raise KeyReused(
            "this idempotency key was used for another request",
            next_step="Use a new key for a new request, and the same key only to repeat one.",
        )
    status, value = json.loads(settings.KEY_FILE.unwrap(bytes(record.answer), _context(record)))
    return status, value


def _context(record: StoredAnswer) -> str:
    return f"stored-answer/{record.pk}"


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, UploadedFile):
        digest = hashlib.sha256(b"".join(value.chunks())).hexdigest()
        value.seek(0)
        return digest
    return str(value)
