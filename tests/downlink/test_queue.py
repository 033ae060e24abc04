"""The queue in both databases, with devices that connect and boot by a row."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doorstep.downlink.queue import TRIES, Outgoing, Queue, pause_us
from doorstep.downlink.restored import notice_restore
from doorstep.messaging.command import OPEN_AT_ONCE, Command
from doorstep.messaging.envelope import MAX_SEQUENCE, parse
from doorstep.messaging.state import SealedState
from doorstep.runtime.brokers import Broker
from doorstep.runtime.database import Connection
from doorstep.runtime.role import now_us
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, sealed_row
from doorstep.runtime.secrets import KeyFile
from doorstep.testing.commands import add_command
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.plant import Plant
from tests.plants import MakePlant

DATABASES = [
    "sqlite",
    pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow]),
]

_plants: dict[str, Plant] = {}


@dataclass
class Desk:
    """One device, its queue and a clock."""

    plant: Plant
    connection: Connection
    device: TestDevice
    now: int = field(default_factory=now_us)
    sessions: int = 0

    def __post_init__(self) -> None:
        self.queue = Queue(self.plant.key_file)
        self.sealer = self.device.boot()

    def ask(self, body: bytes = b"body", **how: object) -> str:
        return add_command(self.plant, self.connection, self.device, body, **how)  # type: ignore[arg-type]

    def connect(self, broker: Broker = Broker.SECURE) -> None:
        self.sessions += 1
        self.connection.query(
            "INSERT INTO device_session"
            " (device_id, broker, server_id, client_id, credential, children, connected_us)"
            " VALUES (?, ?, ?, ?, '', '', ?)",
            (self.device.row, broker, self.device.device_id, self.sessions, self.now - 1_000_000),
        )

    def disconnect(self) -> None:
        self.connection.query(
            "UPDATE device_session SET ended_us = ? WHERE device_id = ? AND ended_us IS NULL",
            (self.now, self.device.row),
        )

    def boot(self) -> None:
        """Begin an epoch, and let the platform know of it as ingest does."""
        root, epoch = self.device.state.root, self.device.state.epoch
        self.sealer = self.device.boot()
        stored = sealed_row(self.plant.key_file, self.device.device_id, SealedState.first(root, epoch))
        columns = ", ".join(f"{column} = ?" for column in SEALED_COLUMNS)
        self.connection.query(
            f"UPDATE sealed_state SET {columns} WHERE device_id = ?", (*stored, self.device.row)
        )

    def turn(self, later_s: float = 0) -> list[Outgoing]:
        """Return what goes out to this device after so many seconds."""
        self.now += round(later_s * 1e6)
        return [
            one
            for one in self.queue.turn(self.connection, self.now)
            if one.device_id == self.device.device_id
        ]

    def opened(self, one: Outgoing) -> Command:
        return Command.decode(self.sealer.open(one.message, f"down/{one.channel}".encode()))

    def column(self, name: str, command_id: str) -> object:
        return self.connection.query(f"SELECT {name} FROM downlink WHERE command_id = ?", (command_id,))[0][0]


@pytest.fixture(params=DATABASES)
def desk(request: pytest.FixtureRequest, make_plant: MakePlant) -> Iterator[Desk]:
    name: str = request.param
    if name not in _plants:
        _plants[name] = make_plant(name)
    plant = _plants[name]
    connection = plant.connect()
    yield Desk(plant, connection, add_devices(plant, 1)[0])
    connection.query("UPDATE downlink SET state = 'cancelled'")
    connection.close()


def numbers(sent: list[Outgoing]) -> list[int]:
    return [parse(one.message).sequence for one in sent]


def test_command_waits_for_a_session_and_goes_to_its_broker(desk: Desk) -> None:
    command_id = desk.ask(channel="config")
    assert desk.turn() == []
    desk.connect(Broker.PLAIN)
    [sent] = desk.turn()
    assert (sent.channel, sent.brokers) == ("config", (Broker.PLAIN,))
    command = desk.opened(sent)
    assert (command.command_id.hex(), command.body) == (command_id, b"body")
    assert command.expires_s == int(desk.column("expires_us", command_id)) // 1_000_000  # type: ignore[call-overload]


def test_command_for_a_child_goes_to_its_gateway(desk: Desk) -> None:
    gateway = Desk(desk.plant, desk.connection, add_devices(desk.plant, 1)[0])
    sql = "UPDATE device SET gateway_id = ? WHERE id = ?"
    desk.connection.query(sql, (gateway.device.row, desk.device.row))
    desk.ask(lasts_s=86_400)
    assert desk.turn() == []
    gateway.connect()
    [sent] = desk.turn()
    assert (sent.device_id, sent.brokers) == (desk.device.device_id, (Broker.SECURE,))
    gateway.disconnect()
    assert desk.turn(121) == []
    gateway.connect()
    assert len(desk.turn()) == 1


def test_command_goes_wherever_a_device_may_be_that_is_heard_without_a_session(desk: Desk) -> None:
    """It is at a broker of the operator's own, which is bridged to one of ours."""
    command_id = desk.ask(lasts_s=86_400)
    seen = "UPDATE device SET last_seen_us = ? WHERE id = ?"
    desk.connect()
    desk.disconnect()
    desk.connection.query(seen, (desk.now + 1_000_000, desk.device.row))
    assert desk.turn(2) == []  # what its session brought was stored a little later
    desk.connection.query(seen, (desk.now + 60_000_000, desk.device.row))
    [sent] = desk.turn(61)
    assert (desk.opened(sent).command_id.hex(), sent.brokers) == (command_id, tuple(Broker))
    assert desk.turn() == []
    assert len(desk.turn(2.1)) == 1
    assert desk.turn(3600) == []
    desk.connect()
    assert len(desk.turn()) == 1


