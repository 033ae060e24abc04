"""A whole platform in one loop, with answers at hand: a device API and a broker that a test plays by ear."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.life import State
from doorstep.device.notices import Moved, Notice
from doorstep.device.setup.presence import Presence
from doorstep.device.setup.service import SetupAddress
from doorstep.device.store import Store, Ticket
from doorstep.device.wifi.station import WifiStation
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.network import NetworkCredentials
from doorstep.runtime.authority import Authority
from doorstep.testing.device import simulated_sensor
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire import cbor
from tests.device.peer import LOOPBACK, Answer, Script, peer

__all__ = ["HOME", "Bench", "Life", "bench"]

HOME = SimulatedNetwork(b"home", b"correct horse")
NONCE = 200, b'{"nonce": "' + b"A" * 43 + b'"}'


@dataclass
class Bench:
    """What the platform answers now, and what it heard."""

    authority: Authority
    say: dict[str, Answer | str] = field(default_factory=lambda: {"register": "bound", "renew": "bound"})
    address: str = LOOPBACK[0]
    connack: int = 0
    lifetime: timedelta = timedelta(days=7)
    first_epoch: int = 0
    url: str = ""
    mqtt_port: int = 0
    published: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sessions: list[asyncio.StreamWriter] = field(default_factory=list)
    down: bytes = b""
    """A whole MQTT packet that each new subscriber gets."""

    def answer(self, path: str, body: bytes) -> Answer:
        self.asked.append(path)
        said = self.say[path]
        if not isinstance(said, str):
            return said
        document: dict[str, Any] = {"status": said, "reason": "a person must look", "time": self.now}
        if said == "bound":
            place = {"host": self.address, "port": self.mqtt_port}
            document |= {"mqtt": {"tls": place, "plain": place}, "sealed": {"epoch": self.first_epoch}}
            document["certificate"] = self.certificate(body)
        return 200, json.dumps(document).encode()

    @property
    def now(self) -> float:
        return datetime.now(UTC).timestamp()

    def certificate(self, body: bytes) -> str:
        tag = cbor.decode(body, max_bytes=4096)
        assert isinstance(tag, cbor.Tag)
        assert isinstance(tag.value, list)
        assert isinstance(tag.value[2], bytes)
        said = cbor.decode(tag.value[2], max_bytes=4096)
        assert isinstance(said, dict)
        csr, device = said["csr"], statement.claimed_device(body)
        assert isinstance(csr, bytes)
        issued = self.authority.issue_operational(
            csr, device_id=device, now=datetime.now(UTC), lifetime=self.lifetime
        )
        return (issued.pem + self.authority.operations.certificate.pem).decode()

    async def serve_mqtt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions.append(writer)
        try:
            while True:
                first, body = await packet(reader)
                if first >> 4 == 1:
                    writer.write(b"\x20\x02\x00" + bytes((self.connack,)))
                    if self.connack:
                        return
                elif first >> 4 == 8:
                    writer.write(b"\x90\x03" + body[:2] + b"\x00" + self.down)
                elif first >> 4 == 3:
                    at = 2 + int.from_bytes(body[:2], "big")
                    self.published.append(body[at + 2 :])
                    writer.write(b"\x40\x02" + body[at : at + 2])
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    def hang_up(self) -> None:
        for writer in self.sessions:
            writer.close()
        self.sessions.clear()


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (first,) = await reader.readexactly(1)
    length = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


@asynccontextmanager
async def bench(
    authority: Authority, folder: Path, place: tuple[str, str] = LOOPBACK
) -> AsyncIterator[Bench]:
    made = Bench(authority, address=place[0])
    answers: Script = {
        "nonce": NONCE,
        "register": lambda body: made.answer("register", body),
        "renew": lambda body: made.answer("renew", body),
    }
    broker = await asyncio.start_server(made.serve_mqtt, made.address, 0)
    made.mqtt_port = broker.sockets[0].getsockname()[1]
    async with broker, peer(authority, folder, answers, place=place) as there:
        made.url = there.url
        yield made
        made.hang_up()


class Life:
    """One agent in this loop, whose waits of full jitter are nothing."""

    def __init__(  # noqa: PLR0913 - what a test chooses
        self,
        made: Provisioning,
        folder: Path,
        api: str,
        *,
        token: str | None = "token",
        network: bool = True,
        station: WifiStation | None = None,
        ahead_s: float = 0,
        presence: Presence | None = None,
        inbox: Path | None = None,
        window_s: float = 60,
    ) -> None:
        self.store = Store.open(folder)
        self.store.adopt(made)
        if network:
            self.store.keep_network(NetworkCredentials(HOME.ssid, HOME.passphrase))
        if token is not None:
            self.store.keep_ticket(Ticket(token, api))
        self.notices: list[Notice] = []
        self.agent = Agent(
            self.store,
            station or SimulatedWifi([HOME]),
            simulated_sensor(),
            options=AgentOptions(
                SetupAddress("127.0.0.1", 0),
                inbox=inbox,
                plain=True,
                interval_s=0.02,
                window_s=window_s,
                presence=presence or Presence(),
            ),
            notify=self.notices.append,
            rng=lambda count: bytes(4) if count == 4 else os.urandom(count),
            clock=lambda: datetime.now(UTC).timestamp() + ahead_s,
        )

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.agent.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.agent.stop()
        try:
            await asyncio.wait_for(self._running, 10)
        finally:
            self.store.close()

    async def reached(self, state: State, *, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while sum(isinstance(n, Moved) and n.state is state for n in self.notices) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def until(self, kind: type[Notice]) -> Notice:
        async with asyncio.timeout(10):
            while True:
                for notice in self.notices:
                    if isinstance(notice, kind):
                        return notice
                await asyncio.sleep(0.01)

    @property
    def path(self) -> list[State]:
        return [notice.state for notice in self.notices if isinstance(notice, Moved)]
