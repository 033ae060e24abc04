"""The overhead bench against real brokers, and what its relays count."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.testing.wire_count import TcpRelay, UdpRelay, Wire, tls_records
from tests.peers import install_peer

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def test_wire_counts_bytes_and_turns() -> None:
    wire = Wire([(True, b"abc"), (True, b"d"), (False, b"ef"), (True, b"g")])
    assert (wire.up, wire.both, wire.flights) == (5, 7, 2)
    assert wire.stream(up=False) == b"ef"


def test_tls_records_are_told_apart() -> None:
    stream = b"\x16\x03\x03\x00\x02ab" + b"\x17\x03\x03\x00\x00" + b"\x17\x03"
    assert tls_records(stream) == [(0x16, 7), (0x17, 5)]


def test_tcp_relay_passes_on_and_counts() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(3))
        writer.close()

    async def scene() -> Wire:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server, TcpRelay(server.sockets[0].getsockname()[1]) as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(b"abc")
            assert await reader.read() == b"abc"
            writer.close()
            return relay.wire

    assert asyncio.run(scene()).pieces == [(True, b"abc"), (False, b"abc")]


def test_udp_relay_passes_on_and_counts() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.transport.sendto(data, addr)  # type: ignore[attr-defined]

    class Ear(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.heard: asyncio.Queue[bytes] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr: object) -> None:
            del addr
            self.heard.put_nowait(data)

    async def scene() -> Wire:
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
        async with UdpRelay(server.get_extra_info("sockname")[1]) as relay:
            client, ear = await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", relay.port))
            client.sendto(b"abc")
            assert await asyncio.wait_for(ear.heard.get(), 5) == b"abc"
            client.close()
        server.close()
        return relay.wire

    assert asyncio.run(scene()).pieces == [(True, b"abc"), (False, b"abc")]


def aiocoap_folder() -> Path:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]
    names = ["aiocoap==0.4.17", "lakers-python==0.6.2", "filelock", "ge25519", "fe25519"]
    return install_peer("aiocoap", [*pip, *names])


@pytest.mark.slow
@pytest.mark.peer
def test_sealed_compact_costs_fifteen_bytes_at_most_and_nothing_before() -> None:
    path = os.pathsep.join([*sys.path, str(aiocoap_folder())])
    done = subprocess.run(
        [sys.executable, "-m", "doorstep", "bench", "overhead", "--json"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    rows = {row["name"]: row for row in figures["rows"]}
    compact, inside, mtls = (
        rows[name] for name in ("sealed, compact, without TLS", "sealed, inside mTLS", "mTLS alone")
    )
    assert compact["bytes_a_message"] <= 15
    assert (compact["setup_bytes"], compact["packets_to_first"]) == (0, 1)
    assert inside["bytes_a_message"] == compact["bytes_a_message"] + mtls["bytes_a_message"]
    assert mtls["setup_bytes"] > 1_000
    assert 10 <= rows["OSCORE on CoAP (aiocoap)"]["bytes_a_message"] <= 20
    if MOSQUITTO:
        psk = next(row for name, row in rows.items() if "PSK" in name)
        assert 300 < psk["setup_bytes"] < mtls["setup_bytes"]
        assert psk["bytes_a_message"] >= 20
    assert set(figures["skipped"]) <= (set() if MOSQUITTO else {"TLS-PSK"})