def test_session_that_just_began_is_given_time_to_subscribe(desk: Desk) -> None:
    desk.ask()
    desk.connect()
    desk.connection.query(
        "UPDATE device_session SET connected_us = ? WHERE device_id = ?", (desk.now, desk.device.row)
    )
    assert desk.turn() == []
    assert len(desk.turn(0.25)) == 1


def test_unanswered_command_comes_after_longer_and_longer_pauses_and_then_rests(desk: Desk) -> None:
    desk.ask(lasts_s=86_400)
    desk.connect()
    assert numbers(desk.turn()) == [0]
    for tries in range(1, TRIES):
        assert desk.turn(pause_us(tries) / 1e6 - 0.01) == []
        assert numbers(desk.turn(0.02)) == [tries]
    assert desk.turn(3600) == []


@pytest.mark.parametrize("how", ["connect", "boot"])
def test_device_that_shows_itself_anew_gets_it_at_once(desk: Desk, how: str) -> None:
    command_id = desk.ask(lasts_s=86_400)
    desk.connect()
    for _ in range(TRIES):
        desk.turn(121)
    if how == "connect":
        desk.disconnect()
        desk.connect()
    else:
        desk.boot()
    [sent] = desk.turn()
    assert desk.opened(sent).command_id.hex() == command_id
    assert desk.column("tries_here", command_id) == 1
    assert desk.column("tries", command_id) == TRIES + 1


def test_numbers_begin_anew_with_the_epoch_and_never_within(desk: Desk) -> None:
    desk.ask(lasts_s=86_400)
    desk.connect()
    assert numbers(desk.turn()) == [0]
    desk.ask()
    assert numbers(desk.turn()) == [1]
    desk.boot()
    assert sorted(numbers(desk.turn())) == [0, 1]


def test_keys_of_an_earlier_epoch_than_before_send_nothing(desk: Desk) -> None:
    """A restored copy of the database, or a root that began too low, must not repeat a number."""
    desk.boot()
    desk.ask(lasts_s=86_400)
    desk.connect()
    assert numbers(desk.turn()) == [0]
    desk.connection.query(
        "UPDATE downlink_counter SET epoch = epoch + 1 WHERE device_id = ?", (desk.device.row,)
    )
    assert desk.turn(10) == []
    assert desk.turn(10) == []


