"""The roles' logs stay capped and readable."""

from pathlib import Path

import pytest

from doorstep.supervisor import logs


def test_rotation_keeps_one_older_log_and_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    with logs.opened(path) as writer:
        writer.write(b"old\n" * 10)
        logs.rotate(path, longest=20)
        writer.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"old\n" * 10
    assert path.stat().st_mode & 0o077 == 0


def test_rotation_leaves_short_and_missing_logs(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    logs.rotate(path)
    path.write_bytes(b"short")
    logs.rotate(path, longest=5)
    assert path.read_bytes() == b"short"
    assert not (tmp_path / "web.log.1").exists()


def test_rotation_without_room_drops_the_older_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "web.log"
    path.write_bytes(b"x" * 100)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", no_room)
    logs.rotate(path, longest=5)
    assert path.read_bytes() == b""


def test_tail_returns_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    assert logs.tail(path) == ""
    path.write_text("\n".join(f"line {number}" for number in range(3000)), encoding="utf-8")
    assert logs.tail(path, 2) == "line 2998\nline 2999"
