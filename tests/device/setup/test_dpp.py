"""The board's Easy Connect door and the configurator's shell, over real TCP."""

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from doorstep.crypto.p256 import generate
from doorstep.device.setup.dpp import DppDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import UnavailableError
from doorstep.onboarding.dpp.configuration import Configuration
from doorstep.onboarding.dpp.enrollee import Enrollee
from doorstep.onboarding.dpp.exchange import State
from doorstep.onboarding.dpp.failures import NotTheLabelsDevice
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.network import JoinFailure, NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.dpp import DppController, configure
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.wire.dpp import ActionFrame, Attribute, FrameReader, FrameType, encode_attributes, encode_frame
from tests.device.setup.looping import in_a_loop
from tests.device.setup.radio import HOME, Radio

KEY = generate(os.urandom)
LABEL = BootstrapUri(KEY.public_key)
URI = LABEL.encode()
WRONG = NetworkCredentials(b"home", b"wrong horse")


@dataclass
class Board:
    radio: Radio = field(default_factory=Radio)

    def __post_init__(self) -> None:
        self.joiner = Joiner(self.radio)
        self.door = DppDoor(KEY, "kettle", self.joiner, host="127.0.0.1", port=0)


async def give(board: Board, network: NetworkCredentials, uri: str = URI, **said: Any) -> str:
    given = await configure(uri, network, address="127.0.0.1", port=board.door.port, **said)
    return given.name


@in_a_loop
async def test_device_joins_the_network_and_hands_it_on_only_then() -> None:
    board, steps = Board(), list[Step]()
    async with board.door:
        assert await give(board, WRONG) == "kettle"
        await asyncio.sleep(0.05)
        assert board.joiner.joining.outcome is JoinFailure.WRONG_PASSWORD
        assert await give(board, HOME, tell=steps.append) == "kettle"
        onboarded = await asyncio.wait_for(board.joiner.wait_connected(), 5)
    assert onboarded.network == HOME
    assert board.radio.tried == [WRONG, HOME]
    assert steps == [Step.FOUND, Step.SECURED, Step.TRYING]


@in_a_loop
async def test_device_gets_its_registration_order_with_the_network() -> None:
    board = Board()
    order = RegistrationOrder(b"token", "https://example.org", "kettle")
    async with board.door:
        await give(board, HOME, order=order)
        assert (await board.joiner.wait_connected()).order == order


@in_a_loop
async def test_connected_device_refuses_another_network() -> None:
    board = Board()
    async with board.door:
        await give(board, HOME)
        await board.joiner.wait_connected()
        await give(board, WRONG)
        await asyncio.sleep(0.05)
    assert board.radio.tried == [HOME]


@in_a_loop
async def test_device_hangs_up_on_who_reads_another_label() -> None:
    board = Board()
    async with board.door:
        with pytest.raises(DeviceUnreachable):
            await give(board, HOME, BootstrapUri(generate(os.urandom).public_key).encode())
    assert board.radio.tried == []


@in_a_loop
async def test_configurator_says_which_device_is_silent() -> None:
    board = Board()
    async with board.door:
        port = board.door.port
    with pytest.raises(DeviceUnreachable, match=f"port {port}"):
        await configure(URI, HOME, address="127.0.0.1", port=port)


@in_a_loop
async def test_device_says_that_its_port_is_taken() -> None:
    board = Board()
    async with board.door:
        other = DppDoor(KEY, "kettle", board.joiner, host="127.0.0.1", port=board.door.port)
        with pytest.raises(UnavailableError, match="cannot listen"):
            await other.__aenter__()
        with pytest.raises(UnavailableError, match="not running"):
            _ = other.port


@in_a_loop
async def test_device_speaks_to_one_configurator_at_a_time() -> None:
    board = Board()
    async with board.door:
        reader, writer = await asyncio.open_connection("127.0.0.1", board.door.port)
        await asyncio.sleep(0.02)
        with pytest.raises(DeviceUnreachable):
            await give(board, HOME)
        writer.close()
        await asyncio.sleep(0.02)
        assert await give(board, HOME) == "kettle"
        assert await reader.read() == b""


def chirp(label: BootstrapUri) -> ActionFrame:
    name = [(Attribute.RESPONDER_KEY_HASH, label.chirp_hash)]
    return ActionFrame(FrameType.PRESENCE_ANNOUNCEMENT, encode_attributes(name))


CHIRP = chirp(LABEL)


