import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from types import TracebackType
from typing import Self

import pytest

from doorstep.device.setup import esptouch
from doorstep.device.setup.esptouch import EspTouchDoor, acknowledge
from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi import monitor
from doorstep.device.wifi.monitor import MonitorInterface
from doorstep.errors import UnavailableError
from doorstep.onboarding.esptouch.ack import Ack
from doorstep.onboarding.esptouch.v1 import encode_v1, rounds_v1
from doorstep.onboarding.esptouch.v2 import encode_v2
from doorstep.onboarding.joining import JoinState
from doorstep.onboarding.network import NetworkCredentials
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire.monitor import DataFrame
from tests.onboarding.esptouch.air import Air
from tests.onboarding.esptouch.test_v1 import BSSID, HOME, IP
from tests.wire.test_monitor import PLAIN, UP

SERVER = "https://maker.example"
MAC = b"\x02board"
KEY = bytes(16)


class Recorded:
    """A `MonitorRadio` that hears recorded frames on one channel, 10 ms of its own clock apart."""

    def __init__(self, *takes: Iterable[DataFrame], channel: int = 3) -> None:
        self.takes = deque(map(iter, takes))
        self.open = False
        self.channel = 0
        self.now = 0.0
        self._on = channel

    async def __aenter__(self) -> Self:
        assert not self.open
        self.open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open = False
        self.takes.popleft()

    async def tune(self, channel: int) -> None:
        self.channel = channel

    async def hear(self, seconds: float) -> DataFrame | None:
        assert seconds > 0
        self.now += 0.01
        await asyncio.sleep(0)
        frame = next(self.takes[0], None)
        return frame if self.channel == self._on else None


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Ack, str, int]]:
    """Acknowledgements that would have gone to the network."""
    told: list[tuple[Ack, str, int]] = []

    async def record(ack: Ack, phone: str, port: int) -> None:
        told.append((ack, phone, port))

    monkeypatch.setattr(esptouch, "acknowledge", record)
    return told


def board(radio: Recorded, key: bytes = b"") -> tuple[EspTouchDoor, Joiner]:
    joiner = Joiner(SimulatedWifi([SimulatedNetwork(HOME.ssid, HOME.passphrase)]))
    return EspTouchDoor(
        radio, joiner, mac=MAC, server=SERVER, key=key, channels=(1, 2, 3), clock=lambda: radio.now
    ), joiner


def v1(network: NetworkCredentials = HOME) -> Iterator[DataFrame]:
    return Air(loss=0.1).frames(rounds_v1(encode_v1(network, IP)))


def v2(token: bytes = b"", key: bytes = b"") -> Iterator[DataFrame]:
    return Air().frames(cycle(encode_v2(HOME, bytes, reserved=token, key=key, port=28266)))


def test_board_joins_what_is_announced_and_tells_the_sender(sent: list[tuple[Ack, str, int]]) -> None:
    async def run() -> None:
        radio = Recorded(v1())
        door, joiner = board(radio)
        async with door, asyncio.timeout(20):
            onboarded = await joiner.wait_connected()
            while not sent:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (onboarded.network.ssid, onboarded.order) == (HOME.ssid, None)
        assert not radio.open

    asyncio.run(run())
    ((ack, phone, port),) = sent
    assert (phone, port) == ("192.168.1.7", 18266)
    assert ack == Ack(len(HOME.ssid) + len(HOME.passphrase) + 9, MAC, bytes((10, 0, 0, 2)))


@pytest.mark.parametrize(
    ("token", "shown"), [(b"dst_k3j5", b"dst_k3j5"), (b"\xff\x00", b""), (b"line\n", b"")]
)
def test_board_takes_a_token_along_that_it_can_show(
    token: bytes,
    shown: bytes,
    sent: list[tuple[Ack, str, int]],
) -> None:
    async def run() -> None:
        door, joiner = board(Recorded(v2(token, KEY)), KEY)
        async with door, asyncio.timeout(20):
            order = (await joiner.wait_connected()).order
            while not sent:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (order.token if order else b"") == shown
        assert order is None or order.server == SERVER

    asyncio.run(run())
    assert sent[0][1:] == ("255.255.255.255", 28266)


