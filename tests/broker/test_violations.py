from pathlib import Path

import pytest

from doorstep.broker.violations import LogTail, read_violation

HEAD = b'[1] 2026/11/21 22:12:53.691517 [ERR] 127.0.0.1:5 - mid:24 - "abcdefgh" - '
PUBLISH = HEAD + b'Publish Violation - Subject "%b"'
SUBSCRIBE = HEAD + b'Subscription Violation - Subject ">", SID >'


@pytest.mark.parametrize(
    ("subject", "topic"),
    [
        (b"u.2.bbbbbbbb.data", "d/bbbbbbbb/up/data"),
        (b"foo.bar", "foo/bar"),
        (b"d.bbbbbbbb.down.cmd", "d/bbbbbbbb/down/cmd"),
    ],
)
def test_forbidden_publish_becomes_a_letter_with_its_topic(subject: bytes, topic: str) -> None:
    letter = read_violation(PUBLISH % subject, 5)
    assert letter is not None
    assert (letter.at_us, letter.device_id, letter.topic) == (5, "abcdefgh", topic)
    assert letter.reason == "forbidden_topic"
    assert "dropped" in letter.detail


def test_forbidden_subscription_becomes_a_letter() -> None:
    letter = read_violation(SUBSCRIBE, 5)
    assert letter is not None
    assert (letter.topic, letter.detail.split()[0]) == (">", "refused")


@pytest.mark.parametrize(
    "line", [b"", b"[INF] Server is ready", b'[ERR] x - "abcdefgh" - authentication error', b"\xff" * 9000]
)
def test_other_lines_are_no_letters(line: bytes) -> None:
    assert read_violation(line, 5) is None


def test_tail_gives_new_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"old\n")
    tail = LogTail(path)
    with path.open("ab") as log:
        log.write(b"one\ntw")
        log.flush()
        assert list(tail.new_lines()) == [b"one"]
        log.write(b"o\n")
    assert list(tail.new_lines()) == [b"two"]
    assert list(tail.new_lines()) == []
    tail.close()


def test_tail_follows_a_file_that_comes_later_and_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = LogTail(path)
    assert list(tail.new_lines()) == []
    path.write_bytes(b"first\n")
    assert list(tail.new_lines()) == [b"first"]
    with path.open("ab") as log:
        log.write(b"before\n")
    path.rename(tmp_path / "log.1")
    assert list(tail.new_lines()) == [b"before"]
    path.write_bytes(b"after\n")
    assert list(tail.new_lines()) == [b"after"]
    tail.close()
