"""Deliver what is due: one endpoint at a time in each thread, its events in their order."""

import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, timedelta
from http.client import HTTPException
from typing import Any, Final, Self

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Exists, F, OuterRef

from doorstep.errors import DoorstepError
from doorstep.server.accounts.models import Member, Role
from doorstep.server.clock import from_us, now_us
from doorstep.server.jobs.actions import send_mail_later
from doorstep.server.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from doorstep.server.webhooks.schedule import GIVE_UP_US, next_attempt_us
from doorstep.server.webhooks.secrets import signing_secrets
from doorstep.server.webhooks.signing import headers
from doorstep.server.webhooks.target import Target

__all__ = ["Senders", "body_of", "take", "work_off"]

_THREADS: Final = 4
_IN_A_ROW: Final = 20
"""Deliveries of one endpoint before another one's turn."""
_LEASE_US: Final = 10 * 60 * 1_000_000
"""Longer than the deliveries in a row can take; whoever dies with an endpoint in hand loses it then."""
_IDLE_S: Final = 0.5
_UNCALLED_S: Final = 10.0
"""The threads that do not look for work wait so long, unless called."""
_WITHOUT_DATABASE_S: Final = 5.0
_log: Final = logging.getLogger(__name__)
_OK: Final = range(200, 300)
_GONE: Final = 410
_WAITING: Final = DeliveryState.WAITING


class Senders:
    """The threads that deliver, each with a connection of its own to the database. One looks for work."""

    def __init__(self) -> None:
        self._stop, self._more = threading.Event(), threading.Event()
        idle = [_IDLE_S] + [_UNCALLED_S] * (_THREADS - 1)
        self._threads = [threading.Thread(target=self._work, args=(one,), name="webhooks") for one in idle]

    def __enter__(self) -> Self:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the delivery in hand, and return."""
        self._stop.set()
        self._more.set()
        for thread in self._threads:
            thread.join()

    def _work(self, idle_s: float) -> None:
        while not self._stop.is_set():
            try:
                endpoint = take(now_us())
                if endpoint is not None:
                    self._more.set()
                    work_off(endpoint, self._stop)
                    continue
            except DatabaseError as error:
                _log.warning("webhooks wait: the database does not answer: %s", error)
                close_old_connections()
                self._stop.wait(_WITHOUT_DATABASE_S)
                continue
            self._more.clear()
            (self._stop if idle_s == _IDLE_S else self._more).wait(idle_s)
        connection.close()


def take(at_us: int) -> WebhookEndpoint | None:
    """Take the endpoint with due deliveries that has waited longest for its turn, if nobody has it."""
    due = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=_WAITING, due_us__lte=at_us)
    free = WebhookEndpoint.objects.filter(Exists(due), enabled=True, busy_until_us__lte=at_us)
    if not free.exists():  # the usual case costs no lock
        return None
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        endpoint = free.select_for_update(skip_locked=skip).order_by("busy_until_us", "pk").first()
        if endpoint is not None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(busy_until_us=at_us + _LEASE_US)
    return endpoint


def work_off(endpoint: WebhookEndpoint, stop: threading.Event) -> None:
    """Try what is due at an endpoint that the caller took, until something fails, and give it back."""
    try:
        for delivery in _due(endpoint, now_us()):
            if stop.is_set() or not _attempt(endpoint, delivery):
                break
    finally:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(busy_until_us=now_us())


def body_of(kind: str, at_us: int, payload: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed and sent."""
    at = from_us(at_us).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": at, "data": payload}, separators=(",", ":")).encode()


def _due(endpoint: WebhookEndpoint, at_us: int) -> list[WebhookDelivery]:
    rows = endpoint.deliveries.filter(state=_WAITING, due_us__lte=at_us)
    return list(rows.select_related("event").order_by("due_us", "pk")[:_IN_A_ROW])


def _attempt(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    """Try one delivery and keep what came of it; return whether the endpoint works."""
    event, at_us = delivery.event, now_us()
    body = body_of(event.type, event.at_us, event.payload)
    signed = headers(event.event_id, at_us // 1_000_000, body, signing_secrets(endpoint, at_us))
    status, detail = _posted(endpoint.url, body, signed)
    if status in _OK:
        _keep_success(endpoint, delivery, status)
        return True
    _keep_failure(endpoint, delivery, status, detail)
    return False


def _posted(url: str, body: bytes, signed: dict[str, str]) -> tuple[int | None, str]:
    private = settings.DOORSTEP.webhooks_private
    sent = {"content-type": "application/json", "user-agent": "Doorstep-Webhooks/1", **signed}
    try:
        status = Target.parse(url, private=private).post(body, sent, private=private)
    except DoorstepError as error:
        return None, error.message[:200]
    except (OSError, HTTPException, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"[:200]
    return status, "" if status in _OK else f"it answered {status}"


def _keep_success(endpoint: WebhookEndpoint, delivery: WebhookDelivery, status: int | None) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.DELIVERED,
        attempts=F("attempts") + 1,
        tried_us=now_us(),
        status=status,
        detail="",
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(failing_since_us=None).update(
        failing_since_us=None
    )


def _keep_failure(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, status: int | None, detail: str
) -> None:
    at_us, tries = now_us(), delivery.attempts + 1
    again_us = next_attempt_us(tries, at_us)
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state=_WAITING if again_us else DeliveryState.FAILED,
            attempts=tries,
            tried_us=at_us,
            due_us=again_us or delivery.due_us,
            status=status,
            detail="".join(one if one.isprintable() else " " for one in detail),
        )
        row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        row.failing_since_us = row.failing_since_us or at_us
        if status == _GONE:
            row.disabled_because = "it answered 410: it is gone"
        elif at_us - row.failing_since_us >= GIVE_UP_US:
            days = timedelta(microseconds=at_us - row.failing_since_us).days
            row.disabled_because = f"nothing worked for {days} days: {detail}"[:200]
        if row.enabled and row.disabled_because:
            row.enabled = False
            _tell_of_end(row)
        row.save(update_fields=["failing_since_us", "disabled_because", "enabled"])


def _tell_of_end(row: WebhookEndpoint) -> None:
    text = (
        f"Doorstep no longer sends webhooks to {row.url}: {row.disabled_because}.\n\n"
        "What happens from now on is not kept for it. Mend the address, enable it again and replay what it "
        f"missed:\n\n{settings.DOORSTEP.base_url}/webhooks/{row.number}/\n"
    )
    managers = Member.objects.filter(organisation=row.organisation_id, role__in=(Role.OWNER, Role.ADMIN))
    for address in managers.values_list("user__email", flat=True):
        send_mail_later(address, "A webhook was switched off", text)
