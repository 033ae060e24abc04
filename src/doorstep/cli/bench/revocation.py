"""``doorstep bench revocation``: devices that are revoked while they flood."""

import asyncio
import dataclasses
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import click
import nats
from rich.console import Console
from rich.table import Table

from doorstep.broker.streams import request
from doorstep.cli.progress import bar
from doorstep.errors import UnavailableError
from doorstep.ownership.actors import OPERATOR
from doorstep.runtime.brokers import STREAM, Broker, User, link
from doorstep.server.setup import migrate
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.load import Loader, prepare
from doorstep.testing.plant import Plant

__all__ = ["RevocationFigures", "revocation"]

_FLOOD_S: Final = 3.0
"""Messages are sealed for so long a flood; the click comes a good half second after its first message."""
_BEFORE_S: Final = 0.6
_AFTER_S: Final = 0.3
_IN_FLIGHT: Final = 20
_PATIENCE_S: Final = 30.0
_LOOK_S: Final = 0.01

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RevocationFigures:
    """What was measured; times in milliseconds after the click."""

    rounds: int
    flood_per_s: float
    """Acknowledged messages a second before the click, the slowest round."""
    last_accepted_max_ms: float
    """The last moment at which a message was, or could have been, accepted."""
    last_accepted_median_ms: float
    kicked_max_ms: float
    purged_max_ms: float
    accepted_later: int
    """Messages that were stored after that moment, in all rounds: must be none."""
    left_in_queue: int
    """Messages of the device that the broker still has when the revocation says that it is finished."""
    refused: int
    """Messages and log-ins of the revoked devices that were dead-lettered."""


