"""A device behind a network that loses, doubles, reorders and forges, with power cuts on both sides."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doorstep.messaging.envelope import parse
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.opener import Opener
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from doorstep.messaging.state import SealedState, StoredState

ROOT, KID, UP = bytes(range(32)), b"abcde", b"up/data"
KNOWN = {RejectReason.REPLAYED, RejectReason.TOO_OLD, RejectReason.EPOCH_PAST}


class Device:
    """Flash that survives, and a sealer that does not; each plaintext is another number."""

    def __init__(self) -> None:
        self.flash = DeviceState(ROOT)
        self.count = 0
        self.boot()

    def boot(self) -> None:
        loaded = self.flash
        self.flash = next_boot(loaded)  # stored before anything is sent
        self.sealer = DeviceSealer(KID, loaded)

    def seal(self) -> tuple[bytes, bytes]:
        self.count += 1
        text = b"%d" % self.count
        return self.sealer.seal(UP, text), text


class Platform:
    """An opener that may be thrown away between messages, and what was stored."""

    def __init__(self) -> None:
        self.row: StoredState = SealedState.first(ROOT).columns()
        self.stored: list[bytes] = []
        self.restart()

    def restart(self) -> None:
        self.opener = Opener(KID, SealedState.from_columns(self.row))

    def take(self, message: bytes) -> RejectReason | None:
        try:
            opened = self.opener.open(message, UP, 0)
        except Rejected as rejected:
            return rejected.reason
        self.stored.append(opened[2])
        self.row = self.opener.snapshot().columns()
        return None


def flipped(message: bytes, place: int) -> bytes:
    changed = bytearray(message)
    changed[place // 8 % len(changed)] ^= 1 << place % 8
    return bytes(changed)


class BadNetwork(RuleBasedStateMachine):
    """Whatever happens, each delivered message is stored once and nothing else is."""

    def __init__(self) -> None:
        super().__init__()
        self.device, self.platform = Device(), Platform()
        self.delivered: list[bytes] = []
        self.seen: list[bytes] = []
        self.held: list[tuple[bytes, bytes]] = []  # of this epoch and at most 60 numbers old

    @rule()
    def deliver(self) -> None:
        self._deliver(*self.device.seal())

    @rule()
    def lose(self) -> None:
        self.device.seal()

    @precondition(lambda self: len(self.held) < 20)
    @rule()
    def hold(self) -> None:
        self.held.append(self.device.seal())

    @precondition(lambda self: self.held)
    @rule(place=st.integers(0, 19))
    def deliver_late(self, place: int) -> None:
        message, text = self.held.pop(place % len(self.held))
        high, sequence = self.platform.opener.progress().seq_high, parse(message).sequence
        if sequence > high - 64 or self._first_of_epoch(message):
            self._deliver(message, text)
        else:
            assert self.platform.take(message) is RejectReason.TOO_OLD

    @rule()
    def cut_power_of_device(self) -> None:
        self.device.boot()
        self.held.clear()

    @rule()
    def kill_platform(self) -> None:
        self.platform.restart()

    @precondition(lambda self: self.seen)
    @rule(place=st.integers(0, 999))
    def replay(self, place: int) -> None:
        assert self.platform.take(self.seen[place % len(self.seen)]) in KNOWN

    @precondition(lambda self: self.seen)
    @rule(place=st.integers(0, 999))
    def flip(self, place: int) -> None:
        assert self.platform.take(flipped(self.seen[-1], place)) is not None

    @invariant()
    def stored_is_delivered(self) -> None:
        assert self.platform.stored == self.delivered

    def _deliver(self, message: bytes, text: bytes) -> None:
        assert self.platform.take(message) is None
        self.delivered.append(text)
        self.seen.append(message)

    def _first_of_epoch(self, message: bytes) -> bool:
        return parse(message).epoch > self.platform.row.epoch


BadNetwork.TestCase.settings = settings(max_examples=40, stateful_step_count=60)
TestBadNetwork = BadNetwork.TestCase


def bad_network(count: int) -> None:
    """Run 20 % loss, shuffled neighbours, copies and flips, and a boot every 40 messages or so."""
    rng = random.Random(7)
    device, platform = Device(), Platform()
    stream: list[tuple[bytes, bytes]] = []
    for _ in range(count):
        if rng.random() < 1 / 40:
            device.boot()
        sent = device.seal()
        if rng.random() >= 0.2:
            stream.append(sent)
    for start in range(0, len(stream), 8):
        window = stream[start : start + 8]
        epochs = {parse(message).epoch for message, _ in window}
        if epochs <= {platform.row.epoch, platform.row.epoch + 1}:  # no third epoch: order is free
            rng.shuffle(window)
        for message, _ in window:
            if rng.random() < 0.25:
                assert platform.take(flipped(message, rng.randrange(1 << 16))) is not None
            assert platform.take(message) is None
            if rng.random() < 0.25:
                assert platform.take(message) is RejectReason.REPLAYED
    assert device.flash.epoch > count / 60
    assert sorted(platform.stored) == sorted(text for _, text in stream)


def test_platform_stores_each_of_two_thousand_messages_once() -> None:
    bad_network(2_000)


@pytest.mark.slow
def test_platform_stores_each_of_twenty_thousand_messages_once() -> None:
    bad_network(20_000)
