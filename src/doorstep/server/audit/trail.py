"""The audit trail in the database: append in the caller's transaction, read back, verify, erase."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from django.conf import settings
from django.db import connection

from doorstep.crypto.ed25519 import SigningKey
from doorstep.errors import MalformedMessage
from doorstep.ownership import audit
from doorstep.ownership.actors import organisation_of
from doorstep.ownership.audit import AuditBroken, AuditEntry, Details, Record
from doorstep.ownership.ledger import GENESIS, Head, SealedEntry
from doorstep.server.audit.models import AuditRow
from doorstep.server.custody import ledger
from doorstep.server.custody.models import CustodyEntry

__all__ = ["append", "audit_key", "count", "erase_before", "head", "verify_all"]

_LOCK: Final = 0x646F6F72_00000002
"""PostgreSQL advisory lock of whoever appends. It is taken last, after the ledger's: none waits in a ring."""

_READ_AT_ONCE: Final = 2000


@cache
def audit_key() -> SigningKey:
    """Return the key that signs the audit trail, and nothing else."""
    return SigningKey.from_seed(settings.KEY_FILE.derive("audit"))


def append(record: Record, details: Details, at_us: int) -> Head:
    """Chain one record behind the trail's end, as the last step of the caller's transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("the audit trail is appended to inside a transaction")
    _lock()
    told, salt = details.to_bytes(), os.urandom(audit.SALT_BYTES)
    sealed = audit.seal(head(), record, told, at_us, ledger=ledger.head(), salt=salt, sign=audit_key().sign)
    AuditRow.objects.create(
        **_columns(AuditEntry.from_body(sealed.body)),
        body=sealed.body,
        digest=sealed.digest,
        signature=sealed.signature,
        salt=salt,
        details=told,
    )
    return Head(sealed.number, sealed.digest)


def head() -> Head:
    """Return the trail's end as this transaction sees it."""
    last = AuditRow.objects.order_by("-number").values_list("number", "digest").first()
    return Head(last[0], bytes(last[1])) if last else GENESIS


def count() -> int:
    """Return how many entries there are."""
    return AuditRow.objects.count()


def verify_all(anchor: Head = GENESIS, advance: Callable[[int], None] | None = None) -> Head:
    """Verify the stored trail, and that the ledger holds what it saw; return its end or raise AuditBroken."""
    return audit.verify(_entries(advance), audit_key().verifying_key, _ledger_digest, anchor)


def erase_before(at_us: int) -> int:
    """Erase before, after and addresses of older entries; the chain still holds. Return how many."""
    return AuditRow.objects.filter(at_us__lt=at_us).exclude(details=None).update(details=None, salt=b"")


def _entries(advance: Callable[[int], None] | None) -> Iterator[tuple[SealedEntry, bytes | None]]:
    for row in AuditRow.objects.order_by("number").iterator(_READ_AT_ONCE):
        _compare(row)
        sealed = SealedEntry(row.number, bytes(row.body), bytes(row.digest), bytes(row.signature))
        yield sealed, None if row.details is None else bytes(row.salt) + bytes(row.details)
        if advance is not None:
            advance(1)


def _compare(row: AuditRow) -> None:
    try:
        expected = _columns(AuditEntry.from_body(bytes(row.body)))
    except MalformedMessage:
        return  # the chain's own check names it better
    if any(getattr(row, name) != value for name, value in expected.items()):
        raise AuditBroken(f"the columns of audit entry {row.number} were changed")


def _columns(entry: AuditEntry) -> Mapping[str, str | int | None]:
    record = entry.record
    return {
        "number": entry.number,
        "at_us": entry.at_us,
        "actor": record.actor,
        "acting": organisation_of(record.actor),
        "action": record.action,
        "way": record.way,
        "owner": record.owner,
        "device_id": record.device,
    }


def _ledger_digest(number: int) -> bytes | None:
    digest = CustodyEntry.objects.filter(number=number).values_list("digest", flat=True).first()
    return None if digest is None else bytes(digest)


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