def test_board_listens_again_after_a_wrong_password(sent: list[tuple[Ack, str, int]]) -> None:
    wrong = NetworkCredentials(HOME.ssid, b"wrong password", BSSID)

    async def run() -> None:
        door, joiner = board(Recorded(v1(wrong), v1()))
        async with door, asyncio.timeout(20):
            assert (await joiner.wait_connected()).network.passphrase == HOME.passphrase
            while not sent:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    asyncio.run(run())
    assert len(sent) == 1


def test_board_waits_while_another_door_joins(
    sent: list[tuple[Ack, str, int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(esptouch, "RETRY_S", 0.01)

    async def run() -> None:
        door, joiner = board(Recorded(v1(), v1()))
        joiner.joining.state = JoinState.TRYING
        async with door, asyncio.timeout(20):
            while "was not tried" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            joiner.joining.state = JoinState.IDLE
            await joiner.wait_connected()

    asyncio.run(run())


def test_board_listens_again_once_its_radio_is_back(
    sent: list[tuple[Ack, str, int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(esptouch, "RETRY_S", 0.01)

    class Flaky(Recorded):
        opened = 0

        async def __aenter__(self) -> Self:
            self.opened += 1
            if self.opened == 2:
                raise UnavailableError("no radio")
            return await super().__aenter__()

        async def hear(self, seconds: float) -> DataFrame | None:
            if self.opened == 1:
                raise UnavailableError("the radio went away")
            return await super().hear(seconds)

    async def run() -> None:
        door, joiner = board(Flaky(v1(), v1()))
        async with door, asyncio.timeout(20):
            await joiner.wait_connected()

    asyncio.run(run())
    assert "the radio went away" in caplog.text
    assert "cannot listen again yet" in caplog.text


def test_board_tells_its_log_once_of_an_announcement_that_it_does_not_take(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        radio = Recorded(v2())
        door, _ = board(radio, KEY)
        async with door, asyncio.timeout(20):
            while "in the open" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not radio.open

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())


def test_board_tells_the_phone_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esptouch, "ACK_PACE", 0.0)
    ack = Ack(30, MAC, IP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(5)
        asyncio.run(acknowledge(ack, *phone.getsockname()))
        assert [Ack.decode(phone.recv(64)) for _ in range(10)] == [ack] * 10


def test_board_minds_no_network_that_does_not_carry_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esptouch, "ACK_PACE", 0.0)
    asyncio.run(acknowledge(Ack(30, MAC, IP), "127.0.0.1", 0))


class Programs:
    """Stands for ``ip`` and ``iw``, which need a radio; the socket is a pair."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> None:
        self.ran: list[str] = []
        self._fails = fails
        monkeypatch.setattr(monitor, "run_tool", self._run)

    async def _run(self, *command: str) -> None:
        self.ran.append(" ".join(command))
        if self._fails and self._fails in self.ran[-1]:
            raise UnavailableError("no radio")


def test_interface_becomes_a_monitor_and_a_station_again(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(monkeypatch)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    async def run() -> None:
        async with MonitorInterface("wlan9", listen=lambda _: ours) as radio:
            await radio.tune(6)
            await radio.tune(6)
            theirs.send(b"rubbish")
            theirs.send(PLAIN + b"\x80\x00")
            theirs.send(PLAIN + UP)
            heard = await radio.hear(5)
            assert heard is not None
            assert heard.size == len(UP)
            assert await radio.hear(0.01) is None

    with theirs:
        asyncio.run(run())
    assert programs.ran == [
        "ip link set wlan9 down", "iw dev wlan9 set type monitor", "ip link set wlan9 up",
        "iw dev wlan9 set channel 6",
        "ip link set wlan9 down", "iw dev wlan9 set type managed", "ip link set wlan9 up",
    ]  # fmt: skip


def test_interface_says_that_it_may_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(monkeypatch)

    def refuse(_: str) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    async def run() -> None:
        async with MonitorInterface("wlan9", listen=refuse):
            raise AssertionError

    with pytest.raises(UnavailableError, match="not permitted"):
        asyncio.run(run())
    assert programs.ran[-2] == "iw dev wlan9 set type managed"


def test_interface_that_is_not_open_hears_nothing() -> None:
    with pytest.raises(UnavailableError):
        asyncio.run(MonitorInterface("wlan9").hear(1))


def test_packet_socket_of_no_interface_is_refused() -> None:
    opening: Callable[[str], socket.socket] = monitor._packet_socket
    with pytest.raises(OSError, match=r"No such device|not permitted"):
        opening("no-such-if")
