"""The contract of a Sink, kept by every database."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorstep.ingest.batch import Batch, MessageRow, Suspect
from doorstep.ingest.sink import Sink, StaleDevices
from doorstep.ingest.store_postgres import PostgresSink
from doorstep.ingest.store_sqlite import SqliteSink
from doorstep.messaging.opener import Progress
from doorstep.messaging.state import SealedState
from doorstep.runtime.database import PostgresConnection, SqliteConnection
from doorstep.runtime.dead_letters import Letter
from doorstep.runtime.sealed_rows import read_sealed, sealed_row
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.plant import Plant
from tests.plants import MakePlant

NOW = 1_700_000_000_000_000
MADE: dict[str, Callable[[], Sink[Any]]] = {"sqlite": SqliteSink, "postgresql": PostgresSink}


@dataclasses.dataclass
class Place:
    """A sink on a database with two devices."""

    plant: Plant
    sink: Sink[Any]
    connection: SqliteConnection | PostgresConnection
    devices: list[TestDevice]

    def store(self, batch: Batch) -> None:
        self.sink.store(self.connection, batch)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        rows = self.connection.query(sql.replace("$", str(self.devices[0].row)))
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]

    def batch(self, *sequences: int, **parts: Any) -> Batch:
        return Batch(NOW, [self.row(sequence) for sequence in sequences], **parts)

    def row(self, sequence: int) -> MessageRow:
        return MessageRow(self.devices[0].row, 0, sequence, "data", NOW, 1, 2, b"\x00payload\xff")

    def letter(self, reason: str, at_us: int = NOW) -> Letter:
        return Letter(at_us, self.devices[0].device_id, "d/x/up/data", reason, "why", b"content")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, make_plant: MakePlant, places: dict[str, Plant]) -> Iterator[Place]:
    if request.param not in places:
        places[request.param] = make_plant(request.param)
    plant = places[request.param]
    connection = plant.connect()
    yield Place(plant, MADE[request.param](), connection, add_devices(plant, 2))
    connection.close()


@pytest.fixture(scope="module")
def places() -> dict[str, Plant]:
    return {}


def test_sink_stores_rows_as_they_are(place: Place) -> None:
    place.store(place.batch(0, 1))
    sql = "SELECT epoch, seq, channel, received_us, ownership_period, reading_count, payload FROM message"
    stored = place.query(f"{sql} WHERE device_id = $ ORDER BY seq")
    assert stored == [(0, n, "data", NOW, 1, 2, b"\x00payload\xff") for n in (0, 1)]


def test_sink_stores_many_rows_and_no_rows(place: Place) -> None:
    place.store(place.batch())
    place.store(place.batch(*range(1_234)))
    assert place.query("SELECT count(*) FROM message WHERE device_id = $") == [(1_234,)]


def test_sink_keeps_the_first_of_two_rows_with_one_number(place: Place) -> None:
    place.store(place.batch(0))
    place.store(Batch(NOW, [place.row(0)._replace(payload=b"other"), place.row(1)]))
    stored = place.query("SELECT seq, payload FROM message WHERE device_id = $ ORDER BY seq")
    assert stored == [(0, b"\x00payload\xff"), (1, b"\x00payload\xff")]


def test_sink_loads_devices_that_exist_with_their_keys(place: Place) -> None:
    names = [device.device_id for device in place.devices]
    loaded = {row.device_id: row for row in place.sink.load(place.connection, [*names, "nobody"])}
    assert set(loaded) == set(names)
    first = loaded[names[0]]
    assert (first.row, first.blocked, first.life, first.generation, first.ownership_period) == (
        place.devices[0].row, False, "owned", 1, 1,
    )  # fmt: skip
    assert first.sealed is not None
    state = read_sealed(place.plant.key_file, names[0], first.sealed)
    assert state == SealedState.first(place.devices[0].state.root)


def test_sink_loads_more_devices_than_one_statement_takes(place: Place) -> None:
    names = [f"x{number}" for number in range(1_200)] + [place.devices[1].device_id]
    assert [row.row for row in place.sink.load(place.connection, names)] == [place.devices[1].row]


def test_sink_saves_progress_and_whole_states(place: Place) -> None:
    first, second = place.devices
    state = SealedState.first(b"r" * 32, 7)
    whole = sealed_row(place.plant.key_file, second.device_id, state)
    windows = Progress(9, -(1 << 63), 4, 5)
    place.store(place.batch(0, progress={first.row: windows}, states={second.row: whole}))
    loaded = place.sink.load(place.connection, [first.device_id, second.device_id])
    stored = {row.row: row.sealed for row in loaded}
    one, two = stored[first.row], stored[second.row]
    assert one is not None
    assert two is not None
    assert (one.seq_high, one.window_bits, one.previous_seq_high, one.previous_window_bits) == windows
    restored = read_sealed(place.plant.key_file, second.device_id, two)
    assert restored.columns() == state.columns()


def test_sink_refuses_stale_devices_and_stores_nothing(place: Place) -> None:
    row = place.devices[0].row
    place.store(place.batch(0, generations={row: 1}))
    letters = [place.letter("wrong_tag")]
    with pytest.raises(StaleDevices):
        place.store(place.batch(1, generations={row: 0}, letters=letters))
    assert place.query("SELECT seq FROM message WHERE device_id = $") == [(0,)]
    assert dead(place) == []
    place.store(place.batch(1, generations={row: 1}, letters=letters))
    assert dead(place) == [("wrong_tag", 1)]


def test_sink_refuses_devices_that_are_gone(place: Place) -> None:
    with pytest.raises(StaleDevices):
        place.store(place.batch(0, generations={10**9: 1}))


def test_sink_writes_letters_once_a_minute(place: Place) -> None:
    for _ in range(3):
        place.store(place.batch(letters=[place.letter("wrong_tag"), place.letter("malformed")]))
    place.store(place.batch(letters=[place.letter("wrong_tag", NOW + 60_000_000)]))
    assert dead(place) == [("wrong_tag", 3), ("malformed", 3), ("wrong_tag", 1)]


def test_sink_drops_repeats_of_stored_messages_and_records_the_others(place: Place) -> None:
    place.store(place.batch(0, 1))
    row = place.devices[0].row
    suspects = [Suspect(row, 0, sequence, place.letter("too_old")) for sequence in (0, 1, 2)]
    place.store(place.batch(suspects=suspects))
    assert dead(place) == [("too_old", 1)]
    assert place.sink.duplicates == 2


def test_sink_marks_when_a_device_was_seen_once_a_second(place: Place) -> None:
    seen = "SELECT last_seen_us FROM device WHERE id = $"
    place.store(place.batch(0))
    place.store(dataclasses.replace(place.batch(1), received_us=NOW + 1))
    assert place.query(seen) == [(NOW,)]
    place.store(dataclasses.replace(place.batch(2), received_us=NOW + 1_000_000))
    assert place.query(seen) == [(NOW + 1_000_000,)]


def dead(place: Place) -> list[tuple[Any, ...]]:
    device = place.devices[0].device_id
    return place.query(f"SELECT reason, count FROM dead_letter WHERE device_id = '{device}' ORDER BY id")
