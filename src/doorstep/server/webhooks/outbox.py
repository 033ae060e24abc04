"""The outbox: what happened is stored with its cause, in one transaction, and delivered after it.

Whoever changes something calls `emit`; what the ledger notes is told by itself (`follow`).
"""

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from doorstep.ownership.kinds import Kind
from doorstep.ownership.ledger import Event
from doorstep.server import bulk
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.fleet.models import Device
from doorstep.server.webhooks.events import BY_KIND, EventType
from doorstep.server.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = ["Message", "deliver", "emit", "emit_all", "follow", "new_event_id"]

_TRADE: Final = frozenset({Kind.RECEIVED, Kind.SOLD, Kind.RETURNED, Kind.CORRECTED})
"""Their details are the business of those who traded, and not of the device's later owner."""
_CONCERNED: Final = """
SELECT webhook_endpoint.id FROM webhook_endpoint
JOIN organisation ON organisation.id = webhook_endpoint.organisation_id
WHERE enabled AND (
    organisation.kind = 'maker' OR organisation.id = ANY(%s)
    OR organisation.id IN (SELECT owner_id FROM device WHERE id = ANY(%s)))"""
_ID_BYTES: Final = 15
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened, for the programs of one organisation."""

    type: EventType
    organisation: int
    """Primary key."""
    payload: Mapping[str, Any]
    """JSON; what this organisation may know."""


def emit(event_type: EventType, organisation: int, payload: Mapping[str, Any], *, now_us: int) -> None:
    """Tell an organisation's endpoints that something happened, if and when the transaction commits."""
    emit_all([Message(event_type, organisation, payload)], now_us)


def emit_all(messages: Sequence[Message], now_us: int) -> None:
    """Tell as `emit` does, with one question for all of them while nobody listens."""
    endpoints = WebhookEndpoint.objects.filter(
        enabled=True, organisation__in={one.organisation for one in messages}
    )
    _store(messages, list(endpoints), now_us)


def follow(events: Sequence[tuple[int, Event]], now_us: int) -> None:
    """Tell what the ledger just noted of devices, which come by primary key, to whom it concerns."""
    told = [(device, event) for device, event in events if event.kind in BY_KIND]
    if not told:
        return
    endpoints = _concerned(told)
    if not endpoints:
        return
    makers = {one.organisation_id for one in endpoints if one.organisation.kind == OrganisationKind.MAKER}
    devices = Device.objects.in_bulk({device for device, _ in told})
    messages = [
        message for device, event in told for message in _told(event, devices[device], makers, now_us)
    ]
    _store(messages, endpoints, now_us)


def deliver(events: Iterable[WebhookEvent], endpoint: WebhookEndpoint, now_us: int) -> int:
    """Queue events for an endpoint, those that it had before once more; return how many."""
    rows = [WebhookDelivery(endpoint=endpoint, event=one, due_us=now_us) for one in events]
    WebhookDelivery.objects.bulk_create(
        rows,
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["endpoint", "event"],
        update_fields=["state", "attempts", "due_us"],
    )
    return len(rows)


def _concerned(told: Sequence[tuple[int, Event]]) -> list[WebhookEndpoint]:
    """Return the endpoints of the maker, of the devices' owners and of whom the events name."""
    named = {event.detail["organisation"] for _, event in told if "organisation" in event.detail}
    found = bulk.select(_CONCERNED, named, {device for device, _ in told})
    if not found:
        return []
    rows = WebhookEndpoint.objects.filter(pk__in=[endpoint for (endpoint,) in found])
    return list(rows.select_related("organisation"))


def _told(event: Event, device: Device, makers: set[int], now_us: int) -> list[Message]:
    """Return what each organisation hears: its maker all, others what is about themselves."""
    about = {"device_id": device.device_id, "serial": device.serial, "at_us": now_us}
    named = event.detail.get("organisation")
    detail = {name: value for name, value in event.detail.items() if name != "organisation"}
    concerned = {one for one in (device.owner_id, named) if isinstance(one, int)}
    full, kind = {**about, **detail}, BY_KIND[event.kind]
    return [Message(kind, one, full) for one in sorted(makers)] + [
        Message(kind, one, full if named == one or (named is None and event.kind not in _TRADE) else about)
        for one in sorted(concerned - makers)
    ]


def _store(messages: Sequence[Message], endpoints: Sequence[WebhookEndpoint], now_us: int) -> None:
    if not endpoints:
        return
    heard = [(one, listening) for one in messages if (listening := _listening(one, endpoints))]
    rows = [
        WebhookEvent(
            event_id=new_event_id(),
            organisation_id=message.organisation,
            type=message.type,
            at_us=now_us,
            payload=dict(message.payload),
        )
        for message, _ in heard
    ]
    stored = WebhookEvent.objects.bulk_create(rows, batch_size=_AT_ONCE)
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(endpoint=endpoint, event=row, due_us=now_us)
            for row, (_, listening) in zip(stored, heard, strict=True)
            for endpoint in listening
        ],
        batch_size=_AT_ONCE,
    )


def _listening(message: Message, endpoints: Sequence[WebhookEndpoint]) -> list[WebhookEndpoint]:
    return [
        one
        for one in endpoints
        if one.organisation_id == message.organisation and (not one.types or message.type in one.types)
    ]


def new_event_id() -> str:
    """Return a fresh id, the ``webhook-id`` of every attempt and replay."""
    return "evt_" + base64.b32encode(os.urandom(_ID_BYTES)).decode().lower()
