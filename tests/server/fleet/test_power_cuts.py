"""KEY-01 on the real things: power fails at every write of the device's store and the platform's tables."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from doorstep.device import store as device_store
from doorstep.identity.rotation import Stage
from doorstep.runtime.database import SqliteConnection
from doorstep.runtime.state import write_private
from doorstep.server.fleet.models import KeyRotation
from doorstep.server.fleet.rotation import change_owner_root, rotate_root
from tests.server.fleet.line import Line

CUTS = int(os.environ.get("DOORSTEP_TEST_POWER_CUTS", "12"))
"""Rotations with a cut; 1,000 is the full count (``python3 tasks.py power-cuts``)."""

_OF_ONE_DEVICE = 25
_WRITES = 48
"""Writes of both ends in one rotation, boots included."""

_MANNERS = ("before", "half", "after")


class PowerCut(BaseException):
    """Nothing catches it, as nothing catches a power cut."""

    def __init__(self, end: str) -> None:
        super().__init__(end)
        self.end = end


class Cutter:
    """Counts writes of both ends, and cuts the power at one of them."""

    def __init__(self) -> None:
        self.writes = 0
        self.at = 0
        self.manner = "before"

    def plan(self, at: int, manner: str) -> None:
        self.writes, self.at, self.manner = 0, at, manner

    def keep(self, path: Path, data: bytes) -> None:
        """Stand in for `write_private`: durable, not at all, or a half-written file beside the old one."""
        self.writes += 1
        cut = self.writes == self.at
        if cut and self.manner == "half":
            path.with_name(f".{path.name}.1").write_bytes(data[: len(data) // 2])
        if cut and self.manner != "after":
            raise PowerCut("device")
        write_private(path, data)
        if cut:
            raise PowerCut("device")

    def count_sql(self, sql: str) -> None:
        """Cut before a statement that writes: what came before it in the transaction is rolled back."""
        if not sql.lstrip().startswith(("UPDATE", "INSERT", "DELETE")):
            return
        self.writes += 1
        if self.writes == self.at:
            raise PowerCut("platform")

    def wrap(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        self.count_sql(sql)
        return execute(sql, *arguments)


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cutter]:
    made = Cutter()
    query, many = SqliteConnection.query, SqliteConnection.execute_many

    def counted_query(self: SqliteConnection, sql: str, parameters: Sequence[Any] = ()) -> Any:
        made.count_sql(sql)
        return query(self, sql, parameters)

    def counted_many(self: SqliteConnection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        made.count_sql(sql)
        many(self, sql, rows)

    monkeypatch.setattr(device_store, "write_private", made.keep)
    monkeypatch.setattr(SqliteConnection, "query", counted_query)
    monkeypatch.setattr(SqliteConnection, "execute_many", counted_many)
    with connection.execute_wrapper(made.wrap):
        yield made


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    assert made.say()
    yield made
    made.close()


@contextmanager
def survived(line: Line) -> Iterator[None]:
    """Start the end that lost its power again."""
    try:
        yield
    except PowerCut as cut:
        if cut.end == "device":
            line.boot()


def rotate(line: Line, cutter: Cutter, at: int, manner: str, begin: Callable[..., KeyRotation]) -> None:
    cutter.plan(at, manner)
    before = line.store.keys().boot.root
    for _ in range(2):  # a click that a power cut swallowed is repeated
        with survived(line):
            if not line.row.rotations.exclude(stage=Stage.SETTLED.value).exists():
                begin(line.row, "user:1", now_us=line.now_us)
    rotation = line.row.rotations.order_by("number").last()
    assert rotation is not None
    for _ in range(30):
        with survived(line):
            line.turn()
        rotation.refresh_from_db()
        if rotation.stage == Stage.SETTLED.value and cutter.writes >= at:
            break
    assert rotation.outcome == "done", f"cut {manner} write {at}: {rotation.stage}, {rotation.detail}"
    cutter.plan(0, "before")
    assert line.store.keys().boot.root != before
    line.boot()
    assert line.say(), f"stuck after a cut {manner} write {at}"


@pytest.mark.parametrize("first", range(0, CUTS, _OF_ONE_DEVICE))
def test_none_of_many_rotations_with_a_cut_leaves_the_device_stuck(
    line: Line, cutter: Cutter, first: int
) -> None:
    plans = [(at, manner) for at in range(1, _WRITES) for manner in _MANNERS]
    random.Random(7).shuffle(plans)
    begins = (rotate_root, change_owner_root)
    for number in range(first, min(first + _OF_ONE_DEVICE, CUTS)):
        at, manner = plans[number % len(plans)]
        rotate(line, cutter, at, manner, begins[number % 2])


def test_device_is_heard_wherever_a_rotation_stops(line: Line, cutter: Cutter) -> None:
    """It stops for good: nobody carries the rotation on, and the device still gets through."""
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    for at in range(1, 14 if CUTS > 100 else 7):
        cutter.plan(at * 3, _MANNERS[at % 3])
        with survived(line):
            line.turn()
        cutter.plan(0, "before")
        line.boot()
        assert line.say(), f"stuck: {rotation.stage}"
