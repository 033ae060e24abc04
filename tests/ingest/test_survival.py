"""What dies, fills up or stands still under load loses nothing that a device was told is safe."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator

import psycopg
import pytest

from doorstep.runtime.brokers import Broker
from doorstep.testing.devices import add_devices
from doorstep.testing.load import LoadDevice, Loader, prepare
from doorstep.testing.plant import Plant
from doorstep.testing.postgres import PostgresServer
from tests.ingest.conftest import ROLES
from tests.ingest.tables import acknowledged, assert_exactly_once, prepared, stored, waits_for
from tests.plants import MakePlant
from tests.wait import until

RATE = 2_000
PAUSE_S = 1.0
KILLS = int(os.environ.get("DOORSTEP_TEST_KILLS", "4"))
VICTIMS = {
    "ingest": Broker.SECURE,
    "nats-secure": Broker.SECURE,
    "nats-plain": Broker.PLAIN,
    "authorizer": Broker.SECURE,
    "web": Broker.SECURE,
}


@pytest.fixture
def plant(database: str, make_plant: MakePlant) -> Iterator[Plant]:
    """A deployment that this test alone may break."""
    with make_plant(database) as plant:
        plant.start(*ROLES)
        yield plant


def kill_under_load(plant: Plant, role: str, times: int, broker: Broker) -> list[LoadDevice]:
    """Kill a role with SIGKILL and start it again, so often, while devices publish; return what they sent."""
    loads = prepare(add_devices(plant, 20), RATE * (4 + 4 * times), in_flight=10)
    loader = Loader(plant, broker, rate=RATE)

    async def scene() -> None:
        publishing = asyncio.create_task(loader.publish(loads))
        for _ in range(times):
            await asyncio.sleep(PAUSE_S)
            await asyncio.to_thread(plant.kill, role)
            await asyncio.to_thread(plant.start, role)
        await asyncio.sleep(PAUSE_S)
        loader.stopping = True
        await publishing

    asyncio.run(scene())
    return loads


def assert_everything_arrives(plant: Plant, loads: list[LoadDevice]) -> None:
    devices = [load.device for load in loads]
    assert acknowledged(loads)
    until(lambda: acknowledged(loads) <= set(stored(plant, devices)), seconds=60)
    assert_exactly_once(plant, loads)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", VICTIMS)
def test_kills_under_load_lose_and_double_nothing(plant: Plant, role: str) -> None:
    if role not in ROLES:
        plant.start(role)
    loads = kill_under_load(plant, role, KILLS, VICTIMS[role])
    assert len(acknowledged(loads)) > KILLS * RATE // 2
    assert_everything_arrives(plant, loads)


@pytest.mark.slow
def test_stopped_ingest_ends_in_back_pressure_and_loses_nothing(database: str, make_plant: MakePlant) -> None:
    cap = 400_000
    with make_plant(database, stream_max_bytes=cap) as plant:
        plant.start(*ROLES)
        loads = prepare(add_devices(plant, 10), 40_000, in_flight=10)
        loader = Loader(plant)

        async def scene() -> None:
            plant.send("ingest", signal.SIGSTOP)
            publishing = asyncio.create_task(loader.publish(loads))
            await asyncio.sleep(3)
            full = len(acknowledged(loads))
            await asyncio.sleep(1)
            assert 100 < full < 40_000
            assert len(acknowledged(loads)) == full, "a full broker still acknowledges"
            plant.send("ingest", signal.SIGCONT)
            await publishing

        asyncio.run(scene())
        assert acknowledged(loads) == prepared(loads)
        assert_everything_arrives(plant, loads)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_full_disk_of_the_database_loses_nothing(plant: Plant) -> None:
    """The limit of file sizes stands for the full disk: SQLite's writes fail alike."""
    loads = prepare(add_devices(plant, 10), 20_000, in_flight=10)
    nowhere = plant.state.sqlite_file.stat().st_size // 2

    async def scene() -> None:
        resource.prlimit(plant.pid("ingest"), resource.RLIMIT_FSIZE, (nowhere, resource.RLIM_INFINITY))
        publishing = asyncio.create_task(Loader(plant, rate=5_000).publish(loads))
        await asyncio.to_thread(until, lambda: waits_for(plant), seconds=20)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(plant.pid("ingest"), resource.RLIMIT_FSIZE, unlimited)
        await publishing

    asyncio.run(scene())
    assert_everything_arrives(plant, loads)
    until(lambda: not waits_for(plant))


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_database_that_hangs_up_loses_nothing(plant: Plant, postgres_server: PostgresServer) -> None:
    loads = prepare(add_devices(plant, 10), 20_000, in_flight=10)
    name = plant.settings.database_url.rpartition("/")[2]
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    async def scene() -> None:
        publishing = asyncio.create_task(Loader(plant, rate=5_000).publish(loads))
        for _ in range(8):
            await asyncio.sleep(0.4)
            with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
                admin.execute(sql, (name,))
        await publishing

    asyncio.run(scene())
    assert acknowledged(loads) == prepared(loads)
    assert_everything_arrives(plant, loads)