async def relay(port: int, enrollee: Enrollee, label: BootstrapUri = LABEL) -> None:
    """Be the access point that brings a device's cries to the controller, each of them twice."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode_frame(chirp(label)) * 2)
    frames = FrameReader()
    with contextlib.suppress(OSError):
        while octets := await reader.read(4096):
            for message in frames.feed(octets):
                for answer in enrollee.receive(message).frames:
                    writer.write(encode_frame(answer))
            if enrollee.state is State.DONE:
                break
    writer.close()


@in_a_loop
async def test_controller_configures_each_device_whose_label_it_has() -> None:
    told: list[Step] = []
    waiting = DppController(
        Configuration(HOME), [LABEL], host="127.0.0.1", port=0, tell=lambda _label, step: told.append(step)
    )
    async with waiting:
        await relay(waiting.port, Enrollee(KEY, "kettle", os.urandom))
        assert (await waiting.configured(LABEL, patience=5)).name == "kettle"
        reader, writer = await asyncio.open_connection("127.0.0.1", waiting.port)
        writer.write(encode_frame(CHIRP))
        assert await reader.read() == b""  # it has its network; a second cry is not answered
        writer.close()
    assert told == [Step.FOUND, Step.SECURED, Step.TRYING]


@in_a_loop
async def test_controller_configures_twenty_devices_at_once() -> None:
    keys = [generate(os.urandom) for _ in range(20)]
    labels = [BootstrapUri(key.public_key) for key in keys]
    async with DppController(Configuration(HOME), labels, host="127.0.0.1", port=0) as waiting:
        relays = [
            relay(waiting.port, Enrollee(key, f"kettle {number}", os.urandom), label)
            for number, (key, label) in enumerate(zip(keys, labels, strict=True))
        ]
        configured = [waiting.configured(label, patience=10) for label in labels]
        enrollees = await asyncio.gather(*configured, *relays)
    assert [each.name for each in enrollees if each is not None] == [f"kettle {n}" for n in range(20)]


@in_a_loop
async def test_waiting_configurator_returns_the_device_that_asked() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = asyncio.create_task(configure(URI, HOME, port=port, patience=5))
    await asyncio.sleep(0.05)
    await relay(port, Enrollee(KEY, "kettle", os.urandom))
    assert (await given).name == "kettle"


@pytest.mark.parametrize(
    "octets",
    [
        encode_frame(ActionFrame(FrameType.CONFIGURATION_RESULT, b"")),
        encode_frame(ActionFrame(FrameType.PRESENCE_ANNOUNCEMENT, encode_attributes([]))),
        b"\xff\xff\xff\xff",
        b"",
    ],
    ids=["not a cry", "nameless cry", "no frame", "nothing"],
)
@in_a_loop
async def test_controller_hangs_up_on_strangers_and_goes_on(octets: bytes) -> None:
    async with DppController(Configuration(HOME), [LABEL], host="127.0.0.1", port=0) as waiting:
        reader, writer = await asyncio.open_connection("127.0.0.1", waiting.port)
        writer.write(octets)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await relay(waiting.port, Enrollee(KEY, "kettle", os.urandom))
        await waiting.configured(LABEL, patience=5)


@in_a_loop
async def test_controller_says_that_no_device_asked() -> None:
    async with DppController(Configuration(HOME), [LABEL], host="127.0.0.1", port=0) as waiting:
        with pytest.raises(DeviceUnreachable, match="has not asked"):
            await waiting.configured(LABEL, patience=0.01)


class Impostor(Enrollee):
    """Knows the label's text, and cries in the device's name."""

    @property
    def _own_hash(self) -> bytes:
        return LABEL.key_hash


@in_a_loop
async def test_controller_tells_of_an_impostor_and_still_serves_the_device() -> None:
    async with DppController(Configuration(HOME), [LABEL], host="127.0.0.1", port=0) as waiting:
        reader, writer = await asyncio.open_connection("127.0.0.1", waiting.port)
        writer.write(encode_frame(CHIRP))
        await reader.read(4096)
        body = encode_attributes(
            [
                (Attribute.STATUS, b"\0"),
                (Attribute.RESPONDER_KEY_HASH, bytes(32)),
                (Attribute.WRAPPED_DATA, bytes(64)),
            ]
        )
        writer.write(encode_frame(ActionFrame(FrameType.AUTHENTICATION_RESPONSE, body)))
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(NotTheLabelsDevice):
            await waiting.configured(LABEL, patience=0.01)
        await relay(waiting.port, Enrollee(KEY, "kettle", os.urandom))
        await waiting.configured(LABEL, patience=5)


@in_a_loop
async def test_controller_says_that_its_port_is_taken() -> None:
    async with DppController(Configuration(HOME), [LABEL], host="127.0.0.1", port=0) as waiting:
        other = DppController(Configuration(HOME), [LABEL], host="127.0.0.1", port=waiting.port)
        with pytest.raises(UnavailableError, match="cannot listen"):
            await other.__aenter__()
        with pytest.raises(UnavailableError, match="not running"):
            _ = other.port
