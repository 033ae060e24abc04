"""``doorstep bench onboarding``: one device and many at once, and what the handshakes cost."""

import asyncio
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.cli.progress import bar
from doorstep.errors import UnavailableError
from doorstep.onboarding.label import SEC1, SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.credentials import Sec1Code, Sec2Verifier, generate
from doorstep.onboarding.protocomm.schemes import Scheme, handshake, open_device_session
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.testing.boards import boards_in_a_process
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi

__all__ = ["Figures", "onboarding"]

SCAN_S: Final = 1.5
"""What a simulated board takes to listen to every channel."""
JOIN_S: Final = 2.0
"""What it takes from the password to an address."""
_NETWORK: Final = SimulatedNetwork(b"bench", b"correct horse")
_HANDSHAKES: Final = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; times of the simulated radio are given, not measured."""

    devices: int
    rounds: int
    seconds_one: float
    seconds_all: float
    ratio: float
    sec1_configurator_ms: float
    sec1_device_ms: float
    sec2_configurator_ms: float
    sec2_device_ms: float
    session_cpu_ms: float
    """Processor time of the whole set-up of one device on the configurator's side, of many at once."""
    device_cpu_ms: float
    scan_s: float = SCAN_S
    join_s: float = JOIN_S


@click.command()
@click.option(
    "--devices", type=click.IntRange(2, 200), default=20, show_default=True, help="Devices at once."
)
@click.option(
    "--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Medians are of so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def onboarding(*, devices: int, rounds: int, as_json: bool) -> None:
    """Set up simulated boards by security 2 over HTTP: one, then many at once.

    The boards run in a process of their own on the same cores; their radios are simulated and take
    1.5 s to scan and 2 s to join. Handshakes are measured in this process, each side by its processor time.
    """
    one, many, configurator, boards = [], [], [], []
    with bar("Setting up", rounds * (devices + 1), hidden=as_json) as advance:
        for _ in range(rounds):
            one.append(_round(1, advance).seconds)
            run = _round(devices, advance)
            many.append(run.seconds)
            configurator.append(run.configurator_cpu_s / devices)
            boards.append(run.boards_cpu_s / devices)
    sec1, sec2 = _sec1_cost(), _sec2_cost()
    seconds_one, seconds_all = statistics.median(one), statistics.median(many)
    figures = Figures(
        devices=devices,
        rounds=rounds,
        seconds_one=round(seconds_one, 2),
        seconds_all=round(seconds_all, 2),
        ratio=round(seconds_all / seconds_one, 3),
        sec1_configurator_ms=_ms(sec1[0]),
        sec1_device_ms=_ms(sec1[1]),
        sec2_configurator_ms=_ms(sec2[0]),
        sec2_device_ms=_ms(sec2[1]),
        session_cpu_ms=_ms(statistics.median(configurator)),
        device_cpu_ms=_ms(statistics.median(boards)),
    )
    _show(figures, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Round:
    seconds: float
    configurator_cpu_s: float
    boards_cpu_s: float


def _round(count: int, advance: Callable[[int], None]) -> _Round:
    stations = [SimulatedWifi([_NETWORK], delay=JOIN_S, scan_delay=SCAN_S) for _ in range(count)]
    with boards_in_a_process(stations) as boards:
        boards_before, cpu_before, before = boards.cpu_s(), time.process_time(), time.monotonic()
        asyncio.run(_set_up_all(boards.labels, boards.urls, advance))
        return _Round(
            time.monotonic() - before, time.process_time() - cpu_before, boards.cpu_s() - boards_before
        )


async def _set_up_all(
    labels: Sequence[SetupLabel], urls: Sequence[str], advance: Callable[[int], None]
) -> None:
    async with asyncio.TaskGroup() as group:
        for label, url in zip(labels, urls, strict=True):
            group.create_task(_set_up(label, url, advance))


async def _set_up(label: SetupLabel, url: str, advance: Callable[[int], None]) -> None:
    async with Provisioner(HttpLink(url), label) as provisioner:
        await provisioner.secure()
        await provisioner.networks()
        step = await provisioner.join(NetworkCredentials(_NETWORK.ssid, _NETWORK.passphrase))
    if step is not Step.CONNECTED:
        raise UnavailableError(f"a simulated board did not join: {step.sentence}")
    advance(1)


def _sec1_cost() -> tuple[float, float]:
    return _cost(
        Scheme.SEC1, SetupLabel("bench", "", "abcdefghijklm", security=SEC1), Sec1Code("abcdefghijklm")
    )


def _sec2_cost() -> tuple[float, float]:
    made = generate(os.urandom)
    return _cost(Scheme.SEC2, SetupLabel("bench", made.username, made.pop), made.for_device())


def _cost(scheme: Scheme, label: SetupLabel, secret: Sec1Code | Sec2Verifier) -> tuple[float, float]:
    """Return the median processor seconds of a handshake for configurator and device."""
    _handshake(scheme, label, secret)  # builds the tables that later ones share
    costs = [_handshake(scheme, label, secret) for _ in range(_HANDSHAKES)]
    return statistics.median(cost[0] for cost in costs), statistics.median(cost[1] for cost in costs)


def _handshake(scheme: Scheme, label: SetupLabel, secret: Sec1Code | Sec2Verifier) -> tuple[float, float]:
    configurator, device = 0.0, 0.0
    ours, theirs = handshake(scheme, label, os.urandom), open_device_session(secret, os.urandom)
    reply: bytes | None = None
    while True:
        begin = time.process_time()
        try:
            request = next(ours) if reply is None else ours.send(reply)
        except StopIteration:
            return configurator + time.process_time() - begin, device
        middle = time.process_time()
        reply = theirs.answer(request)
        configurator, device = configurator + middle - begin, device + time.process_time() - middle


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _show(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        values = dataclasses.asdict(figures)
        values[f"ratio_{figures.devices}_to_1"] = values.pop("ratio")
        click.echo(json.dumps(values))
        return
    table = Table("figure", "value", title="doorstep bench onboarding")
    table.columns[1].justify = "right"
    table.add_row("one device, s", f"{figures.seconds_one:.2f}")
    table.add_row(f"{figures.devices} devices at once, s", f"{figures.seconds_all:.2f}")
    table.add_row("ratio", f"{figures.ratio:.2f}")
    table.add_row("of that the simulated radio, s", f"{figures.scan_s} to scan, {figures.join_s} to join")
    table.add_row("security 2 handshake: configurator, ms of CPU", f"{figures.sec2_configurator_ms}")
    table.add_row("security 2 handshake: device, ms of CPU", f"{figures.sec2_device_ms}")
    table.add_row("security 1 handshake: configurator, ms of CPU", f"{figures.sec1_configurator_ms}")
    table.add_row("security 1 handshake: device, ms of CPU", f"{figures.sec1_device_ms}")
    table.add_row("whole set-up of one of many: configurator, ms of CPU", f"{figures.session_cpu_ms}")
    table.add_row("whole set-up of one of many: board, ms of CPU", f"{figures.device_cpu_ms}")
    Console().print(table)
