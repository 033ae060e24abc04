"""Tables of webhooks: where they go, what happened, and how each delivery went."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation

__all__ = ["WebhookDelivery", "WebhookEndpoint", "WebhookEvent"]


class WebhookEndpoint(models.Model):
    """An address of an organisation's program."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="webhooks")
    number = models.PositiveIntegerField()
    """Counts the organisation's endpoints from 1."""
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=80, blank=True)
    types = models.JSONField(default=list)
    """Types that it wants to hear; none means all."""
    secret = models.BinaryField()
    """Signing secret, wrapped by the key file."""
    old_secret = models.BinaryField(null=True, blank=True)
    """The secret before, which signs too until ``old_until_us``."""
    old_until_us = models.BigIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=200, blank=True)
    failing_since_us = models.BigIntegerField(null=True, blank=True)
    """When the first delivery failed since the last one that worked."""
    busy_until_us = models.BigIntegerField(default=0)
    """A worker has it in hand until then; in the past, when one last had it."""
    created_us = models.BigIntegerField()

    class Meta:
        db_table = "webhook_endpoint"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "number"], name="one_webhook_a_number")
        ]


class WebhookEvent(models.Model):
    """Something that happened, as it is told to one organisation."""

    event_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="webhook_events")
    type = models.CharField(max_length=40)
    at_us = models.BigIntegerField()
    payload = models.JSONField()

    class Meta:
        db_table = "webhook_event"
        indexes: ClassVar = [models.Index(fields=["organisation", "at_us"], name="webhook_event_by_time")]


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting"
    """It will be tried, or tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was tried often enough."""


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_us = models.BigIntegerField()
    tried_us = models.BigIntegerField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    """HTTP status of the last answer; none when there was no answer."""
    detail = models.CharField(max_length=200, blank=True)
    """Why the last attempt failed."""

    class Meta:
        db_table = "webhook_delivery"
        indexes: ClassVar = [models.Index(fields=["state", "due_us"], name="webhook_delivery_due")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_an_event")
        ]
