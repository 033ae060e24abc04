"""``doorstep bench registration``: devices that register themselves, each durable before it is answered."""

import contextlib
import dataclasses
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.cli.bench.registration_load import Load, Registrant, signatures_per_s
from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.errors import UnavailableError
from doorstep.identity import ids
from doorstep.runtime import heartbeat
from doorstep.runtime.authority import Authority, open_authority
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings, load, to_environment
from doorstep.runtime.state import StateFolder
from doorstep.server.clock import now_us
from doorstep.server.device_api import nonces
from doorstep.server.device_api.processes import ROLE, name_of, processes
from doorstep.server.setup import migrate
from doorstep.testing.ports import free_port
from doorstep.testing.postgres import running_postgres

__all__ = ["Figures", "registration"]

_START_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    registrations_per_s: float
    ratio_to_signature_limit: float
    """Of what verifying and signing alone would allow on the same cores."""
    p99_ms: float
    """One registration: nonce asked for, statement sent, answer read. Devices sign beforehand."""


@dataclass(frozen=True, slots=True)
class _NewDevice:
    device_id: str
    serial: str
    public_key: bytes
    idevid: bytes
    key: PrivateKey = field(repr=False)
    hardware_id: str | None = None
    claim_code_hash: bytes = field(default_factory=lambda: os.urandom(32), repr=False)
    setup_code: str = field(default="", repr=False)
    oob_code: str = field(default="", repr=False)
    root_key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)


@click.command()
@click.option(
    "--devices", type=click.IntRange(50), default=1000, show_default=True, help="Devices that register."
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
    help="Which database stores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def registration(*, devices: int, database: str, as_json: bool) -> None:
    """Devices register at the real device API over TLS: how many a second, and how long one takes.

    State, database and devices are made for this run in a temporary folder. The devices have signed their
    statements before; the generator of the load works on the same cores. The database forces every
    registration to disk before it is answered.
    """
    with Console(stderr=True).status("starting") as status, _settings(database) as settings:
        status.update(f"making {devices} devices")
        registrants = _prepare(settings, devices)
        with _device_api(settings) as trust:
            status.update(f"registering {devices} devices")
            seconds, latencies = Load("localhost", settings.device_api_port, trust).run(registrants)
        status.update("signing alone")
        limit = signatures_per_s(settings.state / "ca", len(os.sched_getaffinity(0)))
    rate = devices / seconds
    p99_ms = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    _show(Figures(round(rate, 1), round(rate / limit, 3), round(p99_ms, 1)), as_json=as_json)


@contextlib.contextmanager
def _settings(database: str) -> Iterator[Settings]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorstep-bench-")))
        url = ""
        if database == "postgresql":
            url = stack.enter_context(stack.enter_context(running_postgres(durable=True)).database())
        made = load({})
        settings = dataclasses.replace(
            made, state=folder / "state", database_url=url, device_api_port=free_port()
        )
        os.environ.update(to_environment(settings))
        yield settings


def _prepare(settings: Settings, count: int) -> list[Registrant]:
    """Make devices, sell them to one customer and give each a token."""
    migrate()
    from doorstep.cli.bench.registration_rows import store  # noqa: PLC0415 - needs Django started

    authority = open_authority(StateFolder.open(settings.state).ca, "Bench", now=datetime.now(UTC))
    made = [_make(authority, number) for number in range(count)]
    tokens = store(made)
    secret = KeyFile.open(StateFolder.open(settings.state).key_file).derive("device-api/nonce")

    def nonce(device: str) -> bytes:
        return nonces.make(secret, device, now_us(), os.urandom)

    return [
        Registrant.ready(one.device_id, one.key, token, nonce(one.device_id))
        for one, token in zip(made, tokens, strict=True)
    ]


def _make(authority: Authority, number: int) -> _NewDevice:
    key, device_id, serial = p256.generate(os.urandom), ids.new_device_id(os.urandom), f"B-{number:06}"
    idevid = authority.issue_idevid(
        key.public_key, device_id=device_id, device_serial=serial, now=datetime.now(UTC)
    )
    return _NewDevice(device_id, serial, key.public_key.spki, idevid.der, key)


@contextlib.contextmanager
def _device_api(settings: Settings) -> Iterator[ssl.SSLContext]:
    """Run the real role in as many processes as it has in life; yield what its clients trust."""
    state = StateFolder.open(settings.state)
    with contextlib.ExitStack() as stack:
        started = [
            (name_of(number), stack.enter_context(_process("role", ROLE, "--number", str(number))))
            for number in range(1, processes(settings) + 1)
        ]
        deadline = time.monotonic() + _START_S
        for name, process in started:
            while heartbeat.read(state, name) is None:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise UnavailableError("the device API did not start", next_step="Run: doorstep doctor")
                time.sleep(0.05)
        yield ssl.create_default_context(cafile=str(state.ca / "root.crt"))


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "doorstep", *arguments])  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _show(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table("figure", "value", title="doorstep bench registration")
    table.columns[1].justify = "right"
    table.add_row("registrations a second", f"{figures.registrations_per_s:,.0f}")
    table.add_row("ratio to the signature work alone", f"{figures.ratio_to_signature_limit:.2f}")
    table.add_row("99 of 100 within, ms", f"{figures.p99_ms:.0f}")
    Console().print(table)
