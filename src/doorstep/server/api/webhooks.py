"""Webhooks: where to, how the deliveries went, and once more."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Status

from doorstep.errors import MisuseError
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import LATEST_US, Number
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.webhooks import actions
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from doorstep.server.webhooks.queries import deliveries_of, endpoint_of, endpoints_of
from doorstep.server.webhooks.secrets import rotate_secret
from doorstep.server.webhooks.signing import secret_text
from doorstep.server.webhooks.target import URL_CAP

__all__ = ["router"]

router = Router(tags=["webhooks"])

_READ = needs(
    Permission.MAKER_WEBHOOKS_READ, Permission.WHOLESALER_WEBHOOKS_READ, Permission.CUSTOMER_WEBHOOKS_READ
)
_WRITE = needs(
    Permission.MAKER_WEBHOOKS_WRITE, Permission.WHOLESALER_WEBHOOKS_WRITE, Permission.CUSTOMER_WEBHOOKS_WRITE
)


class WebhookIn(Schema, extra="forbid"):
    """Where events go."""

    url: Annotated[str, Field(min_length=1, max_length=URL_CAP)]
    """An https address on the public Internet."""
    types: Annotated[list[EventType], Field(max_length=len(EventType))] = Field(default_factory=list)
    """Types to hear; none means all."""
    description: Annotated[str, Field(max_length=80)] = ""
    """What it is for."""


class WebhookChange(WebhookIn):
    """What a webhook is to be."""

    enabled: bool = True
    """Whether events are delivered."""


class WebhookOut(Schema):
    """A webhook."""

    number: int
    """By which it is asked for."""
    url: str
    """Where events go."""
    types: list[EventType]
    """What it hears; none means all."""
    description: str
    """What it is for."""
    enabled: bool
    """Whether events are delivered."""
    disabled_because: str
    """Empty while it is enabled."""
    failing_since_us: int | None
    """When the first delivery failed since the last one that worked."""
    created_us: int
    """When it was made."""


class WebhookMade(WebhookOut):
    """A new webhook, and its signing secret, shown this once."""

    secret: str
    """Signs the deliveries, as Standard Webhooks says; it starts with ``whsec_``."""


class SecretOut(Schema):
    """A new signing secret, shown this once. For a day the one before signs, too."""

    secret: str
    """Signs the deliveries, as Standard Webhooks says; it starts with ``whsec_``."""


class WebhookPage(Page[WebhookOut]):
    """Webhooks by number."""


class DeliveryOut(Schema):
    """An event on its way to a webhook."""

    event_id: str
    """The ``webhook-id`` of every attempt."""
    type: EventType
    """Of the event."""
    at_us: int
    """When it happened."""
    data: dict[str, Any]
    """The event's data."""
    state: DeliveryState
    """How far it is."""
    attempts: int
    """How often it was tried."""
    tried_us: int | None
    """When it was last tried."""
    due_us: int | None
    """When it is tried again; null once it is not."""
    status: int | None
    """HTTP status of the last answer; null when there was none."""
    detail: str
    """Why the last attempt failed."""


class DeliveryPage(Page[DeliveryOut]):
    """Deliveries, newest event first."""


class ReplayIn(Schema, extra="forbid"):
    """What to deliver again: one event, or all since a time that did not arrive. Exactly one of the two."""

    event_id: Annotated[str, Field(max_length=40)] = ""
    """The one event."""
    since_us: Annotated[int, Field(ge=0, le=LATEST_US)] | None = None
    """What did not arrive since then."""


class ReplayOut(Schema):
    """How many deliveries were queued."""

    queued: int
    """How many deliveries."""


