"""The state folder is private, held by one supervisor, and written whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.errors import MisuseError, UnavailableError
from doorstep.runtime.state import StateFolder, write_private


def test_folder_is_made_private(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path / "a" / "state")
    for path in (state.root, state.ca, state.broker, state.mail, state.run, state.logs):
        assert path.is_dir()
        assert path.stat().st_mode & 0o777 == 0o700
    assert {state.key_file.parent, state.sqlite_file.parent} == {state.root}
    assert StateFolder.open(state.root) == state


def test_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.mkdir()
    root.chmod(0o750)
    with pytest.raises(MisuseError, match="open to other users") as refused:
        StateFolder.open(root)
    assert refused.value.next_step == f"Run: chmod 700 {root}"


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UnavailableError, match="can't be made") as refused:
        StateFolder.open(tmp_path / "file" / "state")
    assert "DOORSTEP_STATE" in refused.value.next_step


def test_second_supervisor_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path / "state")
    with state.locked():
        with (
            pytest.raises(MisuseError, match=rf"\(process {os.getpid()}\) runs on") as refused,
            state.locked(),
        ):
            pass
        assert "DOORSTEP_STATE" in refused.value.next_step
    with state.locked():
        pass


def test_lock_of_a_killed_supervisor_is_free(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path / "state")
    code = (
        "import sys, time; from pathlib import Path; from doorstep.runtime.state import StateFolder\n"
        "with StateFolder(Path(sys.argv[1])).locked():\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(state.root)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MisuseError, match=f"process {holder.pid}"), state.locked():
            pass
        holder.kill()
        holder.wait()
    with state.locked():
        pass


def test_private_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_private(path, b"first")
    write_private(path, b"second")
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_keeps_the_file_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    write_private(path, b"first")

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
