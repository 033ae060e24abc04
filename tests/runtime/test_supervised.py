"""The status file says what the supervisor knows and survives a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.runtime.state import StateFolder
from doorstep.runtime.supervised import RoleStatus, Status, lives, read, write
from tests.wait import until

STATUS = Status(1, 2.0, {"web": RoleStatus("running", 3, 4.0, 5, "killed by signal 9")})


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.open(tmp_path / "state")


def test_reader_gets_what_was_written(state: StateFolder) -> None:
    assert read(state) is None
    write(state, STATUS)
    assert read(state) == STATUS


def test_full_disk_leaves_the_status_before(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    write(state, STATUS)

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_room)
    write(state, Status(9, 9.0, {}))
    assert read(state) == STATUS


def test_process_lives_until_it_is_gone() -> None:
    assert lives(os.getpid())
    assert lives(1)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        until(lambda: not lives(process.pid))  # dead, and not waited for
        process.wait()
    assert not lives(process.pid)
