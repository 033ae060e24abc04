"""A root changes over a cable, for products that say so; whoever carries it learns nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.cli.keys import carry
from doorstep.device.byhand import ENDPOINT, ByHand
from doorstep.errors import PeerError
from doorstep.messaging.envelope import MAX_SEQUENCE
from doorstep.messaging.errors import Rejected
from doorstep.messaging.rotation.keys import Change
from doorstep.provisioner.link import Link
from doorstep.server.channels.models import DownlinkCounter
from doorstep.server.fleet.by_hand import Hand, NoNewNumber
from doorstep.server.fleet.models import Device, KeyRotation
from doorstep.server.fleet.rotation import CannotRotate, rotate_root
from tests.server.fleet.line import Line


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    product = made.row.product
    product.roots_by_hand = True
    product.save()
    assert made.say()
    yield made
    made.close()


class Cable(Link):
    """A cable to the device's endpoint."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.carried: list[bytes] = []

    async def close(self) -> None:
        pass

    async def _ask(self, endpoint: str, body: bytes) -> bytes:
        assert endpoint == ENDPOINT
        reply = await ByHand(self.line.changes).answer(body, b"")
        self.carried += [body, reply]
        return reply


@pytest.mark.parametrize("change", [Change.FRESH, Change.EXCHANGED])
def test_root_changes_over_a_cable(line: Line, change: Change) -> None:
    line.boot()  # the platform has not heard of this epoch
    old = line.store.keys().boot.root
    rotation = rotate_root(line.row, "operator", now_us=line.now_us, change=change, by_hand=True)
    cable = Cable(line)
    bring(rotation, cable)
    rotation.refresh_from_db()
    assert rotation.outcome == "done"
    assert line.store.keys().boot.root != old
    assert line.say()
    line.boot()
    assert line.say()


def bring(rotation: KeyRotation, cable: Cable) -> None:
    with asyncio.Runner() as runner:
        carry(rotation, cable, runner)


def test_restored_platform_uses_no_number_again(line: Line) -> None:
    """Numbers of the device's present epoch may have been used that the copy does not know of."""
    rotation = rotate_root(line.row, "operator", now_us=line.now_us, by_hand=True)
    known = {"epoch": 0, "next_seq": MAX_SEQUENCE + 1, "awaiting": True}
    DownlinkCounter.objects.update_or_create(device=line.row, defaults=known)  # as ``downlink`` notices it
    for _ in range(2):
        with pytest.raises(NoNewNumber, match="surely new"):
            bring(rotation, Cable(line))
    line.boot()
    bring(rotation, Cable(line))
    rotation.refresh_from_db()
    assert rotation.outcome == "done"


def test_device_that_was_blocked_meanwhile_changes_no_root(line: Line) -> None:
    rotation = rotate_root(line.row, "operator", now_us=line.now_us, by_hand=True)
    Device.objects.filter(pk=line.row.pk).update(blocked=True)
    old = line.store.keys().boot.root
    with pytest.raises(CannotRotate, match="blocked"):
        bring(rotation, Cable(line))
    assert line.store.keys().boot.root == old
    Device.objects.filter(pk=line.row.pk).update(blocked=False)
    bring(rotation, Cable(line))
    rotation.refresh_from_db()
    assert rotation.outcome == "done"


def test_what_was_carried_is_worthless_a_second_time(line: Line) -> None:
    rotation = rotate_root(line.row, "operator", now_us=line.now_us, by_hand=True)
    cable = Cable(line)
    bring(rotation, cable)
    for message in cable.carried:
        with pytest.raises(PeerError):
            Hand(rotation).hear(message, line.now_us)
        if message:
            with pytest.raises(Rejected):
                asyncio.run(ByHand(line.changes).answer(message, b""))
            assert line.deliver("ack", message) in (["wrong_tag"], ["replayed"], ["epoch_past"], [])
    assert line.say()
