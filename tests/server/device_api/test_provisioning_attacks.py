"""PROV-01, PROV-03, BIND-07 at the device API's desk: what one device's secrets are worth elsewhere."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from doorstep.cli.platform_batch import factory
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
from doorstep.server.fleet.models import Batch, Device
from tests.identity.manifests import ChipMaker, manifest_of
from tests.server.making import (
    MadeDevice,
    authority,
    batch_of,
    blank_devices,
    customer,
    devices,
    product,
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


_MAKER, _STRANGER = ChipMaker(), ChipMaker(0x61)


def _batch_of_elements(folder: Path, key: str, entries: list[dict[str, Any]]) -> Result:
    """Make a batch as the operator does; ``folder`` gets the files."""
    folder.mkdir()
    (folder / "manifest.json").write_bytes(manifest_of(entries))
    (folder / "signers.pem").write_bytes(_MAKER.bundle)
    files = ["--manifest", str(folder / "manifest.json"), "--signers", str(folder / "signers.pem")]
    return CliRunner().invoke(
        factory, ["batch", "--product", key, *files, "--out", str(folder / "batch"), "--yes", "--json"]
    )


def _other_x5c(payload: dict[str, Any]) -> None:
    """Put the certificates of another chip maker beside the key."""
    keys = _STRANGER.payload(_STRANGER.chip(2))["publicKeySet"]["keys"]
    payload["publicKeySet"]["keys"][0]["x5c"] = keys[0]["x5c"]


def test_prov_03_manifest_is_refused_row_by_row(tmp_path: Path) -> None:
    """PROV-03: foreign signer, altered x5c, repeated and replayed elements: only the good rows are made."""
    key = product("device_key & setup_session", identity="secure_element").key
    chips = [_MAKER.chip(number) for number in range(1, 5)]
    good = [_MAKER.entry(chip) for chip in chips]
    first = _batch_of_elements(tmp_path / "first", key, good[:1])
    assert first.exception is None, first.output
    entries = [
        good[0],  # replayed: made before
        _MAKER.entry(chips[1], signer=_STRANGER.log),
        _MAKER.entry(chips[1], payload=_other_x5c),
        good[3] | {"payload": good[2]["payload"]},
        good[2],
        good[2],  # repeated
        good[3],
    ]
    told = json.loads(_batch_of_elements(tmp_path / "second", key, entries).stdout)
    assert [row["entry"] for row in told["refused_rows"]] == [1, 2, 3, 4, 6]
    made = Device.objects.filter(product__key=key).order_by("id")
    assert [row.hardware_id for row in made] == [chips[at].unique_id.upper() for at in (0, 2, 3)]
    assert told["made"] == 2


def test_prov_03_manifest_without_a_good_row_makes_nothing(tmp_path: Path) -> None:
    """PROV-03: a manifest replayed whole leaves no batch behind."""
    key = product(identity="secure_element").key
    entries = [_MAKER.entry(_MAKER.chip(1))]
    assert _batch_of_elements(tmp_path / "first", key, entries).exception is None
    again = _batch_of_elements(tmp_path / "again", key, entries)
    assert "0 good rows" in str(again.exception)
    assert Batch.objects.filter(product__key=key).count() == 1
    assert not (tmp_path / "again" / "batch").exists()


def test_device_of_a_manifest_registers_by_the_key_in_its_element(tmp_path: Path) -> None:
    key = product("device_key & setup_session", identity="secure_element").key
    chip = _MAKER.chip(1)
    _batch_of_elements(tmp_path / "batch", key, [_MAKER.entry(chip)])
    row = Device.objects.get(hardware_id=chip.unique_id.upper())
    device = replace(blank_devices(1)[0], device_id=row.device_id, serial=row.serial, key=chip.key)
    assert _bound(device)
    stranger = replace(device, key=p256.generate(os.urandom))
    _, renewal = statement_of(stranger, None, purpose=Purpose.RENEW, nonce=_nonce(stranger))
    assert _desk().renew(renewal).status_code == 403


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
