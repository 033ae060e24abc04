"""One device and the platform in one process: the real store, handlers, queue, opener, tables and actions.

Only the broker between them is missing: messages are carried by hand, so that a test may lose them.
"""

import asyncio
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from django.conf import settings

from doorstep.crypto.x509 import Certificate
from doorstep.device.handlers import Handlers, Inbound
from doorstep.device.keys import KeyChanges
from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.downlink.queue import Queue
from doorstep.errors import DoorstepError
from doorstep.identity.provisioning import Provisioning, Servers, SetupVerifier
from doorstep.ingest.opening import Opening
from doorstep.ingest.sink import StaleDevices
from doorstep.ingest.store_postgres import PostgresSink
from doorstep.ingest.store_sqlite import SqliteSink
from doorstep.messaging.command import Command
from doorstep.runtime import database
from doorstep.runtime.database import Connection, SqliteConnection
from doorstep.server.channels.models import Downlink
from doorstep.server.clock import now_us
from doorstep.server.fleet import rotating
from doorstep.server.fleet.models import Device, DeviceSession, KeyRotation
from doorstep.server.readings.models import Message
from tests.server import making
from tests.server.making import MadeDevice

__all__ = ["Line", "provisioning_of"]

_sessions = itertools.count(1)
_ROUND_US: Final = 300_000_000  # longer than any pause between two sends


def provisioning_of(made: MadeDevice) -> Provisioning:
    """Return the provisioning file of a device that was recorded."""
    authority = making.authority()
    idevid = made.row.idevid

    chain = Certificate(bytes(idevid)).pem + authority.factory.certificate.pem
    return Provisioning(
        device_id=made.device_id,
        serial=made.serial,
        product="plug",
        hardware_id=None,
        private_key=made.key.to_pem().decode(),
        certificate_chain=chain.decode(),
        trust_anchor=authority.root.pem.decode(),
        root_key=made.root_key,
        setup=SetupVerifier("PROV_" + made.device_id, "doorstep", b"\x01" * 16, b"\x02" * 384),
        servers=Servers("https://localhost:8443", "localhost", 8883, 1883),
    )


@dataclass
class Line:
    """``lost`` says of each message whether it gets lost; ``captured`` keeps what went up."""

    made: MadeDevice
    folder: Path
    store: Store = field(init=False, default=None)  # type: ignore[assignment]  # there is one after `boot`
    lost: Callable[[], bool] = lambda: False
    now_us: int = field(default_factory=now_us)
    captured: list[tuple[str, bytes]] = field(default_factory=list)
    in_stream: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def of_owned_device(cls, folder: Path, lost: Callable[[], bool] = lambda: False) -> Self:
        (made,) = making.devices()
        _, owner = making.customer()
        Device.objects.filter(pk=made.row.pk).update(life="owned", owner=owner, ownership_period=1)
        line = cls(made, folder, lost)
        store = Store.open(folder)
        store.adopt(provisioning_of(made))
        store.close()
        line.boot()
        return line

    @property
    def row(self) -> Device:
        return self.made.row

    def boot(self) -> None:
        """Switch the device on; what it had in memory is gone."""
        self.queue: list[tuple[str, bytes]] = []
        DeviceSession.objects.filter(device=self.row).update(ended_us=self.now_us)
        DeviceSession.objects.create(
            device=self.row,
            broker="plain",
            server_id="test",
            client_id=next(_sessions),
            connected_us=self.now_us,
        )
        if self.store is not None:
            self.store.close()
        self.store = Store.open(self.folder)
        self.renewals = 0
        self.sealing = Sealing(self.store, self.made.device_id)
        self.handlers = Handlers()
        self.changes = KeyChanges(self.store, self.sealing, self._renew, os.urandom)
        self.handlers.register("keys", self.changes.carry_out, repeatable=True)
        self.inbound = Inbound(
            self.store,
            self.handlers,
            answer=lambda answer: self.queue.append(("ack", answer)),
            clock_s=lambda: self.now_us / 1e6,
        )

    def _renew(self) -> None:
        self.renewals += 1

    def turn(self) -> None:
        """Let everything happen once: a reading, platform's step, down, device, up."""
        self.now_us += _ROUND_US
        self.queue.append(("data", b'{"t": 20}'))
        self.send()
        rotating.step_due(self.now_us)
        with self.connected() as connection:
            for outgoing in Queue(settings.KEY_FILE).turn(connection, self.now_us):
                if outgoing.device_id == self.made.device_id and not self.lost():
                    self._hear(outgoing.channel, outgoing.message)
        self.send()

    def say(self, value: float = 21.5) -> bool:
        """Send one reading, and say whether it was stored."""
        before = Message.objects.filter(device=self.row, channel="data").count()
        self.queue.append(("data", b'{"t": %s}' % str(value).encode()))
        self.send(losing=False)
        return Message.objects.filter(device=self.row, channel="data").count() > before

    def send(self, *, losing: bool = True) -> None:
        queue, self.queue = self.queue, []
        for channel, plaintext in queue:
            message = self.sealing.seal(channel, plaintext)
            self.captured.append((channel, message))
            if not (losing and self.lost()):
                self.in_stream.append((channel, message))
        while self.in_stream:  # what the broker holds outlives both ends, and comes again until it is stored
            self.deliver(*self.in_stream[0])
            del self.in_stream[0]

    def deliver(self, channel: str, message: bytes) -> list[str]:
        """Put a message into ingest; return the reasons of dead letters."""
        subject = f"$MQTT.msgs.u.0.{self.made.device_id}.{channel}".encode()
        with self.connected() as connection:
            for _ in range(3):
                opening = Opening(settings.KEY_FILE)
                sink: Any = SqliteSink() if isinstance(connection, SqliteConnection) else PostgresSink()
                fetched = [(subject, b"", message)]
                opening.learn(sink.load(connection, opening.unknown(fetched)))
                batch = opening.open(fetched, self.now_us)
                try:
                    sink.store(connection, batch)
                except StaleDevices:
                    continue
                return [letter.reason for letter in batch.letters]
        raise AssertionError("the device changes all the time")

    def connected(self) -> "_Connected":
        return _Connected()

    def close(self) -> None:
        """Switch the device off, and take what was really committed away: others count rows."""
        self.store.close()
        row = self.row
        row.sessions.all().delete()
        Downlink.objects.all().delete()  # a step, or the policy, reaches every device
        KeyRotation.objects.all().delete()
        Message.objects.filter(device=row).delete()
        Device.objects.filter(pk=row.pk).update(life="stocked", owner=None)

    def _hear(self, channel: str, message: bytes) -> None:
        try:
            command = Command.decode(self.sealing.open(channel, message))
            answer = asyncio.run(self.inbound.carry_out(channel, command))
        except DoorstepError:
            return
        self.queue.append(("ack", answer.encode()))


class _Connected:
    def __enter__(self) -> Connection:
        self.connection = database.connect(settings.DOORSTEP, settings.STATE)
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()
