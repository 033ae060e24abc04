"""Webhooks as somebody of their organisation may read them. Missing and foreign look alike."""

from django.db.models import QuerySet

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.webhooks.models import WebhookDelivery, WebhookEndpoint

__all__ = ["NoSuchWebhook", "deliveries_of", "endpoint_of", "endpoints_of"]


class NoSuchWebhook(RefusedError):
    """The organisation has no webhook of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no webhook {number} here", next_step="List your webhooks.")


def endpoints_of(organisation: Organisation) -> QuerySet[WebhookEndpoint]:
    """Return an organisation's webhooks by number."""
    return WebhookEndpoint.objects.filter(organisation=organisation).order_by("number")


def endpoint_of(organisation: Organisation, number: int) -> WebhookEndpoint:
    """Return one of them; raise NoSuchWebhook."""
    found = endpoints_of(organisation).filter(number=number).first()
    if found is None:
        raise NoSuchWebhook(number)
    return found


def deliveries_of(endpoint: WebhookEndpoint, state: str = "") -> QuerySet[WebhookDelivery]:
    """Return the deliveries to an endpoint, newest event first; all, or those in one state."""
    rows = endpoint.deliveries.select_related("event").order_by("-pk")
    return rows.filter(state=state) if state else rows
