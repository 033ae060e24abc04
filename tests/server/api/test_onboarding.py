"""Set-up without a code over REST: what a genuine device opens, and what every attack gets."""

import base64
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey
from doorstep.crypto.x509 import Certificate
from doorstep.identity import release, statement
from doorstep.identity.statement import Purpose, Statement
from doorstep.onboarding.attestation.device import Attestor
from doorstep.onboarding.attestation.phone import Attestation
from doorstep.onboarding.attestation.phone import attest as converse
from doorstep.onboarding.attestation.transcript import NO_SESSION
from doorstep.onboarding.attestation.verdict import RESIDUAL_RISK
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.api import onboarding as routes
from doorstep.server.api.pace import SEARCHES, Pace
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.attesting import make_challenge
from doorstep.server.device_api.nonces import LIFETIME_US
from doorstep.server.fleet.actions import revoke_device
from tests.server.making import (
    MadeDevice,
    authority,
    batch_of,
    blank_devices,
    customer,
    devices,
    statement_of,
    wholesaler,
)

ClientOf = Callable[..., Client]
TRANSCRIPT = bytes(range(32))


@pytest.fixture(autouse=True)
def fresh_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "SEARCHES", Pace("searches", SEARCHES.quota))


@pytest.fixture
def somebody(client_of: ClientOf) -> tuple[Client, User, Organisation]:
    user, organisation = customer()
    return client_of(organisation), user, organisation


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(words: str) -> bytes:
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))


def challenge(client: Client) -> bytes:
    answer = client.post("/api/v1/onboarding/challenges")
    assert answer.status_code == 201
    return unpacked(answer.json()["challenge"])


def signed(
    device: MadeDevice, nonce: bytes, *, transcript: bytes = TRANSCRIPT, presence: bool = True
) -> bytes:
    said = Statement(Purpose.ATTEST, device.device_id, nonce, transcript=transcript, presence=presence)
    return statement.sign(said, device.key.sign)


def relay(client: Client, sent: bytes, transcript: bytes = TRANSCRIPT) -> Any:
    body = {"statement": text(sent), "transcript": text(transcript)}
    return client.post("/api/v1/onboarding/attestations", body, content_type="application/json")


def attested(client: Client, device: MadeDevice, **said: Any) -> Any:
    answer = relay(client, signed(device, challenge(client), **said))
    assert answer.status_code == 200, answer.content
    return answer.json()


def owned_by(device: MadeDevice, user: User, organisation: Organisation) -> None:
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    said, _ = statement_of(device, token)
    actions.register_device(said, authority=authority(), now_us=now_us())


def sold(device: MadeDevice, buyer: User | Organisation) -> None:
    to = buyer.email if isinstance(buyer, User) else buyer
    actions.record_sale(
        f"O-{os.urandom(4).hex()}", [device.serial], to, actor="operator", source="api", now_us=now_us()
    )


def keeping_codes() -> MadeDevice:
    made = blank_devices(1)
    batch = batch_of(made)
    batch.product.release_setup_code = True
    batch.product.save()
    actions.record_batch(batch, made, actor="operator", now_us=now_us())
    return made[0]


Somebody = tuple[Client, User, Organisation]


def test_platform_tells_what_it_knows_of_a_device_that_was_sold_to_you(somebody: Somebody) -> None:
    client, user, _ = somebody
    [device] = devices()
    sold(device, user)
    answer = attested(client, device)
    assert (answer["serial"], answer["sale"], answer["owner"]) == (device.serial, "yours", "nobody")
    assert answer["may_set_up"]
    assert answer["presence"]
    assert not answer["blocked"]
    assert (answer["setup_code"], answer["oob_code"]) == (None, None)
    assert answer["risk"] == RESIDUAL_RISK
    assert PublicKey.from_point(unpacked(answer["public_key"])).spki == device.public_key


def test_phone_relays_what_a_device_says(somebody: Somebody) -> None:
    """Both cores and the REST API, with nothing of the statement written by hand."""
    client, user, _ = somebody
    [device] = devices()
    sold(device, user)
    board = Attestor(device.device_id, device.key.sign, os.urandom)
    phone = converse(challenge(client), os.urandom)
    nonce = board.answer(next(phone).body, session=NO_SESSION, window=1, now=0)
    answer = board.answer(phone.send(nonce.reply).body, session=NO_SESSION, window=1, now=0)
    with pytest.raises(StopIteration) as done:
        phone.send(answer.reply)
    made: Attestation = done.value.value
    judged = relay(client, made.statement, made.transcript)
    assert (judged.status_code, judged.json()["serial"]) == (200, device.serial)
    assert judged.json()["presence"]
    assert answer.pattern == made.pattern


