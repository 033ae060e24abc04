"""The custody ledger in the database: append in the caller's transaction, read back, verify."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from django.db import connection

from doorstep.errors import MalformedMessage, RefusedError
from doorstep.ownership.actors import organisation_of
from doorstep.ownership.chain import LedgerBroken, verify
from doorstep.ownership.ledger import GENESIS, Entry, Event, Head, SealedEntry, build
from doorstep.server import bulk
from doorstep.server.custody.keys import ledger_key
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.custody.signing import keys_for
from doorstep.server.webhooks.outbox import follow

__all__ = ["LedgerTooLong", "append", "count", "entries", "head", "verify_all", "verify_soon"]

_LOCK: Final = 0x646F6F72_00000001
"""PostgreSQL advisory lock of whoever appends, until the end of the transaction."""

_READ_AT_ONCE: Final = 2000
_SOON: Final = 50_000
"""Entries that are verified in some seconds."""

_COLUMNS: Final = {
    "number": "bigint",
    "device_id": "bigint",
    "kind": "text",
    "at_us": "bigint",
    "body": "bytea",
    "digest": "bytea",
    "signature": "bytea",
}
"""Of a new row of `CustodyEntry`, with their types."""


class LedgerTooLong(RefusedError):
    """The ledger takes longer to verify than anybody waits for an answer."""


def append(events: Sequence[tuple[int, Event]], at_us: int) -> Head:
    """Chain events behind the ledger's end; each comes with the primary key of its device.

    Call it inside a transaction, as late as possible: others who append wait until it ends. SQLite's
    immediate transactions and one advisory lock on PostgreSQL keep numbers without gap and one chain.
    An organisation that acts for the first time gets its key here, in an entry before its own.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger is appended to inside a transaction")
    follow(events, at_us)  # before the lock: others who append need not wait for it
    _lock()
    last, platform = head(), ledger_key()
    keys, made = keys_for(_acting(events), at_us)
    written = [*((None, event) for event in made), *events]

    def sign_for(acting: int | None) -> Callable[[bytes], bytes]:
        return (platform if acting is None else keys[acting]).sign

    sealed = list(build(last, (event for _, event in written), at_us, sign_for))
    rows = [
        (entry.number, device, str(event.kind), at_us, entry.body, entry.digest, entry.signature)
        for entry, (device, event) in zip(sealed, written, strict=True)
    ]
    bulk.insert("custody_entry", _COLUMNS, rows)
    return Head(sealed[-1].number, sealed[-1].digest) if sealed else last


def head() -> Head:
    """Return the ledger's end as this transaction sees it."""
    rows = bulk.select("SELECT number, digest FROM custody_entry ORDER BY number DESC LIMIT 1")
    return Head(rows[0][0], bytes(rows[0][1])) if rows else GENESIS


def count() -> int:
    """Return how many entries there are."""
    return CustodyEntry.objects.count()


def entries() -> Iterator[SealedEntry]:
    """Yield the ledger in its order, without holding it in memory.

    Raises LedgerBroken at an entry whose searchable columns say something else than its signed body.
    """
    rows = CustodyEntry.objects.order_by("number").values_list(
        "number", "body", "digest", "signature", "kind", "at_us", "device__device_id"
    )
    for number, body, digest, signature, *columns in rows.iterator(_READ_AT_ONCE):
        sealed = SealedEntry(number, bytes(body), bytes(digest), bytes(signature))
        _compare(sealed, columns)
        yield sealed


def verify_all(anchor: Head = GENESIS, advance: Callable[[int], None] | None = None) -> Head:
    """Verify the stored chain from its first entry; return its end or raise LedgerBroken."""
    return verify(_counted(advance), ledger_key().verifying_key, anchor)


def verify_soon() -> Head:
    """Verify the chain while somebody waits; raise LedgerBroken, or LedgerTooLong."""
    if count() > _SOON:
        raise LedgerTooLong(
            "the ledger is too long to verify while somebody waits", next_step="Run: doorstep ledger verify"
        )
    return verify_all()


def _acting(events: Iterable[tuple[int, Event]]) -> set[int]:
    return {acting for _, event in events if (acting := organisation_of(event.actor)) is not None}


def _counted(advance: Callable[[int], None] | None) -> Iterator[SealedEntry]:
    for entry in entries():
        yield entry
        if advance is not None:
            advance(1)


def _compare(sealed: SealedEntry, columns: Sequence[object]) -> None:
    try:
        entry = Entry.from_body(sealed.body)
    except MalformedMessage:
        return  # the chain's own check names it better
    if list(columns) != [entry.event.kind, entry.at_us, entry.event.device or None]:
        raise LedgerBroken(f"the columns of ledger entry {sealed.number} were changed: {columns}")


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
