"""Measures the whole path of messages: devices over mTLS, broker, worker, database, on this machine."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats

from doorstep.broker.streams import request
from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat
from doorstep.runtime.brokers import STREAM, Broker, User, link
from doorstep.runtime.loop import run_loop
from doorstep.testing.devices import add_devices
from doorstep.testing.load import LoadDevice, Loader, prepare
from doorstep.testing.open_bench import median_open_us
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.postgres import running_postgres

__all__ = ["IngestBench", "IngestFigures", "run_ingest_bench"]

_POLL_S: Final = 0.005
_PATIENCE_S: Final = 120.0
_SEALED: Final = "ingest"
_NULL: Final = "null-ingest"


@dataclass(frozen=True, slots=True)
class IngestBench:
    """What to run."""

    devices: int
    messages: int
    """In each round."""
    readings_per_message: int
    in_flight: int
    """Publishes that a device sends before it waits for their acknowledgements."""
    database: str
    """``sqlite`` or ``postgresql``."""
    rounds: int


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """What was measured; medians over the rounds, sums for what was lost or doubled."""

    messages_per_s: float
    readings_per_s: float
    worker_us_per_message: float
    open_us_median: float
    """Verifying and decrypting one message, each timed by itself."""
    ratio_to_no_crypto_no_store: float
    lost: int
    duplicated: int


@dataclass(frozen=True, slots=True)
class _Pass:
    """One time through the path."""

    messages_per_s: float
    worker_us: float


def run_ingest_bench(bench: IngestBench, tell: Callable[[str], None]) -> IngestFigures:
    """Run all rounds, each with the real and with the null worker; ``tell`` says what is on."""
    with ExitStack() as stack:
        tell("making tables and devices")
        plant = stack.enter_context(_plant(bench))
        devices = add_devices(plant, bench.devices)
        plant.start("nats-secure", "nats-plain", "authorizer")
        passes: dict[str, list[_Pass]] = {_SEALED: [], _NULL: []}
        lost = duplicated = 0
        for number in range(bench.rounds):
            tell(f"round {number + 1}: sealing")
            loads = prepare(
                devices, bench.messages, in_flight=bench.in_flight, readings=bench.readings_per_message
            )
            # Alternating, so that a machine that slows down slows both.
            for role in (_SEALED, _NULL) if number % 2 else (_NULL, _SEALED):
                tell(f"round {number + 1}: {role}")
                passes[role].append(_measure(plant, role, loads))
            missing, doubled = _compare(plant, loads)
            lost, duplicated = lost + missing, duplicated + doubled
    return _figures(bench, passes, lost, duplicated)


@contextmanager
def _plant(bench: IngestBench) -> Iterator[Plant]:
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorstep-bench-")))
        chosen: dict[str, object] = {}
        if bench.database == "postgresql":
            server = stack.enter_context(running_postgres())
            chosen["database_url"] = stack.enter_context(server.database())
        plant = stack.enter_context(Plant.build(root / "state", **chosen))
        migrate(plant)
        yield plant


def _measure(plant: Plant, role: str, loads: Sequence[LoadDevice]) -> _Pass:
    for load in loads:
        load.at = 0
        load.acknowledged.clear()
    plant.start(role)
    before = _cpu_s(plant)
    took: list[float] = []

    async def scene() -> None:
        loader = Loader(plant)
        lanes = await loader.open(loads)
        started = time.perf_counter()
        await loader.publish(loads, lanes)
        await _until_drained(plant)
        took.append(time.perf_counter() - started)

    run_loop(scene())
    count = sum(len(ids) for load in loads for ids, _ in load.chunks)
    used = _cpu_s(plant) - before
    plant.stop(role)
    return _Pass(count / took[0], used / count * 1e6)


async def _until_drained(plant: Plant) -> None:
    """Wait until the broker holds nothing: a message goes when the worker acknowledges what it stored."""
    to = link(plant.settings, plant.key_file, Broker.SECURE, User.INGEST)
    client = await nats.connect(to.address, user=to.user, password=to.password)
    deadline = time.monotonic() + _PATIENCE_S
    try:
        while (await request(client, f"STREAM.INFO.{STREAM}"))["state"]["messages"]:
            if time.monotonic() > deadline:
                raise UnavailableError(f"ingest does not finish: {plant.log(_SEALED)[-1000:]}")
            await asyncio.sleep(_POLL_S)
    finally:
        await client.close()


def _cpu_s(plant: Plant) -> float:
    """Return the worker's processor time at its next heartbeat."""
    asked, deadline = time.time(), time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        pulse = heartbeat.read(plant.state, "ingest")
        if pulse is not None and pulse.at > asked:
            return float(pulse.figures["cpu_s"])
        time.sleep(_POLL_S)
    raise UnavailableError("the worker's heartbeat stopped", next_step="See its log in the state folder.")


def _compare(plant: Plant, loads: Sequence[LoadDevice]) -> tuple[int, int]:
    """Return how many acknowledged messages of this round are missing and how many are there twice."""
    epochs = {load.device.row: {ids[0][1] for ids, _ in load.chunks} for load in loads}
    connection = plant.connect()
    try:
        rows = connection.query("SELECT device_id, epoch, seq FROM message")
    finally:
        connection.close()
    mine = [row for row in rows if row[1] in epochs.get(row[0], ())]
    acknowledged = {number for load in loads for number in load.acknowledged}
    return len(acknowledged - set(mine)), len(mine) - len(set(mine))


def _figures(bench: IngestBench, passes: dict[str, list[_Pass]], lost: int, duplicated: int) -> IngestFigures:
    rate = statistics.median(p.messages_per_s for p in passes[_SEALED])
    # The two passes of a round ran one after the other, so what the machine did meanwhile cancels out.
    rounds = zip(passes[_SEALED], passes[_NULL], strict=True)
    ratio = statistics.median(real.messages_per_s / null.messages_per_s for real, null in rounds)
    return IngestFigures(
        messages_per_s=round(rate),
        readings_per_s=round(rate * bench.readings_per_message),
        worker_us_per_message=round(statistics.median(p.worker_us for p in passes[_SEALED]), 2),
        open_us_median=round(median_open_us(bench.readings_per_message), 2),
        ratio_to_no_crypto_no_store=round(ratio, 3),
        lost=lost,
        duplicated=duplicated,
    )