@dataclass(frozen=True, slots=True)
class _Round:
    flood_per_s: float
    last_ms: float
    kicked_ms: float
    purged_ms: float
    later: int
    left: int
    refused: int


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True, help="Devices to revoke.")
@click.option("--rate", type=click.IntRange(1), default=2000, show_default=True, help="Messages a second.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def revocation(*, rounds: int, rate: int, as_json: bool) -> None:
    """Revoke devices while they flood: how long after the click the last message was accepted.

    Brokers, database and devices are made for this run in a temporary folder. Each round floods with one
    device over mTLS, revokes it by the action behind the portal's button, and compares the tables with the
    click until nothing of it is on its way any more.
    """
    done = []
    with (
        tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder,
        Plant.build(Path(folder) / "state") as plant,
        bar("revoking", rounds, hidden=as_json) as advance,
    ):
        os.environ.update(plant.environment)
        migrate()
        plant.start("nats-secure", "nats-plain", "authorizer", "ingest")
        for device in add_devices(plant, rounds):
            done.append(asyncio.run(_Scene(plant, device, rate).play()))
            advance(1)
    _show(_figures(done), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Scene:
    plant: Plant
    device: TestDevice
    rate: int

    async def play(self) -> _Round:
        loads = prepare([self.device], round(self.rate * _FLOOD_S), in_flight=_IN_FLIGHT)
        loader = Loader(self.plant, rate=float(self.rate))
        lanes = await loader.open(loads)
        # The database wants one thread for its connection.
        with ThreadPoolExecutor(1) as thread:

            async def ask(what: Callable[[], _T]) -> _T:
                return await asyncio.get_running_loop().run_in_executor(thread, what)

            flooding = asyncio.create_task(loader.publish(loads, lanes))
            await asyncio.sleep(_BEFORE_S)
            sent = len(loads[0].acknowledged) / _BEFORE_S
            asked_us = await ask(lambda: _click(self.device))
            purged = await _until(lambda: ask(lambda: _finished(self.device)), "the revocation")
            left = await self._queued()
            await asyncio.sleep(_AFTER_S)
            loader.stopping = True
            await flooding
            await _until(self._is_drained, "ingest")
            kicked_us, purged_us, effective_us = purged
            last_us, later, refused = await ask(lambda: _stored(self.device, effective_us))
            await ask(_hang_up)
        return _Round(
            flood_per_s=sent,
            last_ms=(max(last_us, effective_us) - asked_us) / 1000,
            kicked_ms=(kicked_us - asked_us) / 1000,
            purged_ms=(purged_us - asked_us) / 1000,
            later=later,
            left=left,
            refused=refused,
        )

    async def _is_drained(self) -> bool:
        return await self._queued() == 0

    async def _queued(self) -> int:
        to = link(self.plant.settings, self.plant.key_file, Broker.SECURE, User.INGEST)
        client = await nats.connect(to.address, user=to.user, password=to.password)
        try:
            state = (await request(client, f"STREAM.INFO.{STREAM}", {"subjects_filter": ">"}))["state"]
            subjects = state.get("subjects") or {}
            return sum(count for name, count in subjects.items() if self.device.device_id in name)
        finally:
            await client.close()


def _click(device: TestDevice) -> int:
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.actions import revoke_device  # noqa: PLC0415
    from doorstep.server.fleet.models import Device  # noqa: PLC0415

    asked_us = now_us()
    revoke_device(Device.objects.get(pk=device.row), OPERATOR, "bench", now_us=asked_us)
    return asked_us


def _finished(device: TestDevice) -> tuple[int, int, int] | None:
    from doorstep.server.fleet.models import Revocation  # noqa: PLC0415

    row = Revocation.objects.get(device=device.row)
    if row.kicked_us is None or row.purged_us is None or row.effective_us is None:
        return None
    return row.kicked_us, row.purged_us, row.effective_us


def _stored(device: TestDevice, effective_us: int) -> tuple[int, int, int]:
    """Return when the last stored message had arrived, how many arrived too late, and what was refused."""
    from doorstep.server.readings.models import DeadLetter, Message  # noqa: PLC0415

    arrived = sorted(Message.objects.filter(device=device.row).values_list("received_us", flat=True))
    refused = DeadLetter.objects.filter(device_id=device.device_id).values_list("count", flat=True)
    return arrived[-1], sum(at > effective_us for at in arrived), sum(refused)


def _hang_up() -> None:
    from django.db import connection  # noqa: PLC0415

    connection.close()


async def _until(look: Callable[[], Awaitable[_T | None]], what: str) -> _T:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if seen := await look():
            return seen
        await asyncio.sleep(_LOOK_S)
    raise UnavailableError(f"{what} does not finish", next_step="Look at the machine's load.")


def _figures(done: list[_Round]) -> RevocationFigures:
    return RevocationFigures(
        rounds=len(done),
        flood_per_s=round(min(one.flood_per_s for one in done)),
        last_accepted_max_ms=round(max(one.last_ms for one in done), 1),
        last_accepted_median_ms=round(statistics.median(one.last_ms for one in done), 1),
        kicked_max_ms=round(max(one.kicked_ms for one in done), 1),
        purged_max_ms=round(max(one.purged_ms for one in done), 1),
        accepted_later=sum(one.later for one in done),
        left_in_queue=sum(one.left for one in done),
        refused=sum(one.refused for one in done),
    )


_LABELS: Final = {
    "rounds": "devices revoked in the middle of a flood",
    "flood_per_s": "acknowledged messages a second, slowest round",
    "last_accepted_max_ms": "last accepted message after the click, longest, ms",
    "last_accepted_median_ms": "last accepted message after the click, median, ms",
    "kicked_max_ms": "connections closed, longest, ms",
    "purged_max_ms": "queues and retained messages purged, longest, ms",
    "accepted_later": "messages accepted later than that",
    "left_in_queue": "messages left in a queue",
    "refused": "later messages and log-ins refused",
}


def _show(figures: RevocationFigures, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table("figure", "value", title="doorstep bench revocation")
    table.columns[1].justify = "right"
    for name, value in dataclasses.asdict(figures).items():
        table.add_row(_LABELS[name], f"{value:,}")
    Console().print(table)
