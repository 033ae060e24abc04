"""Events reach their receivers, signed, as often as it takes and no longer."""

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from doorstep.server.accounts.models import Organisation
from doorstep.server.clock import now_us
from doorstep.server.jobs.models import Job
from doorstep.server.webhooks import actions
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.models import WebhookDelivery, WebhookEndpoint
from doorstep.server.webhooks.outbox import emit
from doorstep.server.webhooks.schedule import GIVE_UP_US, MOST_ATTEMPTS
from doorstep.server.webhooks.secrets import rotate_secret
from doorstep.server.webhooks.sending import take, work_off
from doorstep.server.webhooks.signing import headers, secret_text
from tests.server.making import customer
from tests.server.webhooks.receiver import Receiver

pytestmark = pytest.mark.usefixtures("rolled_back")
DAY_US = 86_400 * 1_000_000


def _endpoint(url: str, *types: str) -> tuple[WebhookEndpoint, bytes]:
    WebhookEndpoint.objects.all().delete()
    _, organisation = customer()
    return actions.add_endpoint(organisation, url, types, "test", now_us=now_us())


def _send() -> None:
    """Do what the threads do, until nothing is due."""
    while (endpoint := take(now_us())) is not None:
        work_off(endpoint, threading.Event())


def _raise_alert(organisation: Organisation, **more: Any) -> None:
    emit(EventType.ALERT_RAISED, organisation.pk, {"device_id": "abcdefgh", **more}, now_us=now_us())


def _again(delivery: WebhookDelivery) -> WebhookDelivery:
    """Make a delivery due now, and send."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(due_us=0)
    _send()
    delivery.refresh_from_db()
    return delivery


def test_signature_is_the_specifications_example() -> None:
    """The example that the reference libraries test themselves with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_event_arrives_signed(receiver: Receiver) -> None:
    endpoint, secret = _endpoint(receiver.url)
    _raise_alert(endpoint.organisation, value=21.5)
    _send()
    [(sent, body)] = receiver.got
    said = json.loads(body)
    assert (said["type"], said["data"]) == ("alert.raised", {"device_id": "abcdefgh", "value": 21.5})
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert sent["webhook-signature"] == f"v1,{expected}"
    assert sent["content-type"] == "application/json"
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 204)
    assert delivery.event.event_id == sent["webhook-id"]


def test_only_what_was_asked_for_and_only_to_its_organisation(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url, "alert.raised")
    emit(EventType.DEVICE_HELD, endpoint.organisation_id, {}, now_us=now_us())
    emit(EventType.ALERT_RAISED, customer()[1].pk, {}, now_us=now_us())
    _send()
    assert receiver.got == []


def test_both_secrets_sign_for_a_day(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    rotate_secret(endpoint, now_us())
    _raise_alert(endpoint.organisation)
    WebhookEndpoint.objects.update(old_until_us=now_us() + DAY_US)
    _send()
    assert receiver.got[0][0]["webhook-signature"].count("v1,") == 2
    WebhookEndpoint.objects.update(old_until_us=now_us() - 1)
    _raise_alert(endpoint.organisation)
    _send()
    assert receiver.got[1][0]["webhook-signature"].count("v1,") == 1


@pytest.mark.parametrize("status", [300, 307, 400, 404, 429, 500, 503])
def test_what_failed_is_tried_again_under_the_same_id(receiver: Receiver, status: int) -> None:
    endpoint, _ = _endpoint(receiver.url)
    receiver.status = status
    _raise_alert(endpoint.organisation)
    _send()
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    assert (delivery.state, delivery.attempts, delivery.status) == ("waiting", 1, status)
    assert delivery.due_us > now_us()
    receiver.status = 200
    assert _again(delivery).state == "delivered"
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    endpoint.refresh_from_db()
    assert endpoint.failing_since_us is None


def test_delivery_is_given_up_after_three_days(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    receiver.status = 500
    _raise_alert(endpoint.organisation)
    _send()
    delivery, pauses = WebhookDelivery.objects.get(endpoint=endpoint), []
    for _ in range(MOST_ATTEMPTS - 1):
        pauses.append(delivery.due_us - (delivery.tried_us or 0))
        _again(delivery)
    assert (delivery.state, delivery.attempts) == ("failed", MOST_ATTEMPTS)
    assert pauses == sorted(pauses)
    assert 3 * DAY_US < sum(pauses) < 4 * DAY_US


def test_endpoint_that_fails_for_days_is_disabled_with_mail(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    receiver.status = 500
    _raise_alert(endpoint.organisation)
    _send()
    WebhookEndpoint.objects.update(failing_since_us=now_us() - GIVE_UP_US)
    delivery = _again(WebhookDelivery.objects.get(endpoint=endpoint))
    endpoint.refresh_from_db()
    assert (endpoint.enabled, delivery.attempts) == (False, 2)
    assert endpoint.disabled_because == "nothing worked for 5 days: it answered 500"
    mail = Job.objects.filter(kind="mail").latest("pk")
    assert f"/webhooks/{endpoint.number}/" in mail.arguments["text"]
    assert _again(delivery).attempts == 2


def test_endpoint_that_says_it_is_gone_is_disabled_at_once(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    receiver.status = 410
    _raise_alert(endpoint.organisation)
    _send()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_because) == (False, "it answered 410: it is gone")


def test_address_inside_is_not_reached_without_the_setting(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url.replace("http:", "https:"))
    _raise_alert(endpoint.organisation)
    with override_settings(DOORSTEP=replace(settings.DOORSTEP, webhooks_private=False)):
        _send()
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    assert (delivery.state, delivery.status) == ("waiting", None)
    assert "not a public address" in delivery.detail
    assert receiver.got == []


def test_nobody_listening_at_the_port_is_a_failure_like_any_other(private: None) -> None:
    endpoint, _ = _endpoint("http://127.0.0.1:1/")
    _raise_alert(endpoint.organisation)
    _send()
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    assert (delivery.state, delivery.detail[:22]) == ("waiting", "ConnectionRefusedError")


def test_event_is_replayed_under_its_id(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    _raise_alert(endpoint.organisation)
    _send()
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    actions.replay(endpoint, delivery.event.event_id, now_us())
    _send()
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    assert receiver.got[0][1] == receiver.got[1][1]


def test_replay_since_brings_what_did_not_arrive(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    began = now_us()
    _raise_alert(endpoint.organisation, n=1)
    _send()
    _raise_alert(endpoint.organisation, n=2)
    WebhookDelivery.objects.filter(state="waiting").update(state="failed", attempts=10)
    assert actions.replay_since(endpoint, began, now_us()) == 1
    _send()
    assert [json.loads(body)["data"]["n"] for _, body in receiver.got] == [1, 2]
    assert actions.replay_since(endpoint, began, now_us()) == 0


def test_endpoint_in_hand_is_nobody_elses(receiver: Receiver) -> None:
    endpoint, _ = _endpoint(receiver.url)
    _raise_alert(endpoint.organisation)
    first = take(now_us())
    assert first == endpoint
    assert take(now_us()) is None
    assert take(now_us() + 11 * 60 * 1_000_000) == endpoint


def test_turns_go_round(receiver: Receiver) -> None:
    first, _ = _endpoint(receiver.url)
    second, _ = actions.add_endpoint(first.organisation, receiver.url, (), "", now_us=now_us())
    for _ in range(2):
        _raise_alert(first.organisation)
    taken = []
    for _ in range(2):
        endpoint = take(now_us())
        assert endpoint is not None
        taken.append(endpoint.number)
        work_off(endpoint, threading.Event())
    assert taken == [first.number, second.number]
