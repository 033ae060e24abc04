"""`doorstep claim`: what waits, who could claim what, staff's word, and vouchers that their buyer brings."""

import json
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from click.testing import CliRunner, Result

from doorstep.cli.claim import claim
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.identity.voucher import ForSomebodyElse
from doorstep.ownership.actors import user_for
from doorstep.ownership.claims import Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.policy import BadPolicy
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import type_code
from doorstep.server.custody.actions.vouchers import bring_voucher
from doorstep.server.custody.actions.vouching import NoSuchClaim
from doorstep.server.custody.evidence import brought
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(claim, arguments, standalone_mode=False)


def _json(*arguments: str) -> Any:
    result = _run(*arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def _claimant() -> Claimant:
    user, organisation = making.customer()
    return Claimant(organisation, user, user_for(user.pk, organisation.pk))


def test_maker_sees_who_could_claim_with_what() -> None:
    key = making.product().key
    told = _json("simulate", key)
    assert [one["free"] for one in told["trials"] if one["rightful"]].count(Outcome.BOUND) == 3
    weak = _run("simulate", key, "--policy", "device_key").stdout
    assert "! A neighbour joins its set-up network: the device would become theirs." in weak
    assert isinstance(_run("simulate", key, "--policy", "order_ref").exception, BadPolicy)


def test_operator_vouches_for_what_waits() -> None:
    [device] = making.devices(policy="label_code & staff")
    type_code(_claimant(), device.code, now_us())
    number = next(one["number"] for one in _json("list") if one["serial"] == device.serial)
    assert device.serial in _run("list").stdout
    told = _json("vouch", str(number), "--reason", "Saw the invoice.")
    assert told["outcome"] == Outcome.HELD
    assert "first reports" in told["reason"]
    assert isinstance(_run("vouch", "999999", "--reason", "x").exception, NoSuchClaim)


def test_buyer_brings_a_voucher_for_many_devices(tmp_path: Path) -> None:
    made = making.devices(3, policy="device_key & voucher")
    buyer = _claimant()
    assert buyer.user
    file = tmp_path / "site.voucher"
    told = _json(
        "voucher", "--to", buyer.user.email.upper(), "--output", str(file), *(one.serial for one in made)
    )
    assert told["devices"] == 3
    roots = [making.authority().root]
    for _ in range(2):
        came = bring_voucher(buyer, file.read_bytes(), roots, now_us())
        assert [one.waits for one in came] == [True] * 3
    assert brought(made[0].row, buyer.organisation) == {Evidence.VOUCHER}
    said, _ = making.statement_of(made[0], None)
    registration = actions.register_device(said, authority=making.authority(), now_us=now_us())
    assert registration.decision is not None
    assert registration.decision.outcome is Outcome.BOUND
    assert made[0].row.owner == buyer.organisation
    with pytest.raises(ForSomebodyElse):
        bring_voucher(_claimant(), file.read_bytes(), roots, now_us())
    EmailAddress.objects.filter(user=buyer.user).update(verified=False)
    with pytest.raises(ForSomebodyElse):
        bring_voucher(buyer, file.read_bytes(), roots, now_us())
    with pytest.raises(MalformedMessage):
        bring_voucher(buyer, b"no voucher", roots, now_us())
    refused = _run("voucher", "--to", "b@example.org", "--output", str(file), made[0].serial)
    assert isinstance(refused.exception, MisuseError)
    assert isinstance(_run("voucher", "--to", "nobody", "--output", str(file), "S").exception, MisuseError)
