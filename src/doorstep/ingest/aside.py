"""What devices say beside readings: answers to commands, state, events. Rare, so off the hot path."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from doorstep.errors import MalformedMessage
from doorstep.messaging.channels import MAX_VERSION, SETTINGS_VERSION
from doorstep.messaging.command import Acknowledgement, Outcome
from doorstep.messaging.delivery import Delivery, advance, answered, movable
from doorstep.runtime.database import Connection
from doorstep.wire import senml

__all__ = ["DATA", "Answer", "Aside", "Event", "Place", "Report", "read", "write"]

DATA: Final = "data"
"""The one channel that does not come here."""

_CLOSE: Final = (
    "UPDATE downlink SET state = ?, closed_us = ?, detail = ?, body = ?"
    " WHERE device_id = ? AND command_id = ? AND state IN (%s)"
)
_REPORT: Final = (
    "INSERT INTO device_reported (device_id, epoch, seq, received_us, ownership_period, version, payload)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET epoch = excluded.epoch,"
    " seq = excluded.seq, received_us = excluded.received_us, ownership_period = excluded.ownership_period,"
    " version = excluded.version, payload = excluded.payload"
    " WHERE (excluded.epoch, excluded.seq) > (device_reported.epoch, device_reported.seq)"
)
_EVENT: Final = (
    "INSERT INTO device_event (device_id, epoch, seq, received_us, ownership_period, payload)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class Answer(NamedTuple):
    """A device's word on a command."""

    device: int
    command_id: str
    outcome: Outcome
    detail: bytes
    received_us: int


class Report(NamedTuple):
    """A row of the table ``device_reported``."""

    device: int
    epoch: int
    sequence: int
    received_us: int
    ownership_period: int
    version: int | None
    payload: bytes


class Event(NamedTuple):
    """A row of the table ``device_event``."""

    device: int
    epoch: int
    sequence: int
    received_us: int
    ownership_period: int
    payload: bytes


Aside = Answer | Report | Event


class Place(NamedTuple):
    """Where a message stands."""

    device: int
    epoch: int
    sequence: int
    received_us: int
    ownership_period: int


def read(channel: str, place: Place, plaintext: bytes) -> tuple[Aside, int]:
    """Return what a message of such a channel is, and how many readings it holds; raises MalformedMessage."""
    if channel == "ack":
        ack = Acknowledgement.decode(plaintext)
        return Answer(place.device, ack.command_id.hex(), ack.outcome, ack.detail, place.received_us), 0
    readings = senml.decode(plaintext)
    if channel == "event":
        return Event(*place, plaintext), len(readings)
    if channel == "state":
        return Report(*place, _version(readings), plaintext), len(readings)
    raise MalformedMessage(f"nothing is sent on channel up/{channel}")


def write(connection: Connection, asides: Sequence[Aside]) -> None:
    """Store them inside the caller's transaction; what came before changes nothing."""
    for aside in asides:
        match aside:
            case Answer():
                _close(connection, aside)
            case Report():
                connection.query(_REPORT, aside)
            case Event():
                connection.query(_EVENT, aside)


def _close(connection: Connection, answer: Answer) -> None:
    """Close the command; a repeat, or an answer to somebody else's command, finds no row."""
    event = answered(answer.outcome)
    by_target: dict[Delivery, list[Delivery]] = {}
    for state in movable(event):
        by_target.setdefault(advance(state, event), []).append(state)
    for target, states in by_target.items():
        row = (target, answer.received_us, answer.detail, b"", answer.device, answer.command_id, *states)
        connection.query(_CLOSE % ", ".join("?" * len(states)), row)


def _version(readings: Sequence[senml.Reading]) -> int | None:
    """Return the version of the settings that a device says it has applied."""
    for reading in readings:
        if reading.name == SETTINGS_VERSION and isinstance(reading.value, float):
            return int(reading.value) if 0 <= reading.value <= MAX_VERSION else None
    return None
