"""A root by EDHOC: who stole the old one cannot follow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.identity.ids import kid_of
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.server.fleet import exchanges
from doorstep.server.fleet.models import KeyRotation
from doorstep.server.fleet.rotation import begin_rotation, rotate_root
from tests.server.fleet.line import Line
from tests.server.fleet.test_forward_secrecy import opens


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    assert made.say()
    yield made
    made.close()


def settled(line: Line, turns: int = 20) -> KeyRotation:
    """Return the newest rotation once it is done; one that was broken off has another after it."""
    for _ in range(turns):
        line.turn()
        if (newest := newest_of(line)).outcome == "done":
            return newest
    raise AssertionError(f"still {newest_of(line).stage}: {newest_of(line).detail}")


def newest_of(line: Line) -> KeyRotation:
    newest = line.row.rotations.order_by("number").last()
    assert newest is not None
    return newest


def test_both_ends_exchange_a_root(line: Line) -> None:
    rotation = begin_rotation(line.row, "exchange", "user:1", now_us=line.now_us)
    done = settled(line)
    assert (done, done.kind, done.outcome) == (rotation, "exchanged", "done")
    assert bytes(done.secret) == b""
    assert line.say()
    line.boot()
    assert line.say()


def test_thief_of_the_old_root_cannot_follow_an_exchange(line: Line) -> None:
    """The thief has the old root of the device and hears every message of both ends."""
    stolen = line.store.keys().boot
    rotate_root(line.row, "user:1", now_us=line.now_us, change=Change.EXCHANGED)
    settled(line)
    line.captured.clear()
    line.boot()
    assert line.say()
    kid = kid_of(line.made.device_id)
    assert not any(opens(stolen.root, kid, *message) for message in line.captured)
    forged = DeviceSealer(kid, DeviceState(stolen.root, line.sealing.epoch + 1)).seal(
        b"up/data", b'{"t": 99}'
    )
    assert line.deliver("data", forged) == ["wrong_tag"]
    assert line.say()


def test_platform_that_restarts_in_an_exchange_begins_another(line: Line) -> None:
    first = rotate_root(line.row, "user:1", now_us=line.now_us, change=Change.EXCHANGED)
    line.turn()
    line.turn()
    exchanges._running.clear()
    assert settled(line).number > first.number
    assert line.say()


@pytest.mark.parametrize("turns", range(1, 6))
def test_device_that_boots_in_an_exchange_gets_back(line: Line, turns: int) -> None:
    rotate_root(line.row, "user:1", now_us=line.now_us, change=Change.EXCHANGED)
    for _ in range(turns):
        line.turn()
    line.boot()
    assert line.say()
    settled(line)
    line.boot()
    assert line.say()
