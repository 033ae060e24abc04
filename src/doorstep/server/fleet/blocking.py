"""The block-list: recalled batches, hardware ids, factory keys. Lines are added, never removed.

From the moment a line is stored nothing of its devices is accepted. Their revocations and ledger entries
follow in pieces, so that a batch of thousands holds nobody up; a job does what nobody finished.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import F, QuerySet

from doorstep.errors import MisuseError
from doorstep.identity.ids import parse_hardware_id
from doorstep.ownership.ledger import Event
from doorstep.ownership.standing import Standing, StandingStep
from doorstep.server import bulk
from doorstep.server.custody import ledger
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.actions import block_row, nudge_later, plain_reason, take_step
from doorstep.server.fleet.models import Batch, Device
from doorstep.server.fleet.trust import BlockEntry
from doorstep.server.jobs.actions import enqueue

__all__ = [
    "BlockKind",
    "NoSuchLine",
    "Progress",
    "add_block",
    "carry_out",
    "entry_of",
    "free",
    "is_listed",
    "lift_block",
    "lines",
    "listed",
    "matching",
    "progress_of",
]

_AT_ONCE: Final = 200
_FINGERPRINT_DIGITS: Final = 64
_OPEN_LINES: Final = """
SELECT kind, value FROM block_entry WHERE action = 'block' AND lifted_by_id IS NULL AND value = ANY(%s)"""


class BlockKind(enum.StrEnum):
    """What a line names."""

    BATCH = "batch"
    HARDWARE_ID = "hardware_id"
    """A MAC address or another id that the chip's maker gave it."""
    KEY = "key"
    """Hex SHA-256 of a factory key's SubjectPublicKeyInfo."""


class NoSuchLine(MisuseError):
    """The block-list has no line of this number."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a line is."""

    devices: int
    """How many it names that exist."""
    shut_out: int
    """Of them, how many are accepted no more."""
    finished: int
    """Of them, how many have no session and nothing in a queue any more."""


