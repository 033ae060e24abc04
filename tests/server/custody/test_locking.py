"""Rows for registrations: few columns, every instance as good as one that the ORM made."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from doorstep.server import bulk
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import make_registration_token
from doorstep.server.custody.actions.locking import locked_devices, locked_tokens
from doorstep.server.custody.actions.registration import Request, register_devices
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Device
from tests.server.making import authority, customer, devices, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")

_USED = datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("used", [None, _USED, _USED + timedelta(microseconds=456)])
def test_locked_device_is_the_stored_one(used: datetime | None) -> None:
    made = devices(2)[0]
    Device.objects.filter(device_id=made.device_id).update(claim_code_used_at=used)
    with transaction.atomic():
        [device] = locked_devices([made.device_id])
    stored = Device.objects.select_related("product", "batch", "sealed").get(device_id=made.device_id)
    names = [one.attname for one in Device._meta.concrete_fields]
    assert {name: getattr(device, name) for name in names} == {name: getattr(stored, name) for name in names}
    assert device.product.claim_policy == stored.product.claim_policy
    assert device.batch.number == stored.batch.number
    assert bytes(device.sealed.root) == bytes(stored.sealed.root)


def test_locked_token_is_the_stored_one() -> None:
    user, organisation = customer()
    make_registration_token(organisation, user, now_us=now_us())
    stored = RegistrationToken.objects.order_by("-pk")[0]
    with transaction.atomic():
        [token] = locked_tokens([bytes(stored.token_hash)])
    assert (token.pk, token.organisation, token.created_by) == (stored.pk, organisation, user)
    assert token.organisation.name == organisation.name
    assert token.expires_at_us == stored.expires_at_us


def test_group_of_registrations_asks_no_more_than_one() -> None:
    user, organisation = customer()
    asked = []
    for count in (1, 4):
        made = devices(count, policy="device_key & setup_session")
        tokens = [make_registration_token(organisation, user, now_us=now_us())[0] for _ in made]
        requests = [
            Request.prepare(statement_of(*one)[0], authority(), now_us())
            for one in zip(made, tokens, strict=True)
        ]
        with CaptureQueriesContext(connection) as seen:
            register_devices(requests, now_us())
        asked.append(sum(one["sql"].startswith("SELECT") for one in seen))
    assert asked[0] == asked[1]


def test_query_for_an_empty_set_finds_nothing() -> None:
    devices()
    assert bulk.select("SELECT id FROM device WHERE id = ANY(%s) AND serial = ANY(%s)", [], ["x"]) == []
