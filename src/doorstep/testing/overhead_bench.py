"""What protecting one reading costs on the wire: the same payload by every way, between real programs."""

import asyncio
import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorstep.errors import UnavailableError
from doorstep.messaging.proof import seal_connect_proof
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import ACCEPTED, connect_packet, open_client, publish_packet
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.ports import free_port
from doorstep.testing.wire_count import TcpRelay, UdpRelay, Wire, tls_records

__all__ = ["PAYLOAD", "Overhead", "OverheadRow", "run_overhead_bench"]

PAYLOAD: Final = b'{"temperature":21.5}'
"""The reading that every row carries."""

_MESSAGES: Final = 10
_CONNACK: Final = 4
_ALERT: Final = 2
_HANDSHAKE: Final = 0x16
"""Type of TLS records that show a handshake; in TLS 1.3 only the first of each side does."""

_SETTLE_S: Final = 0.2
_PATIENCE_S: Final = 20.0
_STORED: Final = "SELECT COUNT(*) FROM message WHERE device_id = ?"


@dataclass(frozen=True, slots=True)
class OverheadRow:
    """One way to protect the reading. Bytes are those of TCP or UDP payloads."""

    name: str
    bytes_a_message: float
    """Device to server, beyond the same message without protection."""
    setup_bytes: int
    """Both directions, for keys, before the first message of the protocol below."""
    connect_bytes: int
    """Beyond a CONNECT without credentials; 0 where nobody connects."""
    packets_to_first: int
    """What the device sends after its CONNECT, or at all where there is none, until its reading is taken."""
    flights_to_first: int
    """How often the device sends and waits from the first byte on."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """All rows that could be measured, and why the others could not."""

    payload_bytes: int
    rows: tuple[OverheadRow, ...]
    skipped: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Mqtt:
    """What one MQTT session with our own client put on the wire."""

    a_message: float
    setup: int
    connect: int
    packets: int
    flights: int

    def row(self, name: str, bare: float) -> OverheadRow:
        return OverheadRow(name, self.a_message - bare, self.setup, self.connect, self.packets, self.flights)


def run_overhead_bench(tell: Callable[[str], None]) -> Overhead:
    """Measure every row; ``tell`` says what is on. Raises UnavailableError when our own rows fail."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        tell("starting the platform")
        plant = stack.enter_context(Plant.build(Path(folder) / "state"))
        migrate(plant)
        plant.start("nats-secure", "nats-plain", "authorizer", "ingest")
        device, *_ = add_devices(plant, 1)
        tell("counting our own listeners")
        bare, rows = asyncio.run(_our_rows(plant, device))
        skipped: dict[str, str] = {}
        for name, measure in (("TLS-PSK", _psk_row), ("OSCORE", _oscore_row)):
            tell(f"counting {name}")
            try:
                rows.append(measure(Path(folder) / name, device.device_id, bare))
            except UnavailableError as error:
                skipped[name] = error.message
        return Overhead(len(PAYLOAD), tuple(rows), skipped)


async def _our_rows(plant: Plant, device: TestDevice) -> tuple[float, list[OverheadRow]]:
    """Return what a bare PUBLISH takes, and the rows of our own listeners."""
    root = plant.state.root / "devices" / "root.crt"
    tls = device.tls(root)
    plain_port, tls_port = plant.settings.mqtt_plain_port, plant.settings.mqtt_tls_port

    def sealed() -> tuple[Callable[[], str], Callable[[], bytes]]:
        sealer = device.boot()
        return lambda: seal_connect_proof(sealer), lambda: sealer.seal(b"up/data", PAYLOAD)

    stored = _Stored(plant, device)
    proof, seal = sealed()
    compact = await _measure(device, plain_port, seal, proof=proof, taken=stored.one_more)
    proof, _ = sealed()
    bare = await _measure(device, plain_port, lambda: PAYLOAD, proof=proof, taken=_acknowledged)
    mtls = await _measure(device, tls_port, lambda: PAYLOAD, tls=tls, taken=_acknowledged)
    _, seal = sealed()
    both = await _measure(device, tls_port, seal, tls=tls, taken=stored.one_more)
    return bare.a_message, [
        compact.row("sealed, compact, without TLS", bare.a_message),
        both.row("sealed, inside mTLS", bare.a_message),
        mtls.row("mTLS alone", bare.a_message),
    ]


async def _acknowledged() -> None:
    """Be content with PUBACK: a message that was not sealed is stored nowhere."""


@dataclass(slots=True)
class _Stored:
    """Waits until one more message of the device is in the table."""

    plant: Plant
    device: TestDevice
    seen: int = 0

    async def one_more(self) -> None:
        self.seen += 1
        await asyncio.wait_for(asyncio.to_thread(self._wait), _PATIENCE_S)

    def _wait(self) -> None:
        connection = self.plant.connect()
        try:
            while connection.query(_STORED, (self.device.row,))[0][0] < self.seen:
                time.sleep(0.005)
        finally:
            connection.close()


