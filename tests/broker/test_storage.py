"""A broker that a failed write has stopped for good is found by its own words."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from doorstep.broker.storage import LEAST_ROOM, StorageWatch

FAILED = (
    b"[7] 2026/11/21 23:22:52.636609 [ERR] JetStream failed to store a msg on stream 'IOT > $MQTT_msgs':"
    b" write 2.blk: no space left on device\n"
)


class _Usage(NamedTuple):
    free: int


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "server.log"
    path.write_bytes(FAILED)
    return path


def write(log: Path, line: bytes) -> None:
    with log.open("ab") as file:
        file.write(line)


def test_watch_finds_a_failed_write_and_remembers_it(log: Path) -> None:
    watch = StorageWatch(log, log.parent)
    assert not watch.why_stuck(b"run 1"), "what an earlier run wrote is over"
    write(log, b"[7] [INF] Server is ready\n")
    assert not watch.why_stuck(b"run 1")
    write(log, FAILED)
    assert "stores nothing" in watch.why_stuck(b"run 1")
    assert "stores nothing" in watch.why_stuck(b"run 1")


def test_watch_begins_again_with_the_next_run(log: Path) -> None:
    watch = StorageWatch(log, log.parent)
    watch.why_stuck(b"run 1")
    write(log, FAILED)
    assert watch.why_stuck(b"run 1")
    assert not watch.why_stuck(b"run 2")


def test_watch_waits_for_room_before_it_asks_for_a_start(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = StorageWatch(log, log.parent)
    watch.why_stuck(b"run 1")
    write(log, FAILED)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(LEAST_ROOM - 1))
    assert not watch.why_stuck(b"run 1")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(LEAST_ROOM))
    assert watch.why_stuck(b"run 1")