def test_platform_tells_dealers_stock_from_unknown_sales(somebody: Somebody) -> None:
    client, _, _ = somebody
    dealt, unsold = devices(2)
    sold(dealt, wholesaler())
    assert (attested(client, dealt)["sale"], attested(client, unsold)["sale"]) == ("wholesaler", "unknown")


def test_platform_gives_no_key_of_devices_of_others(somebody: Somebody) -> None:
    client, _, _ = somebody
    theirs, elsewhere, blocked = devices(3, policy="device_key")
    owned_by(theirs, *customer())
    sold(elsewhere, customer()[0])
    revoke_device(blocked.row, "operator", "stolen", now_us=now_us())
    for device, owner in ((theirs, "another"), (elsewhere, "nobody"), (blocked, "nobody")):
        answer = attested(client, device)
        assert (answer["owner"], answer["public_key"], answer["setup_code"]) == (owner, None, None)
        assert not answer["may_set_up"]


def test_code_is_released_where_product_says_so_and_somebody_touched_the_device(somebody: Somebody) -> None:
    client, user, organisation = somebody
    device = keeping_codes()
    assert attested(client, device, presence=False)["setup_code"] is None
    assert attested(client, device)["setup_code"] == device.setup_code
    newest = device.row.custody.order_by("-number").first()
    assert newest is not None
    assert newest.kind == "code_released"
    owned_by(device, user, organisation)
    stored = device.row.setup_code
    assert stored is not None
    assert device.setup_code.encode() not in bytes(stored)


def test_code_of_an_owned_device_is_released_to_nobody(somebody: Somebody) -> None:
    client, user, organisation = somebody
    device = keeping_codes()
    sold(device, user)
    owned_by(device, user, organisation)
    assert attested(client, device)["setup_code"] is None
    assert attested(client, device)["owner"] == "yours"


def test_codes_are_kept_only_where_the_product_says_so(rolled_back: None) -> None:
    assert devices()[0].row.setup_code is None


def test_transcript_swap_between_two_genuine_devices_is_refused(somebody: Somebody) -> None:
    client, _, _ = somebody
    here, there = devices(2)
    nonce, elsewhere = challenge(client), os.urandom(32)
    for device in (here, there):
        answer = relay(client, signed(device, nonce, transcript=elsewhere))
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:doorstep:problem/other-conversation")
    assert relay(client, signed(here, nonce)).status_code == 200


def test_attestation_replay_is_refused(somebody: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _, _ = somebody
    [device] = devices()
    sent = signed(device, challenge(client))
    assert relay(client, sent).status_code == 200
    assert relay(client, sent, os.urandom(32)).status_code == 409
    late = now_us() + LIFETIME_US + 1
    monkeypatch.setattr(routes, "now_us", lambda: late)
    answer = relay(client, sent)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doorstep:problem/challenge-refused")


def test_attestation_for_another_accounts_challenge_is_refused(
    somebody: Somebody, client_of: ClientOf
) -> None:
    client, _, organisation = somebody
    [device] = devices()
    sent = signed(device, challenge(client))
    answer = relay(client_of(customer()[1]), sent)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doorstep:problem/challenge-refused")
    assert relay(client, signed(device, make_challenge(organisation, now_us()))).status_code == 200


def test_statement_of_a_stranger_or_for_another_purpose_is_refused(somebody: Somebody) -> None:
    client, _, _ = somebody
    [device] = devices()
    nonce = challenge(client)
    said = Statement(Purpose.ATTEST, device.device_id, nonce, transcript=TRANSCRIPT, presence=True)
    forged = statement.sign(said, p256.generate(os.urandom).sign)
    unknown = statement.sign(
        Statement(Purpose.ATTEST, "zzzzzzzz", nonce, transcript=TRANSCRIPT, presence=True), device.key.sign
    )
    renewal = statement.sign(Statement(Purpose.RENEW, device.device_id, nonce), device.key.sign)
    answers = [relay(client, sent) for sent in (forged, unknown, renewal)]
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {
        (422, "urn:doorstep:problem/not-genuine")
    }
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"statement": "!", "transcript": text(TRANSCRIPT)},
        {"statement": "AAAA", "transcript": text(TRANSCRIPT)},
        {"statement": text(b"x" * 40), "transcript": text(TRANSCRIPT[:31])},
    ],
)
def test_nonsense_is_malformed(somebody: Somebody, body: dict[str, str]) -> None:
    answer = somebody[0].post("/api/v1/onboarding/attestations", body, content_type="application/json")
    assert answer.status_code == 400


