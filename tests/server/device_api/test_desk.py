"""The desk answers several statements at a time, each as if it had come alone."""

import json
import os

import pytest
from django.conf import settings

from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.device_api import nonces
from doorstep.server.device_api.desk import Desk
from tests.server.making import MadeDevice, authority, customer, devices, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")

_NONCE_KEY = b"k" * 32


def _body(device: MadeDevice, token: str) -> bytes:
    nonce = nonces.make(_NONCE_KEY, device.device_id, now_us(), os.urandom)
    return statement_of(device, token, nonce=nonce)[1]


def test_device_that_comes_twice_in_a_group_is_registered_once() -> None:
    first, second = devices(2, policy="device_key & setup_session")
    user, organisation = customer()
    tokens = [actions.make_registration_token(organisation, user, now_us=now_us())[0] for _ in range(2)]
    desk = Desk(settings.DOORSTEP, authority(), _NONCE_KEY)
    bodies = [_body(first, tokens[0]), _body(second, tokens[1]), _body(first, tokens[0]), b"no statement"]
    answers = desk.register(bodies)
    assert [one.status_code for one in answers] == [200, 200, 200, 400]
    statuses = [json.loads(bytes(one.body))["status"] for one in answers]
    assert statuses[:3] == ["bound", "bound", "bound"]
    assert [one.row.ownership_period for one in (first, second)] == [1, 1]


def test_token_that_comes_twice_in_a_group_binds_one_device() -> None:
    pair = devices(2, policy="device_key & setup_session")
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    answers = Desk(settings.DOORSTEP, authority(), _NONCE_KEY).register([_body(one, token) for one in pair])
    assert [one.status_code for one in answers] == [200, 409]
    assert [one.row.owner for one in pair] == [organisation, None]
