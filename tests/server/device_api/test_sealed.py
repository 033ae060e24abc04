"""Sealed registration over its real plain socket, as small chips and strangers meet it."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import pytest

from doorstep.identity.ids import kid_of
from doorstep.messaging.errors import Rejected
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.registration import Reply, Request, open_reply, seal_request
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.device_api.attempts import FAILURES_A_MINUTE
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import SealedState
from doorstep.server.readings.models import DeadLetter
from tests.server.making import MadeDevice, authority, customer, devices
from tests.server.roles import free_port, running_role

pytestmark = pytest.mark.roles

CHIP = "symmetric_key"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    authority()
    port, plain = free_port(), free_port()
    ports = {"DOORSTEP_DEVICE_API_PORT": str(port), "DOORSTEP_DEVICE_API_PLAIN_PORT": str(plain)}
    with (
        running_role("device-api", "doorstep.server.device_api.app:run", **ports),
        httpx.Client(base_url=f"http://localhost:{plain}") as client,
    ):
        yield client


@dataclass
class Chip:
    """A chip with its flash, and what a listener on its wire heard."""

    made: MadeDevice
    api: httpx.Client
    flash: DeviceState = field(init=False)
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.flash = DeviceState(self.made.root_key)
        self.boot()

    def boot(self) -> None:
        loaded, self.flash = self.flash, next_boot(self.flash)
        self.sealer = DeviceSealer(kid_of(self.made.device_id), loaded)

    def seal(self, token: str | None) -> tuple[bytes, Exchange]:
        return seal_request(self.sealer, Request(token))

    def post(self, message: bytes, name: str = "") -> httpx.Response:
        url = f"/device/v1/sealed/{name or self.made.device_id}"
        answer = self.api.post(url, content=message, headers={"content-type": "application/octet-stream"})
        self.heard += [message, answer.content]
        return answer

    def register(self, token: str | None) -> Reply:
        message, exchange = self.seal(token)
        answer = self.post(message)
        assert answer.status_code == HTTPStatus.OK, answer.text
        assert answer.headers["content-type"] == "application/octet-stream"
        return open_reply(exchange, answer.content)


def sold(made: list[MadeDevice]) -> str:
    """Sell devices to a fresh customer and return a token of theirs."""
    user, organisation = customer()
    serials = [device.serial for device in made]
    actions.record_sale(serials[0], serials, user.email, actor="operator", source="api", now_us=now_us())
    return actions.make_registration_token(organisation, user, now_us=now_us())[0]


def token_of_another() -> str:
    user, organisation = customer()
    return actions.make_registration_token(organisation, user, now_us=now_us())[0]


@pytest.fixture
def chip(api: httpx.Client) -> Chip:
    return Chip(devices(identity=CHIP)[0], api)


def test_chip_registers_with_one_message_and_one_reply(chip: Chip) -> None:
    token = sold([chip.made])
    reply = chip.register(token)
    assert (reply.status, reply.problem) == ("bound", "")
    assert reply.mqtt is not None
    assert reply.mqtt.host == "localhost"
    assert abs(reply.time - now_us() / 1e6) < 5
    assert chip.made.row.life == "owned"
    assert len(chip.heard) == 2
    for plain in (token.encode(), b"bound", b"localhost"):
        assert not any(plain in heard for heard in chip.heard)


def test_chip_asks_again_and_gets_the_same_decision(chip: Chip) -> None:
    token = sold([chip.made])
    first, again, standing = chip.register(token), chip.register(token), chip.register(None)
    assert {first.status, again.status, standing.status} == {"bound"}
    chip.boot()
    assert chip.register(None).epoch == 2


def test_seal_01_replayed_request_is_refused(chip: Chip) -> None:
    """SEAL-01, BIND-06: a sniffed request is used up, at once and after later ones, and no reply repeats."""
    token = sold([chip.made])
    message, _ = chip.seal(token)
    assert chip.post(message).status_code == HTTPStatus.OK
    later = chip.seal(token)[0]
    assert chip.post(message).status_code == HTTPStatus.FORBIDDEN
    assert chip.post(later).status_code == HTTPStatus.OK
    assert {chip.post(old).status_code for old in (message, later)} == {HTTPStatus.FORBIDDEN}


def test_request_that_comes_twenty_times_at_once_is_answered_once(chip: Chip) -> None:
    """Two replies to one request would share a nonce."""
    message, _ = chip.seal(sold([chip.made]))
    with ThreadPoolExecutor(20) as threads:
        codes = list(threads.map(lambda _: chip.post(message).status_code, range(20)))
    assert codes.count(HTTPStatus.OK) == 1


def test_held_back_request_dies_with_the_next_proof(chip: Chip) -> None:
    held_back = chip.seal(sold([chip.made]))[0]
    assert chip.register(None).problem == "device-not-owned"
    assert chip.post(held_back).status_code == HTTPStatus.FORBIDDEN


def test_bind_01_request_is_worth_nothing_for_another_device(chip: Chip, api: httpx.Client) -> None:
    """BIND-01: moved to another device's address, or with the token of one's own account."""
    victim = Chip(devices(identity=CHIP)[0], api)
    message, _ = chip.seal(token_of_another())
    assert victim.post(message).status_code == HTTPStatus.FORBIDDEN
    assert victim.made.row.life == "made"


def test_bind_02_token_of_another_account_binds_nothing(chip: Chip) -> None:
    """BIND-02: the buyer's device stays the buyer's; a stranger's token only opens a dispute."""
    assert chip.register(sold([chip.made])).status == "bound"
    owner = chip.made.row.owner
    assert chip.register(token_of_another()).status == "disputed"
    assert chip.made.row.owner == owner


