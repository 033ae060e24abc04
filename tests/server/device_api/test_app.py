"""The device API over its real TLS socket, as devices and strangers meet it."""

import base64
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.errors import UnavailableError
from doorstep.identity import signed_time
from doorstep.identity.certificates import verify_operational
from doorstep.identity.statement import Purpose
from doorstep.runtime.settings import load
from doorstep.server.clock import from_us, now_us
from doorstep.server.custody import actions
from doorstep.server.device_api.app import run
from doorstep.server.device_api.attempts import FAILURES_A_MINUTE
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.readings.models import DeadLetter
from doorstep.server.serving import listening
from tests.server.making import MadeDevice, authority, customer, devices, statement_of
from tests.server.roles import environment, free_port, running_role

pytestmark = pytest.mark.roles


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    authority()
    port = free_port()
    trust = ssl.create_default_context(cadata=authority().root.pem.decode())
    with (
        running_role("device-api", "doorstep.server.device_api.app:run", DOORSTEP_DEVICE_API_PORT=str(port)),
        httpx.Client(base_url=f"https://localhost:{port}", verify=trust) as client,
    ):
        yield client


@pytest.fixture
def bought() -> tuple[MadeDevice, str]:
    """A device and a token of the customer who bought it."""
    [device] = devices()
    user, organisation = customer()
    actions.record_sale(
        device.device_id, [device.serial], user.email, actor="operator", source="api", now_us=now_us()
    )
    return device, actions.make_registration_token(organisation, user, now_us=now_us())[0]


def _nonce(api: httpx.Client, device: str) -> bytes:
    text = api.post("/device/v1/nonce", json={"device": device}).json()["nonce"]
    return base64.urlsafe_b64decode(text + "=")


def _post(api: httpx.Client, path: str, body: bytes) -> httpx.Response:
    return api.post(f"/device/v1/{path}", content=body, headers={"content-type": "application/cose"})


def _register(api: httpx.Client, device: MadeDevice, token: str | None, **more: object) -> httpx.Response:
    _, body = statement_of(device, token, nonce=_nonce(api, device.device_id), **more)  # type: ignore[arg-type]
    return _post(api, "register", body)


def test_device_registers_and_renews(api: httpx.Client, bought: tuple[MadeDevice, str]) -> None:
    device, token = bought
    answer = _register(api, device, token)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["sealed"]) == ("bound", {"epoch": 0})
    assert body["mqtt"]["tls"] == {"host": "localhost", "port": settings.DOORSTEP.mqtt_tls_port}
    leaf, issuer = load_chain(body["certificate"].encode())
    assert issuer == authority().operations.certificate
    assert verify_operational(leaf, issuer, now=from_us(now_us())) == device.device_id
    _, renewal = statement_of(device, None, purpose=Purpose.RENEW, nonce=_nonce(api, device.device_id))
    renewed = _post(api, "renew", renewal).json()
    assert renewed["status"] == "bound"
    assert Certificate.from_pem(load_chain(renewed["certificate"].encode())[0].pem) != leaf


def test_server_tells_its_time(api: httpx.Client) -> None:
    told = api.get("/device/v1/time").json()["time"]
    assert abs(told - now_us() / 1e6) < 5


