"""PROV-01, PROV-03, BIND-07 at the device API's desk: what one device's secrets are worth elsewhere."""

import json
import os

import pytest
from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.x509 import load_chain
from doorstep.identity.ids import DeviceIdTaken
from doorstep.identity.statement import Purpose
from doorstep.ownership.actors import user_for
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.requests import open_request
from doorstep.server.device_api import nonces
from doorstep.server.device_api.desk import Desk
from doorstep.server.fleet.models import Device
from tests.server.making import (
    MadeDevice,
    authority,
    batch_of,
    blank_devices,
    customer,
    devices,
    statement_of,
)

pytestmark = pytest.mark.usefixtures("rolled_back")

_NONCE_KEY = b"k" * 32


def _desk() -> Desk:
    return Desk(settings.DOORSTEP, authority(), _NONCE_KEY)


def _nonce(device: MadeDevice) -> bytes:
    return nonces.make(_NONCE_KEY, device.device_id, now_us(), os.urandom)


def _bound(device: MadeDevice) -> str:
    """Register a device for a new customer; return its certificate chain."""
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    _, body = statement_of(device, token, nonce=_nonce(device))
    [answer] = _desk().register([body])
    chain: str = json.loads(bytes(answer.body))["certificate"]
    return chain


def test_prov_01_secrets_of_one_device_fetch_nothing_of_another() -> None:
    """PROV-01: an extracted factory key signs in the victim's name, to register and to renew: one refusal."""
    victim, extracted = devices(2, policy="device_key & setup_session")
    _bound(victim)
    before = victim.row.credentials.count()
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    _, claim = statement_of(victim, token, nonce=_nonce(victim), signer=extracted.key)
    _, renewal = statement_of(victim, None, purpose=Purpose.RENEW, nonce=_nonce(victim), signer=extracted.key)
    answers = [_desk().register([claim])[0], _desk().renew(renewal)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({bytes(answer.body) for answer in answers}) == 1
    assert victim.row.credentials.count() == before
    assert not victim.row.disputed


def test_prov_01_even_the_genuine_key_fetches_no_certificate_that_was_given_before() -> None:
    """PROV-01: a copy of the device gets a certificate for a key of its own, never the one that is out."""
    [device] = devices(policy="device_key & setup_session")
    out = load_chain(_bound(device).encode())[0]
    key = p256.generate(os.urandom)
    _, renewal = statement_of(device, None, purpose=Purpose.RENEW, nonce=_nonce(device), operational=key)
    told = json.loads(bytes(_desk().renew(renewal).body))
    fresh = load_chain(told["certificate"].encode())[0]
    assert fresh.public_key == key.public_key
    assert fresh.public_key != out.public_key


def test_prov_03_batch_that_was_recorded_before_is_refused_whole() -> None:
    """PROV-03: the same devices again, and one known id among new ones: nothing is stored."""
    made = devices(2)
    entries = ledger.count()
    fresh = blank_devices(1)
    for again in (made, [*fresh, made[0]]):
        batch = batch_of(again)
        with pytest.raises(DeviceIdTaken):
            actions.record_batch(batch, again, actor="operator", now_us=now_us())
    assert ledger.count() == entries
    assert not Device.objects.filter(device_id=fresh[0].device_id).exists()


def test_bind_07_neighbour_in_the_set_up_window_gets_nothing() -> None:
    """BIND-07: online, unbound, its serial known: without the token of that session the owner comes first."""
    [device] = devices(policy="device_key & setup_session")
    neighbour, other = customer()
    open_request(Claimant(other, neighbour, user_for(neighbour.pk, other.pk)), device.serial, now_us())
    actions.make_registration_token(other, neighbour, now_us=now_us())  # never reaches the device
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    _, body = statement_of(device, token, nonce=_nonce(device))
    assert _desk().register([body])[0].status_code == 200
    assert (device.row.owner, device.row.disputed) == (organisation, False)
