# ruff: noqa: T201 - it talks to the test that runs it
"""Run by test_outages.py on a small file system of its own: ``full_disk.py FOLDER``."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from doorstep.broker.processes import log_file
from doorstep.broker.storage import StorageWatch
from doorstep.runtime.brokers import Broker
from doorstep.testing.devices import add_devices
from doorstep.testing.load import Loader, prepare
from doorstep.testing.plant import Plant, migrate
from tests.ingest.conftest import ROLES
from tests.ingest.tables import acknowledged, assert_exactly_once, prepared, stored
from tests.wait import until_soon


def fill(disk: Path) -> Path:
    """Leave not a page of the disk to anybody."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


async def until_still(look: Callable[[], int]) -> int:
    """Return a figure once it has not moved for a second."""
    before = -1
    while (now := look()) != before:
        before = now
        await asyncio.sleep(1)
    return now


async def scene(plant: Plant, disk: Path) -> None:
    loads = prepare(add_devices(plant, 10), 12_000, in_flight=10)
    publishing = asyncio.create_task(Loader(plant, rate=2_000).publish(loads))
    await until_soon(lambda: len(acknowledged(loads)) > 1_000)
    watch = StorageWatch(log_file(plant.state, Broker.SECURE), disk)
    watch.why_stuck(b"this run")
    filler = fill(disk)
    before = await until_still(lambda: len(acknowledged(loads)))
    print("acknowledged until the disk was full:", before)
    await asyncio.sleep(3)
    print("acknowledged while it was full:", len(acknowledged(loads)) - before)
    filler.unlink()
    # What the supervisor does.
    if await until_soon(lambda: publishing.done() or watch.why_stuck(b"this run"), seconds=30) is not True:
        await asyncio.to_thread(plant.kill, "nats-secure")
        await asyncio.to_thread(plant.start, "nats-secure")
        print("the broker was started anew")
    await publishing
    assert acknowledged(loads) == prepared(loads)
    devices = [load.device for load in loads]
    await until_soon(lambda: acknowledged(loads) <= set(stored(plant, devices)), seconds=60)
    assert_exactly_once(plant, loads)
    print("stored once:", len(acknowledged(loads)))


def main(disk: Path) -> None:
    """Fill the disk that brokers and database share, make room again, and compare what is stored."""
    with Plant.build(disk / "state") as plant:
        migrate(plant)
        plant.start(*ROLES)
        asyncio.run(scene(plant, disk))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
