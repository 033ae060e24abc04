"""Changes to an organisation's webhooks."""

from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from doorstep.errors import MisuseError, RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.models import DeliveryState, WebhookEndpoint, WebhookEvent
from doorstep.server.webhooks.outbox import deliver, new_event_id
from doorstep.server.webhooks.secrets import new_secret
from doorstep.server.webhooks.target import Target

__all__ = ["MOST_ENDPOINTS", "add_endpoint", "change_endpoint", "replay", "replay_since", "try_endpoint"]

MOST_ENDPOINTS: Final = 20
"""Endpoints of one organisation."""
_DESCRIPTION_CAP: Final = 80
_REPLAY_CAP: Final = 10_000
"""Events that one request replays."""


def add_endpoint(
    organisation: Organisation, url: str, types: Sequence[str], description: str, *, now_us: int
) -> tuple[WebhookEndpoint, bytes]:
    """Store an endpoint and return it with its secret, shown this once; raise MisuseError or RefusedError."""
    checked = _url(url), _types(types), _description(description)
    with transaction.atomic():
        # The row of the organisation is the lock on the numbers of its endpoints.
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        known = WebhookEndpoint.objects.filter(organisation=organisation)
        if known.count() >= MOST_ENDPOINTS:
            raise RefusedError(
                f"an organisation has at most {MOST_ENDPOINTS} webhooks", next_step="Remove one of them."
            )
        number = (known.aggregate(last=Max("number"))["last"] or 0) + 1
        secret, wrapped = new_secret(organisation.pk, number)
        endpoint = WebhookEndpoint.objects.create(
            organisation=organisation,
            number=number,
            url=checked[0],
            types=checked[1],
            description=checked[2],
            secret=wrapped,
            created_us=now_us,
        )
    return endpoint, secret


def change_endpoint(
    endpoint: WebhookEndpoint, url: str, types: Sequence[str], description: str, *, enabled: bool
) -> WebhookEndpoint:
    """Change an endpoint; one that is enabled starts without the failures before. Raises MisuseError."""
    endpoint.url, endpoint.types = _url(url), _types(types)
    endpoint.description = _description(description)
    if enabled != endpoint.enabled:
        endpoint.disabled_because = "" if enabled else "switched off by hand"
        endpoint.failing_since_us = None
    endpoint.enabled = enabled
    endpoint.save(
        update_fields=["url", "types", "description", "enabled", "disabled_because", "failing_since_us"]
    )
    return endpoint


def try_endpoint(endpoint: WebhookEndpoint, now_us: int) -> WebhookEvent:
    """Queue an event for this endpoint alone, which says nothing but that somebody tries it."""
    with transaction.atomic():
        event = WebhookEvent.objects.create(
            event_id=new_event_id(),
            organisation_id=endpoint.organisation_id,
            type=EventType.WEBHOOK_TEST,
            at_us=now_us,
            payload={"webhook": endpoint.number},
        )
        deliver([event], endpoint, now_us)
    return event


def replay(endpoint: WebhookEndpoint, event_id: str, now_us: int) -> None:
    """Deliver one event once more, also one that was delivered; raise MisuseError for an unknown one."""
    event = WebhookEvent.objects.filter(organisation=endpoint.organisation_id, event_id=event_id).first()
    if event is None:
        raise MisuseError(
            f"there is no event {event_id[:40]!a}", next_step="Events are kept for thirty days. List them."
        )
    deliver([event], endpoint, now_us)


def replay_since(endpoint: WebhookEndpoint, since_us: int, now_us: int) -> int:
    """Deliver again what happened since then and did not reach the endpoint; return how many events.

    The oldest come first and at most ten thousand: ask again for more.
    """
    events = WebhookEvent.objects.filter(organisation=endpoint.organisation_id, at_us__gte=since_us)
    if endpoint.types:
        events = events.filter(type__in=endpoint.types)
    reached = endpoint.deliveries.filter(state=DeliveryState.DELIVERED).values("event")
    return deliver(events.exclude(pk__in=reached).order_by("pk")[:_REPLAY_CAP], endpoint, now_us)


def _url(url: str) -> str:
    Target.parse(url, private=settings.DOORSTEP.webhooks_private)
    return url


def _types(types: Sequence[str]) -> list[str]:
    known = {str(one) for one in EventType}
    strange = sorted(set(types) - known)
    if strange:
        raise MisuseError(
            f"there is no event type {strange[0][:40]!a}", next_step="The reference of webhooks lists them."
        )
    return sorted(set(types))


def _description(text: str) -> str:
    if len(text) > _DESCRIPTION_CAP or not text.isprintable():
        raise MisuseError(f"a description has up to {_DESCRIPTION_CAP} printable characters")
    return text