@router.get("/webhooks", response={200: WebhookPage}, operation_id="list_webhooks", openapi_extra=_READ)
def list_webhooks(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the organisation's webhooks."""
    return page(endpoints_of(caller_of(request).organisation), "number", _shown, cursor, limit)


@router.post("/webhooks", response={201: WebhookMade}, operation_id="add_webhook", openapi_extra=_WRITE)
def add_webhook(request: HttpRequest, wish: WebhookIn) -> Any:
    """Tell events to an address from now on; the secret in the answer signs them and is shown this once."""
    caller = caller_of(request)
    endpoint, secret = actions.add_endpoint(
        caller.organisation, wish.url, wish.types, wish.description, now_us=now_us()
    )
    return Status(201, {**_shown(endpoint), "secret": secret_text(secret)})


@router.get("/webhooks/{number}", response={200: WebhookOut}, operation_id="get_webhook", openapi_extra=_READ)
def get_webhook(request: HttpRequest, number: Number) -> Any:
    """Return one webhook."""
    return _shown(endpoint_of(caller_of(request).organisation, number))


@router.put(
    "/webhooks/{number}", response={200: WebhookOut}, operation_id="change_webhook", openapi_extra=_WRITE
)
def change_webhook(request: HttpRequest, number: Number, wish: WebhookChange) -> Any:
    """Change a webhook, or enable it again. What happened while it was disabled was not kept for it."""
    endpoint = endpoint_of(caller_of(request).organisation, number)
    return _shown(
        actions.change_endpoint(endpoint, wish.url, wish.types, wish.description, enabled=wish.enabled)
    )


@router.delete(
    "/webhooks/{number}", response={204: None}, operation_id="remove_webhook", openapi_extra=_WRITE
)
def remove_webhook(request: HttpRequest, number: Number) -> Any:
    """Remove a webhook and what waits for it."""
    endpoint_of(caller_of(request).organisation, number).delete()
    return Status(204, None)


@router.post(
    "/webhooks/{number}/secret",
    response={201: SecretOut},
    operation_id="rotate_webhook_secret",
    openapi_extra=_WRITE,
)
def new_secret(request: HttpRequest, number: Number) -> Any:
    """Give a webhook a new signing secret."""
    endpoint = endpoint_of(caller_of(request).organisation, number)
    return Status(201, {"secret": secret_text(rotate_secret(endpoint, now_us()))})


@router.post(
    "/webhooks/{number}/test", response={202: ReplayOut}, operation_id="test_webhook", openapi_extra=_WRITE
)
def test(request: HttpRequest, number: Number) -> Any:
    """Send a ``webhook.test`` event to this webhook alone."""
    actions.try_endpoint(endpoint_of(caller_of(request).organisation, number), now_us())
    return Status(202, {"queued": 1})


@router.post(
    "/webhooks/{number}/replay",
    response={202: ReplayOut},
    operation_id="replay_webhook",
    openapi_extra=_WRITE,
)
def replay(request: HttpRequest, number: Number, wish: ReplayIn) -> Any:
    """Deliver again, with the same ``webhook-id``: one event, or what did not arrive since a time."""
    endpoint = endpoint_of(caller_of(request).organisation, number)
    if bool(wish.event_id) == (wish.since_us is not None):
        raise MisuseError(
            "a replay is of one event or since one time", next_step="Give event_id or since_us, one of them."
        )
    if wish.since_us is not None:
        return Status(202, {"queued": actions.replay_since(endpoint, wish.since_us, now_us())})
    actions.replay(endpoint, wish.event_id, now_us())
    return Status(202, {"queued": 1})


@router.get(
    "/webhooks/{number}/deliveries",
    response={200: DeliveryPage},
    operation_id="list_webhook_deliveries",
    openapi_extra=_READ,
)
def list_deliveries(
    request: HttpRequest,
    number: Number,
    state: Annotated[DeliveryState | None, Query(description="How far they are.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List what was told, or waits to be told, to a webhook; all, or what is in one state."""
    endpoint = endpoint_of(caller_of(request).organisation, number)
    return page(deliveries_of(endpoint, state or ""), "-pk", _delivery, cursor, limit)


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(row, name) for name in WebhookOut.model_fields}


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "event_id": row.event.event_id,
        "type": row.event.type,
        "at_us": row.event.at_us,
        "data": row.event.payload,
        "state": row.state,
        "attempts": row.attempts,
        "tried_us": row.tried_us,
        "due_us": row.due_us if row.state == DeliveryState.WAITING else None,
        "status": row.status,
        "detail": row.detail,
    }