def test_strangers_learn_nothing(api: httpx.Client, bought: tuple[MadeDevice, str]) -> None:
    """BIND-01, BIND-07: an unknown device, a wrong signature, an unknown token and none: one answer."""
    device, token = bought
    stranger = p256.generate(os.urandom)
    unknown = replace(device, device_id="aaaaaaaa")
    answers = [
        _register(api, unknown, token),
        _register(api, device, token, signer=stranger),
        _register(api, device, "A" * 43),
        _register(api, device, None),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert _register(api, device, token).json()["status"] == "bound"


def test_failures_in_a_devices_name_do_not_lock_it_out(
    api: httpx.Client, bought: tuple[MadeDevice, str]
) -> None:
    """BIND-01, PHAN-03: after a flood of forgeries the genuine device registers at its first try."""
    device, token = bought
    stranger = p256.generate(os.urandom)
    # Twice as many and one more: wherever a minute ends between them, one of the two minutes has too many.
    tries = 2 * FAILURES_A_MINUTE + 1
    flood = [_register(api, device, token, signer=stranger).status_code for _ in range(tries)]
    assert flood[0] == 403
    assert 429 in flood
    assert _register(api, device, token).json()["status"] == "bound"
    noted = DeadLetter.objects.filter(device_id=device.device_id, reason="registration_refused")
    assert 1 <= sum(row.count for row in noted) <= 2 * FAILURES_A_MINUTE


def test_bind_06_statement_with_a_foreign_nonce_is_refused(
    api: httpx.Client, bought: tuple[MadeDevice, str]
) -> None:
    """BIND-06: a nonce is worth nothing for another device, or when it was never given."""
    device, token = bought
    for nonce in (_nonce(api, "aaaaaaaa"), os.urandom(32)):
        _, body = statement_of(device, token, nonce=nonce)
        answer = _post(api, "register", body)
        assert (answer.status_code, answer.json()["type"]) == (428, "urn:doorstep:problem/nonce-expired")


def test_used_and_expired_tokens_are_named(api: httpx.Client) -> None:
    first, second = devices(2)
    user, organisation = customer()
    actions.record_sale(
        first.device_id,
        [first.serial, second.serial],
        user.email,
        actor="operator",
        source="api",
        now_us=now_us(),
    )
    token, row = actions.make_registration_token(organisation, user, now_us=now_us())
    assert _register(api, first, token).json()["status"] == "bound"
    used = _register(api, second, token)
    assert (used.status_code, used.json()["type"]) == (409, "urn:doorstep:problem/token-used")
    assert "new registration token" in used.json()["detail"]
    token, row = actions.make_registration_token(organisation, user, now_us=now_us())
    type(row).objects.filter(pk=row.pk).update(expires_at_us=now_us())
    late = _register(api, second, token)
    assert (late.status_code, late.json()["type"]) == (410, "urn:doorstep:problem/token-expired")


def test_unsold_device_is_held(api: httpx.Client) -> None:
    [device] = devices()
    user, organisation = customer()
    answer = _register(api, device, actions.make_registration_token(organisation, user, now_us=now_us())[0])
    assert (answer.status_code, answer.json()["status"]) == (200, "held")
    assert "certificate" not in answer.json()


def test_revoked_device_is_told_so(api: httpx.Client, bought: tuple[MadeDevice, str]) -> None:
    device, token = bought
    _register(api, device, token)
    revoke_device(device.row, "operator", "stolen", now_us=now_us())
    for path, purpose in (("register", Purpose.REGISTER), ("renew", Purpose.RENEW)):
        _, body = statement_of(device, token, purpose=purpose, nonce=_nonce(api, device.device_id))
        answer = _post(api, path, body)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doorstep:problem/device-blocked")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/cose"),
        (b"\xff" * 100, "application/cose"),
        (b"\x00" * 5000, "application/cose"),
        (b"{}", "application/json"),
    ],
    ids=["empty", "no-cbor", "over-cap", "wrong-type"],
)
def test_malformed_statement_is_a_problem_document(api: httpx.Client, body: bytes, kind: str) -> None:
    answer = api.post("/device/v1/register", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["next_step"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "register", 405), ("POST", "nothing", 404)])
