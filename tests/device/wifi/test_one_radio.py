"""One radio that hops between the board's access point and the network."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi import one_radio
from doorstep.device.wifi.one_radio import OneRadio
from doorstep.errors import UnavailableError
from doorstep.onboarding.network import Joined, JoinFailure, NetworkCredentials
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire.provisioning.scan import ScanStart

HOME = NetworkCredentials(b"home", b"correct horse")
WRONG = NetworkCredentials(b"home", b"battery staple")


class Point:
    """An access point that keeps account; ``broken`` is a radio that cannot be one."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.broken = False

    async def start(self) -> None:
        self.acts.append("start")
        if self.broken:
            raise UnavailableError("the radio is no access point")

    async def stop(self) -> None:
        self.acts.append("stop")


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_radio, "GRACE_S", 0)


def made() -> tuple[OneRadio, Point, SimulatedWifi]:
    wifi, point = SimulatedWifi([SimulatedNetwork(b"home", b"correct horse")]), Point()
    return OneRadio(wifi, point), point, wifi


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_radio_returns_to_its_access_point_only_after_a_failure() -> None:
    async def main() -> None:
        radio, point, _ = made()
        async with radio.door(Joiner(radio)):
            assert await radio.try_connect(WRONG) is JoinFailure.WRONG_PASSWORD
            assert point.acts == ["start", "stop", "start"]
            assert isinstance(await radio.try_connect(HOME), Joined)
            assert point.acts == ["start", "stop", "start", "stop"]
        assert point.acts == ["start", "stop", "start", "stop"]

    run(main())


def test_access_point_tells_what_was_heard_before_it() -> None:
    async def main() -> None:
        radio, _, wifi = made()
        async with radio.door(Joiner(radio)):
            wifi.networks.clear()
            assert [entry.ssid for entry in await radio.scan(ScanStart())] == [b"home"]
        assert await radio.scan(ScanStart()) == []

    run(main())


def test_radio_on_a_network_becomes_no_access_point_before_that_is_gone() -> None:
    async def main() -> None:
        radio, point, wifi = made()
        await radio.try_connect(HOME)
        async with radio.door(Joiner(radio)):
            assert point.acts == []
            wifi.networks.clear()
            assert await radio.try_connect(HOME) is JoinFailure.NO_SUCH_NETWORK
            assert point.acts == ["start"]
        assert point.acts == ["start", "stop"]

    run(main())


def test_radio_that_is_no_access_point_says_so_and_goes_on_joining() -> None:
    async def main() -> None:
        radio, point, _ = made()
        point.broken = True
        with pytest.raises(UnavailableError):
            await radio.door(Joiner(radio)).__aenter__()
        assert await radio.try_connect(WRONG) is JoinFailure.WRONG_PASSWORD
        assert isinstance(await radio.try_connect(HOME), Joined)

    run(main())