async def _measure(  # noqa: PLR0913 - what differs between the rows
    device: TestDevice,
    port: int,
    message: Callable[[], bytes],
    *,
    taken: Callable[[], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
    proof: Callable[[], str] | None = None,
) -> _Mqtt:
    """Publish some messages through a relay; ``taken`` returns when the platform has each one."""
    async with TcpRelay(port) as relay:
        wire = relay.wire
        client = await open_client(relay.port, tls)
        await asyncio.sleep(_SETTLE_S)  # session tickets come after the handshake
        setup = wire.both
        name, password = (device.device_id, proof()) if proof else (None, None)
        if await client.connect(device.device_id, name, password) != ACCEPTED:
            raise UnavailableError("the broker did not admit the bench's device")
        connected, pieces = wire.both, len(wire.pieces)
        await client.publish(device.topic("data"), message())
        await taken()
        packets = sum(is_up for is_up, _ in wire.pieces[pieces:])
        flights, before = wire.flights, wire.up
        for _ in range(_MESSAGES):
            await client.publish(device.topic("data"), message())
            await taken()
        a_message = (wire.up - before) / _MESSAGES
        client.close()
        await client.lost
    connect = connected - setup - len(connect_packet(device.device_id)) - _CONNACK
    return _Mqtt(a_message, setup, connect, packets, flights)


def _psk_row(folder: Path, device: str, bare: float) -> OverheadRow:
    server = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    client = shutil.which("mosquitto_pub")
    if server is None or client is None:
        raise UnavailableError("mosquitto and mosquitto-clients are not installed")
    folder.mkdir()
    key, port = os.urandom(16).hex(), free_port()
    (folder / "psk").write_text(f"{device}:{key}\n", encoding="ascii")
    (folder / "conf").write_text(
        f"user root\nlistener {port} 127.0.0.1\npsk_hint bench\npsk_file {folder / 'psk'}\n"
        "use_identity_as_username true\nallow_anonymous false\nset_tcp_nodelay true\n",
        encoding="ascii",
    )
    options = ["--psk", key, "--psk-identity", device, "-i", device]
    options += ["-t", f"d/{device}/up/data", "-q", "1", "-l", "-h", "127.0.0.1"]

    async def publish() -> Wire:
        async with TcpRelay(port) as relay:
            await _run([client, *options, "-p", str(relay.port)], PAYLOAD + b"\n")
            return relay.wire

    with _running([server, "-c", str(folder / "conf")], port):
        wire = asyncio.run(publish())
    return _read_psk(wire, device, bare)


def _read_psk(wire: Wire, device: str, bare: float) -> OverheadRow:
    """Tell the records apart by their sizes: each wraps one packet; what comes before CONNECT is set-up."""
    up, down = tls_records(wire.stream(up=True)), tls_records(wire.stream(up=False))
    # PUBLISH is the longest one behind ClientHello.
    place = max(range(1, len(up)), key=lambda index: up[index][1])
    a_message = up[place][1] - bare
    wrapped = round(up[place][1] - len(publish_packet(f"d/{device}/up/data", PAYLOAD, 1)))
    answers = (_CONNACK + wrapped, _ALERT + wrapped)
    setup = sum(size for _, size in up[: place - 1]) + sum(size for _, size in down if size not in answers)
    connect = up[place - 1][1] + answers[0] - len(connect_packet(device)) - _CONNACK
    version = "1.2" if sum(kind == _HANDSHAKE for kind, _ in up) > 1 else "1.3"
    flights = wire.flights - 1  # the last one is DISCONNECT
    return OverheadRow(f"TLS {version} with PSK (mosquitto)", a_message, setup, connect, 1, flights)


def _oscore_row(folder: Path, device: str, _bare: float) -> OverheadRow:
    if importlib.util.find_spec("aiocoap") is None or importlib.util.find_spec("lakers") is None:
        raise UnavailableError("aiocoap[oscore] is not installed beside this Python")
    folder.mkdir()
    port = free_port()
    peer = [sys.executable, str(Path(__file__).with_name("oscore_peer.py"))]
    where = [str(folder), f"d/{device}/up/data"]

    async def post(kind: str, count: int) -> Wire:
        async with UdpRelay(port) as relay:
            await _run([*peer, "ask", *where, str(relay.port), kind, str(count), PAYLOAD.hex()], b"")
            return relay.wire

    with _running([*peer, "serve", *where, str(port)], 0):
        first = asyncio.run(post("oscore", 1))
        bare = asyncio.run(post("plain", 1 + _MESSAGES))
        oscore = asyncio.run(post("oscore", 1 + _MESSAGES))
    added = (_last(oscore) - _last(bare)) / _MESSAGES
    setup = first.both - len(first.pieces[-2][1]) - len(first.pieces[-1][1])
    packets = sum(is_up for is_up, _ in first.pieces)
    return OverheadRow("OSCORE on CoAP (aiocoap)", added, setup, 0, packets, first.flights)


def _last(wire: Wire) -> int:
    """Return the bytes of the last requests: what the first ones did more was set-up."""
    requests = [len(data) for is_up, data in wire.pieces if is_up]
    return sum(requests[-_MESSAGES:])


async def _run(command: list[str], given: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await asyncio.wait_for(process.communicate(given), _PATIENCE_S)
    if process.returncode:
        raise UnavailableError(f"{Path(command[0]).name} failed: {words.decode(errors='replace')[-300:]}")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    """Run a server until the block ends; ``port`` 0: it says itself that it serves, by a line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        _await_server(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _await_server(process: subprocess.Popen[bytes], port: int) -> None:
    if not port:
        if process.stdout is None or not process.stdout.readline():
            raise UnavailableError("the peer's server does not start")
        return
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise UnavailableError("mosquitto does not start")