def test_request_that_is_not_there_is_a_problem_document(
    api: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = api.request(method, f"/device/v1/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["next_step"]


@pytest.mark.parametrize("body", [b"{}", b'{"device": 1}', b'{"device": "AAAAAAAA"}', b"[", b'{"\xff": 1}'])
def test_malformed_nonce_request_is_refused(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/device/v1/nonce", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_taken_port_is_named_with_the_setting() -> None:
    port = free_port()
    with listening("127.0.0.1", port, "X"), pytest.raises(UnavailableError, match=str(port)) as caught:
        run(load(environment(DOORSTEP_DEVICE_API_PORT=str(port))))
    assert "DOORSTEP_DEVICE_API_PORT" in caught.value.next_step


def test_device_whose_clock_is_a_day_off_is_served(api: httpx.Client, bought: tuple[MadeDevice, str]) -> None:
    """What a device compares with its own clock, certificates, holds a day before and after this moment."""
    device, token = bought
    with socket.create_connection((api.base_url.host, api.base_url.port or 443)) as raw:
        context = ssl.create_default_context(cadata=authority().root.pem.decode())
        with context.wrap_socket(raw, server_hostname="localhost") as secured:
            server = Certificate(secured.getpeercert(binary_form=True) or b"")
    leaf, issuer = load_chain(_register(api, device, token).json()["certificate"].encode())
    for hours in (-23, 23):
        moment = from_us(now_us()) + timedelta(hours=hours)
        server.verify(issuer, now=moment)
        leaf.verify(issuer, now=moment)
        issuer.verify(authority().root, now=moment)


def test_board_without_a_clock_gets_a_signed_time(api: httpx.Client) -> None:
    nonce = bytes(range(32))
    text = base64.urlsafe_b64encode(nonce).rstrip(b"=").decode()
    answer = api.get("/device/v1/time", params={"nonce": text}).json()
    word = base64.urlsafe_b64decode(answer["signed"] + "==")
    second = signed_time.verify(word, [authority().root], nonce, at_least=0)
    assert abs(second - answer["time"]) <= 1
    assert "signed" not in api.get("/device/v1/time").json()


@pytest.mark.parametrize("nonce", ["", "AAAA", "?" * 30, "A" * 90])
def test_time_takes_no_bad_nonce(api: httpx.Client, nonce: str) -> None:
    assert api.get("/device/v1/time", params={"nonce": nonce}).status_code == 400


def test_platform_says_which_updates_of_its_root_there_are(api: httpx.Client) -> None:
    assert api.get("/device/v1/anchors", params={"after": 0}).json() == {"updates": []}
    for bad in ("-1", "x", "1" * 11):
        assert api.get("/device/v1/anchors", params={"after": bad}).status_code == 400


def _tried(attack: str, what: str) -> None:
    print(f"{attack}: {what}")  # noqa: T201 - the report of the attack suite


def _owner_of(device: MadeDevice) -> tuple[object, int, bool]:
    row = device.row
    return row.owner_id, row.ownership_period, row.disputed


def test_phan_01_phantom_is_not_substituted_for_a_bound_device(
    api: httpx.Client, bought: tuple[MadeDevice, str]
) -> None:
    """A phantom with the device's id and a key of its own registers in its place."""
    device, token = bought
    assert _register(api, device, token).json()["status"] == "bound"
    before = (_owner_of(device), list(device.row.credentials.values_list("fingerprint", "state")))
    thief, organisation = customer()
    theirs, _ = actions.make_registration_token(organisation, thief, now_us=now_us())
    key = p256.generate(os.urandom)
    answers = [_register(api, device, one, signer=key) for one in (theirs, token)]
    _, renewal = statement_of(
        device, None, purpose=Purpose.RENEW, nonce=_nonce(api, device.device_id), signer=key
    )
    answers.append(_post(api, "renew", renewal))
    _tried("PHAN-01", f"registered and renewed as a bound device by another key: {_codes(answers)}")
    assert set(_codes(answers)) == {403}
    assert before == (_owner_of(device), list(device.row.credentials.values_list("fingerprint", "state")))


def test_phan_02_guest_who_resets_a_device_does_not_hijack_it(
    api: httpx.Client, bought: tuple[MadeDevice, str]
) -> None:
    """Somebody who has the device for a night resets it and registers it with a token of their own."""
    device, token = bought
    _register(api, device, token)
    owner = device.row.owner_id
    guest, organisation = customer()
    theirs, _ = actions.make_registration_token(organisation, guest, now_us=now_us())
    answer = _register(api, device, theirs).json()
    _tried("PHAN-02", f"reset a device and registered it with a guest's token: {answer['status']}")
    assert (answer["status"], answer.get("certificate")) == ("disputed", None)
    assert "belongs to somebody else" in answer["reason"]
    assert _owner_of(device) == (owner, 1, True)
    _, renewal = statement_of(device, None, purpose=Purpose.RENEW, nonce=_nonce(api, device.device_id))
    assert _post(api, "renew", renewal).json()["status"] == "bound"  # for its owner it works on


def test_phan_04_device_is_not_occupied_before_it_is_sold(api: httpx.Client) -> None:
    """Somebody claims before the sale: a device that they never had, and one that they held once."""
    device, held = devices(2)
    thief, organisation = customer()
    token, _ = actions.make_registration_token(organisation, thief, now_us=now_us())
    second, _ = actions.make_registration_token(organisation, thief, now_us=now_us())
    phantom = _register(api, device, token, signer=p256.generate(os.urandom))
    answers = [phantom.status_code, _register(api, held, second).json()["status"]]
    _tried("PHAN-04", f"claimed an unsold id without its key, and an unsold device with it: {answers}")
    assert answers == [403, "held"]
    buyer, home = customer()
    actions.record_sale(
        device.device_id,
        [device.serial, held.serial],
        buyer.email,
        actor="operator",
        source="api",
        now_us=now_us(),
    )
    for one in (device, held):
        theirs, _ = actions.make_registration_token(home, buyer, now_us=now_us())
        assert _register(api, one, theirs).json()["status"] == "bound"
        assert _owner_of(one)[0] == home.pk


def test_phan_05_phantom_fetches_nothing_that_is_for_a_device(
    api: httpx.Client, bought: tuple[MadeDevice, str]
) -> None:
    """A phantom asks for firmware, settings and keys; the platform serves none without the device's proof."""
    device, _ = bought
    places = [f"{path}/{device.device_id}" for path in ("firmware", "ota", "config", "keys", "commands")]
    codes = [api.get(f"/device/v1/{place}").status_code for place in places]
    key, nonce = p256.generate(os.urandom), _nonce(api, device.device_id)
    purposes = (Purpose.RENEW, Purpose.REGISTER)
    bodies = [statement_of(device, None, purpose=one, nonce=nonce, signer=key)[1] for one in purposes]
    answers = [_post(api, path, body) for path in ("renew", "register") for body in bodies]
    _tried("PHAN-05", f"asked for firmware and keys: {codes}; renewed with a foreign key: {_codes(answers)}")
    assert set(codes) == {404}
    assert all(code >= 400 for code in _codes(answers))
    assert not any(b"CERTIFICATE" in answer.content for answer in answers)


def _codes(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]
