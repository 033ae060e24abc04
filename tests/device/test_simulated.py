"""`doorstep.testing.device`: the real agent in a loop, switched on and off."""

import asyncio
from pathlib import Path

import pytest

from doorstep.device.life import State
from doorstep.device.store import Store
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.network import NetworkCredentials
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.conftest import MakeDevice

RADIO = SimulatedWifi([SimulatedNetwork(b"home", b"correct horse")])


def test_device_opens_its_set_up_on_a_free_port_and_closes_it(made: Provisioning, tmp_path: Path) -> None:
    async def main() -> None:
        async with SimulatedDevice(made, tmp_path / "d", RADIO) as device:
            port = await device.setup_port()
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            assert device.notices
        assert device.state is State.STOPPED
        with pytest.raises(OSError, match=r"refused|Connect"):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(main())


def test_each_switching_on_is_a_boot(made: Provisioning, tmp_path: Path) -> None:
    async def main() -> None:
        device = SimulatedDevice(made, tmp_path / "d", RADIO)
        for boots in range(1, 4):
            async with device:
                await device.reached(State.WAITING)
            assert Store(tmp_path / "d").next_epoch() == boots

    asyncio.run(main())


def test_reset_forgets_the_network_and_keeps_the_identity(made: Provisioning, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "d")
    store.keep_network(NetworkCredentials(b"gone", b"correct horse"))
    store.close()

    async def main() -> None:
        async with SimulatedDevice(made, tmp_path / "d", RADIO) as device:
            await device.reached(State.JOINING)
            await device.reset_network()
            await device.reached(State.WAITING)

    asyncio.run(main())
    kept = Store(tmp_path / "d").identity()
    assert kept is not None
    assert kept.device_id == made.device_id


def test_state_that_does_not_come_is_named(made: Provisioning, tmp_path: Path) -> None:
    async def main() -> None:
        async with SimulatedDevice(made, tmp_path / "d", RADIO) as device:
            with pytest.raises(UnavailableError, match="waits for its Wi-Fi set-up after 0 s"):
                await device.reached(State.OPERATING, timeout_s=0.1)

    asyncio.run(main())


def test_folder_of_another_device_is_refused(
    made: Provisioning, make_device: MakeDevice, tmp_path: Path
) -> None:
    store = Store.open(tmp_path / "d")
    store.adopt(make_device())
    store.close()

    async def main() -> None:
        with pytest.raises(MisuseError, match="belongs to device"):
            await SimulatedDevice(made, tmp_path / "d", RADIO).switch_on()
        Store.open(tmp_path / "d").close()

    asyncio.run(main())
