"""A role's beat is read as it was written, and a full disk silences nobody."""

import os
from pathlib import Path

import pytest

from doorstep.runtime import heartbeat
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.open(tmp_path / "state")


def test_role_that_never_beat_has_no_pulse(state: StateFolder) -> None:
    assert heartbeat.read(state, "web") is None


def test_reader_sees_the_last_beat(state: StateFolder) -> None:
    beat = Heartbeat(state, "ingest", started=1.0)
    beat.beat(messages=1)
    beat.beat(messages=2, problem="none")
    pulse = heartbeat.read(state, "ingest")
    assert pulse is not None
    assert (pulse.pid, pulse.started, pulse.figures) == (os.getpid(), 1.0, {"messages": 2, "problem": "none"})
    assert pulse.at >= pulse.started
    assert [path.name for path in state.run.iterdir()] == ["ingest.json"]


def _no_room(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_full_disk_leaves_a_newer_beat_with_older_figures(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = Heartbeat(state, "ingest")
    beat.beat(messages=1)
    os.utime(state.run / "ingest.json", (0, 0))
    before = heartbeat.read(state, "ingest")
    monkeypatch.setattr(Path, "write_text", _no_room)
    beat.beat(messages=2)
    after = heartbeat.read(state, "ingest")
    assert before is not None
    assert after is not None
    assert after.figures == {"messages": 1}
    assert after.at > before.at


def test_full_disk_at_the_first_beat_is_no_crash(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_text", _no_room)
    Heartbeat(state, "ingest").beat()
    assert heartbeat.read(state, "ingest") is None