def test_unsold_chip_is_held(chip: Chip) -> None:
    reply = chip.register(token_of_another())
    assert (reply.status, reply.epoch, reply.mqtt) == ("held", None, None)


def test_reply_is_worth_nothing_forged_reflected_or_repeated(chip: Chip) -> None:
    token = sold([chip.made])
    message, exchange = chip.seal(token)
    reply = chip.post(message).content
    _, second = chip.seal(token)
    for sealed, asked in (
        (reply, second),
        (message, exchange),
        (os.urandom(len(reply)), exchange),
        (b"", exchange),
    ):
        with pytest.raises(Rejected):
            open_reply(asked, sealed)


def test_refusals_come_sealed_to_the_device_alone(chip: Chip, api: httpx.Client) -> None:
    other = Chip(devices(identity=CHIP)[0], api)
    token = sold([chip.made, other.made])
    assert chip.register(token).status == "bound"
    assert other.register(token).problem == "token-used"
    assert other.register("A" * 43).problem == "not-accepted"
    revoke_device(chip.made.row, "operator", "stolen", now_us=now_us())
    assert [chip.register(each).problem for each in (token, None)] == ["device-blocked"] * 2


def test_strangers_learn_nothing(chip: Chip, api: httpx.Client) -> None:
    """Unknown device, wrong key, a replay, a device that signs, garbage: one answer."""
    signing = Chip(devices()[0], api)
    used = chip.seal(None)[0]
    chip.post(used)
    answers = [
        chip.post(os.urandom(40)),
        chip.post(used),
        chip.post(used, "aaaaaaaa"),
        chip.post(b""),
        signing.post(signing.seal(sold([signing.made]))[0]),
        chip.post(seal_connect_proof(chip.sealer).encode()),
    ]
    assert {answer.status_code for answer in answers} == {HTTPStatus.FORBIDDEN}
    assert len({answer.content for answer in answers}) == 1
    assert signing.made.row.owner is None


def test_bind_01_flood_of_forgeries_locks_nobody_out(chip: Chip) -> None:
    """BIND-01, PHAN-03: the genuine chip registers at its first try, and few forgeries are recorded."""
    codes = [chip.post(os.urandom(40)).status_code for _ in range(2 * FAILURES_A_MINUTE + 1)]
    assert set(codes) == {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    assert chip.register(sold([chip.made])).status == "bound"
    noted = DeadLetter.objects.filter(device_id=chip.made.device_id, reason="registration_refused")
    assert 1 <= sum(row.count for row in noted) <= 2 * FAILURES_A_MINUTE


def test_proof_moves_the_counter_and_no_message_epoch(chip: Chip) -> None:
    chip.register(None)
    row = SealedState.objects.get(device__device_id=chip.made.device_id)
    assert (row.connect_epoch, row.connect_seq, row.epoch, row.master) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/device/v1/time", 404),
        ("POST", "/device/v1/register", 404),
        ("POST", "/device/v1/nonce", 404),
        ("GET", "/device/v1/sealed/binsypko", 405),
        ("POST", "/device/v1/sealed/NO-DEVICE", 400),
        ("POST", "/device/v1/sealed/binsypko", 400),
    ],
)
def test_plain_listener_has_one_address(api: httpx.Client, method: str, path: str, status: int) -> None:
    answer = api.request(method, path, content=bytes(257) if status == 400 else b"")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.content)["next_step"]