def add_block(kind: str, value: str, by: str, reason: str, *, now_us: int) -> BlockEntry:
    """Store a line; from the commit on nothing of its devices is accepted. A line that is open is returned.

    Raises MisuseError for a kind or value that can't be.
    """
    named, value, reason = _kind(kind), _value(kind, value), plain_reason(reason)
    with transaction_in_turn():
        known = BlockEntry.objects.filter(action="block", kind=named, value=value, lifted_by=None).first()
        if known is not None:
            return known
        entry = BlockEntry.objects.create(
            action="block", kind=named, value=value, reason=reason, by=by, at_us=now_us
        )
        open_ones = matching(entry).exclude(standing=Standing.BLOCKED)
        # Locked in the order in which ingest locks, so that neither waits for the other.
        list(open_ones.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        open_ones.update(blocked=True, generation=F("generation") + 1)
        enqueue("block", {"entry": entry.pk})
    return entry


def carry_out(entry: BlockEntry, now_us: int, advance: Callable[[int], None] = lambda _: None) -> None:
    """Block each device of a line by the book, once; ``advance`` hears how many were done."""
    devices = matching(entry).exclude(revocations__block=entry).exclude(standing=Standing.BLOCKED)
    numbers = list(devices.order_by("pk").values_list("pk", flat=True))
    for some in _pieces(numbers):
        with transaction_in_turn():
            if not BlockEntry.objects.filter(pk=entry.pk, lifted_by=None).exists():
                return  # lifted meanwhile
            rows = Device.objects.select_for_update().filter(pk__in=some).exclude(standing=Standing.BLOCKED)
            events: list[tuple[int, Event]] = []
            for row in rows.order_by("pk"):
                _, new = block_row(row, entry.by, entry.reason, now_us=now_us, entry=entry)
                events += new
            ledger.append(events, now_us)
            nudge_later()
        advance(len(some))


def lift_block(entry: BlockEntry, by: str, reason: str, *, now_us: int) -> BlockEntry:
    """Store the line that ends another, and queue what follows; raise MisuseError for a lifted one."""
    reason = plain_reason(reason)
    with transaction_in_turn():
        row = BlockEntry.objects.select_for_update().get(pk=entry.pk)
        if row.action != "block" or row.lifted_by_id is not None:
            raise MisuseError(f"line {row.pk} of the block-list blocks nothing (any more)")
        row.lifted_by = BlockEntry.objects.create(
            action="lift", kind=row.kind, value=row.value, reason=reason, by=by, at_us=now_us
        )
        row.save(update_fields=["lifted_by"])
        enqueue("unblock", {"entry": row.pk})
    return row.lifted_by


def free(entry: BlockEntry, now_us: int, advance: Callable[[int], None] = lambda _: None) -> None:
    """Let the devices of a lifted line in again, except those that somebody or another line blocked too.

    Their certificates have ended; each renews with its factory key.
    """
    if entry.lifted_by is None:
        return
    numbers = list(matching(entry).filter(blocked=True).order_by("pk").values_list("pk", flat=True))
    for some in _pieces(numbers):
        with transaction_in_turn():
            events: list[tuple[int, Event]] = []
            rows = Device.objects.select_for_update(of=("self",)).select_related("batch").filter(pk__in=some)
            for row in rows.order_by("pk"):
                if not _is_held_otherwise(row):
                    events += _let_in(row, entry.lifted_by, now_us)
            ledger.append(events, now_us)
        advance(len(some))


def is_listed(device: Device) -> bool:
    """Whether an open line names the device: also one that was made after the line was written."""
    return bool(listed([device]))


def listed(devices: Iterable[Device]) -> set[int]:
    """Return the keys of those devices that open lines name."""
    names = {device.pk: _names(device) for device in devices}
    values = {value for named in names.values() for _, value in named}
    lines = {(kind, value) for kind, value in bulk.select(_OPEN_LINES, values)}
    return {pk for pk, named in names.items() if named & lines}


def _names(device: Device) -> set[tuple[str, str]]:
    named = {(str(BlockKind.BATCH), device.batch.number)}
    if device.public_key_hash:
        named.add((str(BlockKind.KEY), device.public_key_hash))
    if device.hardware_id:
        named.add((str(BlockKind.HARDWARE_ID), device.hardware_id))
    return named


def matching(entry: BlockEntry) -> QuerySet[Device]:
    """Return the devices that a line names."""
    match BlockKind(entry.kind):
        case BlockKind.BATCH:
            return Device.objects.filter(batch__number=entry.value)
        case BlockKind.HARDWARE_ID:
            return Device.objects.filter(hardware_id=entry.value)
        case BlockKind.KEY:
            return Device.objects.filter(public_key_hash=entry.value)


def progress_of(entry: BlockEntry) -> Progress:
    """Count how far a line is."""
    devices = matching(entry)
    return Progress(
        devices=devices.count(),
        shut_out=devices.filter(blocked=True).count(),
        finished=entry.revocations.exclude(purged_us=None).count(),
    )


def lines() -> QuerySet[BlockEntry]:
    """Return every line, newest first."""
    return BlockEntry.objects.select_related("lifted_by").order_by("-pk")


def entry_of(number: int) -> BlockEntry:
    """Return a line by its number; raise NoSuchLine."""
    entry = lines().filter(pk=number).first()
    if entry is None:
        raise NoSuchLine(f"the block-list has no line {number}", next_step="See: doorstep block list")
    return entry


def _is_held_otherwise(row: Device) -> bool:
    by_somebody = row.revocations.filter(block=None, quarantine=False, handover=False).exists()
    return by_somebody or row.standing == Standing.QUARANTINED or is_listed(row)


def _let_in(row: Device, line: BlockEntry, now_us: int) -> list[tuple[int, Event]]:
    if row.standing == Standing.BLOCKED:
        return take_step(row, StandingStep.LIFT, line.reason, by=line.by, now_us=now_us)
    row.blocked = False  # the line was lifted before its turn came
    row.generation += 1
    row.save(update_fields=["blocked", "generation"])
    return []


def _kind(kind: str) -> BlockKind:
    try:
        return BlockKind(kind)
    except ValueError:
        raise MisuseError(
            f"the block-list knows no {kind[:20]!a}", next_step=f"Use one of: {', '.join(BlockKind)}."
        ) from None


def _value(kind: str, value: str) -> str:
    match _kind(kind):
        case BlockKind.BATCH:
            if not Batch.objects.filter(number=value).exists():
                raise MisuseError(f"there is no batch {value[:40]!a}", next_step="See the list of batches.")
            return value
        case BlockKind.HARDWARE_ID:
            return parse_hardware_id(value).value
        case BlockKind.KEY:
            digits = value.replace(":", "").lower()
            if len(digits) != _FINGERPRINT_DIGITS or not set(digits) <= set("0123456789abcdef"):
                raise MisuseError("a key is named by the 64 hex digits of its SHA-256 fingerprint")
            return digits


def _pieces(numbers: list[int]) -> Iterable[list[int]]:
    return (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE))
