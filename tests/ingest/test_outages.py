"""What the data plane needs goes away and comes back: nothing that a device was told is safe is lost."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from doorstep.testing.devices import add_devices
from doorstep.testing.load import Loader, prepare
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.postgres import PostgresServer, find_binaries, postgres_folder, serving
from tests.ingest.conftest import ROLES
from tests.ingest.tables import acknowledged, assert_exactly_once, prepared, stored, waits_for
from tests.small_disk import on_small_disk
from tests.wait import until_soon


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_full_disk_under_brokers_and_database_loses_and_doubles_nothing(tmp_path: Path) -> None:
    shown = on_small_disk(tmp_path, "40m", "tests.ingest.full_disk", seconds=140)
    assert "the broker was started anew" in shown
    assert "stored once: 12000" in shown


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(120)
def test_database_that_is_down_and_comes_back_loses_and_doubles_nothing(tmp_path: Path) -> None:
    if find_binaries() is None:
        pytest.skip("PostgreSQL server binaries (initdb, postgres) are not installed")
    with postgres_folder() as folder, ExitStack() as first:
        server = first.enter_context(serving(folder))
        chosen = {"database_url": server.url()}
        with Plant.build(tmp_path / "state", **chosen) as plant:
            migrate(plant)
            plant.start(*ROLES)
            asyncio.run(outage(plant, server, first, folder))


async def outage(plant: Plant, server: PostgresServer, first: ExitStack, folder: Path) -> None:
    loads = prepare(add_devices(plant, 10), 12_000, in_flight=10)
    devices = [load.device for load in loads]
    publishing = asyncio.create_task(Loader(plant, rate=2_000).publish(loads))
    await until_soon(lambda: len(acknowledged(loads)) > 1_000)
    await asyncio.to_thread(first.close)
    assert "PostgreSQL" in await until_soon(lambda: waits_for(plant), seconds=20)
    before = len(acknowledged(loads))
    await until_soon(lambda: len(acknowledged(loads)) > before + 1_000, seconds=20)
    with serving(folder, port=server.port):
        await publishing
        assert acknowledged(loads) == prepared(loads)
        await until_soon(lambda: acknowledged(loads) <= set(stored(plant, devices)), seconds=60)
        assert_exactly_once(plant, loads)
        await until_soon(lambda: not waits_for(plant))
        for role in reversed(ROLES):
            await asyncio.to_thread(plant.stop, role)
