"""The custody ledger in the database: append in the caller's transaction, read back, verify."""

from collections.abc import Iterator, Sequence
from typing import Final

from django.db import connection

from doorstep.ownership.ledger import GENESIS, Event, Head, SealedEntry, Signer, Verifier, build, verify
from doorstep.server.custody.keys import ledger_key
from doorstep.server.custody.models import CustodyEntry

__all__ = ["append", "count", "entries", "head", "verify_all"]

_LOCK: Final = 0x646F6F72_00000001
"""PostgreSQL advisory lock of whoever appends, until the end of the transaction."""

_INSERT_AT_ONCE: Final = 2000


def append(events: Sequence[tuple[int, Event]], at_us: int, sign: Signer | None = None) -> Head:
    """Chain events behind the ledger's end; each comes with the primary key of its device.

    Call it inside a transaction, as late as possible: others who append wait until it ends. SQLite's
    immediate transactions and one advisory lock on PostgreSQL keep numbers without gap and one chain.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger is appended to inside a transaction")
    _lock()
    last = head()
    sealed = list(build(last, (event for _, event in events), at_us, sign or ledger_key().sign))
    rows = [
        CustodyEntry(
            number=entry.number,
            device_id=device,
            kind=str(event.kind),
            at_us=at_us,
            body=entry.body,
            digest=entry.digest,
            signature=entry.signature,
        )
        for entry, (device, event) in zip(sealed, events, strict=True)
    ]
    CustodyEntry.objects.bulk_create(rows, batch_size=_INSERT_AT_ONCE)
    return Head(sealed[-1].number, sealed[-1].digest) if sealed else last


def head() -> Head:
    """Return the ledger's end as this transaction sees it."""
    last = CustodyEntry.objects.order_by("-number").values_list("number", "digest").first()
    return Head(last[0], bytes(last[1])) if last else GENESIS


def count() -> int:
    """Return how many entries there are."""
    return CustodyEntry.objects.count()


def entries() -> Iterator[SealedEntry]:
    """Yield the ledger in its order, without holding it in memory."""
    rows = CustodyEntry.objects.order_by("number").values_list("number", "body", "digest", "signature")
    for number, body, digest, signature in rows.iterator(_INSERT_AT_ONCE):
        yield SealedEntry(number, bytes(body), bytes(digest), bytes(signature))


def verify_all(anchor: Head = GENESIS, verifier: Verifier | None = None) -> Head:
    """Verify the stored chain from its first entry; return its end or raise LedgerBroken."""
    return verify(entries(), verifier or ledger_key().verifying_key.verify, anchor)


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