def test_epoch_without_numbers_sends_nothing_until_the_next(desk: Desk) -> None:
    desk.ask(lasts_s=86_400)
    desk.connect()
    desk.turn()
    desk.connection.query(
        "UPDATE downlink_counter SET next_seq = ? WHERE device_id = ?", (MAX_SEQUENCE + 1, desk.device.row)
    )
    assert desk.turn(10) == []
    desk.boot()
    assert numbers(desk.turn()) == [0]


def test_so_many_are_on_their_way_and_the_next_waits_for_the_oldest(desk: Desk) -> None:
    ids = [desk.ask() for _ in range(OPEN_AT_ONCE + 3)]
    desk.connect()
    assert len(desk.turn()) == OPEN_AT_ONCE
    for newer in ids[1:10]:
        desk.connection.query("UPDATE downlink SET state = 'acknowledged' WHERE command_id = ?", (newer,))
    assert desk.turn() == []  # the oldest may come again, and the device remembers only so many ids
    desk.connection.query("UPDATE downlink SET state = 'acknowledged' WHERE command_id = ?", (ids[0],))
    assert [desk.opened(one).command_id.hex() for one in desk.turn()] == ids[OPEN_AT_ONCE:]


def test_cancelled_command_is_not_sent_though_it_was_due(desk: Desk) -> None:
    command_id = desk.ask()
    desk.connect()
    desk.connection.query("UPDATE downlink SET state = 'cancelled' WHERE command_id = ?", (command_id,))
    assert desk.turn() == []


def test_foreign_key_file_sends_nothing_and_harms_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.ask(lasts_s=86_400)
    desk.connect()
    foreign = Queue(KeyFile(b"x" * 32))
    assert foreign.turn(desk.connection, desk.now) == []
    assert "can't be read" in caplog.text
    caplog.clear()
    assert foreign.turn(desk.connection, desk.now + 10_000_000) == []
    assert not caplog.records  # not twice a second
    assert len(desk.turn(121)) == 1


def test_expired_and_foreign_owned_are_closed_without_their_bodies(desk: Desk) -> None:
    late, other = desk.ask(lasts_s=5), desk.ask(lasts_s=86_400)
    desk.connection.query("UPDATE downlink SET ownership_period = 0 WHERE command_id = ?", (other,))
    desk.turn(6)
    assert [desk.column("state", one) for one in (late, other)] == ["expired", "cancelled"]
    assert [bytes(desk.column("body", one)) for one in (late, other)] == [b"", b""]  # type: ignore[call-overload]


def test_restored_copy_uses_no_number_again(desk: Desk, tmp_path: Path) -> None:
    """The device ran on since the copy: epoch and number that the copy knows may both have been used."""
    mark = tmp_path / "downlink.mark"
    assert notice_restore(desk.connection, mark, "a" * 32, desk.now) in {0, desk.now}
    assert notice_restore(desk.connection, mark, "b" * 32, desk.now) in {0, desk.now}  # nothing happened
    assert mark.read_text() == "a" * 32
    desk.ask(lasts_s=86_400)
    mark.unlink()  # a new folder, with the copy in it
    restored = notice_restore(desk.connection, mark, "c" * 32, desk.now)
    assert restored == desk.now
    desk.queue = Queue(desk.plant.key_file, restored)
    desk.connect()
    assert desk.turn(1) == []  # it has not been heard: its epoch may be another
    desk.boot()
    assert desk.turn(1) == []
    desk.connection.query("UPDATE device SET last_seen_us = ? WHERE id = ?", (desk.now + 1, desk.device.row))
    assert desk.turn(121) == []  # heard, in an epoch in which numbers may have been used
    desk.boot()
    assert numbers(desk.turn(121)) == [0]
    assert notice_restore(desk.connection, mark, "d" * 32, desk.now) == restored