def test_look_up_takes_a_serial_as_people_say_it(somebody: Somebody) -> None:
    client, user, _ = somebody
    [device] = devices()
    sold(device, user)
    for said in (
        device.serial,
        f" {device.serial.lower()[:5]} {device.serial.lower()[5:]}",
        device.device_id,
    ):
        answer = client.get("/api/v1/devices/lookup", {"serial": said})
        assert answer.status_code == 200, answer.content
        found = answer.json()
        assert (found["device_id"], found["sale"], found["owner"]) == (device.device_id, "yours", "nobody")
        assert PublicKey.from_point(unpacked(found["public_key"])).spki == device.public_key


def test_look_up_answers_alike_for_all_that_one_may_not_set_up(somebody: Somebody) -> None:
    client, _, _ = somebody
    theirs, elsewhere, blocked = devices(3, policy="device_key")
    owned_by(theirs, *customer())
    sold(elsewhere, customer()[0])
    revoke_device(blocked.row, "operator", "stolen", now_us=now_us())
    answers = []
    for name in (theirs.serial, elsewhere.serial, blocked.serial, "SN-none"):
        answer = client.get("/api/v1/devices/lookup", {"serial": name})
        answers.append((answer.status_code, answer.json()["detail"].replace(name, "NAME")))
    assert set(answers) == {(404, "there is no device 'NAME' here")}


def test_search_by_look_up_is_slowed(somebody: Somebody, client_of: ClientOf) -> None:
    client, _, _ = somebody
    statuses = [
        client.get("/api/v1/devices/lookup", {"serial": f"SN-{number}"}).status_code
        for number in range(SEARCHES.quota + 1)
    ]
    assert (set(statuses[:-1]), statuses[-1]) == ({404}, 429)
    assert client_of(customer()[1]).get("/api/v1/devices/lookup", {"serial": "x"}).status_code == 404


def test_owner_releases_the_set_up_and_the_device_takes_it(somebody: Somebody) -> None:
    client, user, organisation = somebody
    [device] = devices()
    sold(device, user)
    owned_by(device, user, organisation)
    claimed_at = now_us() // 1_000_000
    answer = client.post(f"/api/v1/devices/{device.device_id}/release-setup")
    assert answer.status_code == 201
    root = Certificate(authority().root.der)
    taken = release.verify(
        unpacked(answer.json()["release"]), root, device.device_id, claimed_at=claimed_at, at_least=claimed_at
    )
    assert taken.expires * 1_000_000 == answer.json()["expires_us"]
    newest = device.row.custody.order_by("-number").first()
    assert newest is not None
    assert (newest.kind, device.row.setup_released_us is not None) == ("setup_released", True)


def test_only_the_owner_releases_a_set_up(somebody: Somebody, client_of: ClientOf) -> None:
    client, user, organisation = somebody
    device, blocked = devices(2, policy="device_key")
    for one in (device, blocked):
        owned_by(one, user, organisation)
    revoke_device(blocked.row, "operator", "stolen", now_us=now_us())
    path = f"/api/v1/devices/{device.device_id}/release-setup"
    assert client_of(customer()[1]).post(path).status_code == 404
    assert client_of(organisation, "customer:devices:read").post(path).status_code == 403
    assert client.post(f"/api/v1/devices/{blocked.device_id}/release-setup").status_code == 409


def test_challenges_are_for_those_who_may_add_devices(client_of: ClientOf) -> None:
    client = client_of(customer()[1], "customer:devices:read")
    assert client.post("/api/v1/onboarding/challenges").status_code == 403


def test_code_at_rest_is_wrapped_for_its_device(rolled_back: None) -> None:
    device = keeping_codes()
    wrapped = bytes(device.row.setup_code or b"")
    assert settings.KEY_FILE.unwrap(wrapped, f"setup/{device.device_id}/code").decode() == device.setup_code
