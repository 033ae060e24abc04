"""A device behind a network that loses, doubles, reorders and forges, with power cuts on both sides."""

import dataclasses
import os
import random
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doorstep.messaging.envelope import parse, parse_session
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from doorstep.messaging.state import SealedState, StoredState
from doorstep.messaging.static import EPOCH_ZERO_S, StaticSealer, opener_for
from doorstep.messaging.variant import RATCHET_8, VARIANTS, Variant

ROOT, KID, UP = bytes(range(32)), b"abcde", b"up/data"
KNOWN = {RejectReason.REPLAYED, RejectReason.TOO_OLD, RejectReason.EPOCH_PAST}


class Device:
    """Flash that survives, and a sealer that does not; each plaintext is another number."""

    now_s = 0

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

    def __init__(self, variant: Variant = RATCHET_8) -> None:
        self.row: StoredState = SealedState.first(ROOT, 0, variant).columns()
        self.variant = variant
        self.stored: list[bytes] = []
        self.now_us = 0
        self.restart()

    def restart(self) -> None:
        self.opener = opener_for(KID, SealedState.from_columns(self.row))

    def take(self, message: bytes, channel: bytes = UP) -> RejectReason | None:
        try:
            opened = self.opener.open(message, channel, self.now_us)
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


class StaticDevice(Device):
    """It has no flash at all, and boots at another second each time."""

    def __init__(self, variant: Variant, rng: random.Random) -> None:
        self.variant, self.rng, self.now_s = variant, rng, EPOCH_ZERO_S + 1
        super().__init__()

    def boot(self) -> None:
        self.now_s += 1
        self.sealer = StaticSealer(KID, ROOT, self.variant, self.now_s, self.rng.randbytes)


@dataclass
class Tally:
    """What became of a run."""

    stored: int = 0
    boots: int = 0
    replayed: int = 0
    flipped: int = 0
    moved: int = 0
    downgraded: int = 0


def bad_network(count: int, variant: Variant = RATCHET_8) -> Tally:
    """Run 20 % loss, shuffled neighbours, copies, flips, moves, downgrades, and a boot in 40 messages or so.

    Every delivered message is stored once; everything else is refused.
    """
    rng, tally = random.Random(7), Tally()
    device = StaticDevice(variant, rng) if variant.is_static else RatchetDevice(variant)
    platform = Platform(variant)
    stream = arriving(device, count, rng, tally)
    for start in range(0, len(stream), 8):
        window = stream[start : start + 8]
        epochs = {parse(message, variant).epoch for message, _, _ in window}
        if len(epochs | {platform.row.epoch}) <= 2:  # no third epoch: order is free
            rng.shuffle(window)
        for message, _, now_s in window:
            platform.now_us = now_s * 1_000_000
            attack(platform, message, rng, tally)
            assert platform.take(message) is None
            if rng.random() < 0.25:
                assert platform.take(message) is RejectReason.REPLAYED
                tally.replayed += 1
            if rng.random() < 0.01:
                platform.restart()
    assert sorted(platform.stored) == sorted(text for _, text, _ in stream)
    tally.stored = len(platform.stored)
    return tally


def arriving(device: Device, count: int, rng: random.Random, tally: Tally) -> list[tuple[bytes, bytes, int]]:
    """Return what a lossy network lets through, with each message's content and time."""
    stream = []
    for _ in range(count):
        if rng.random() < 1 / 40:
            device.boot()
            tally.boots += 1
        message, text = device.seal()
        if rng.random() >= 0.2:
            stream.append((message, text, device.now_s))
    return stream


def attack(platform: Platform, message: bytes, rng: random.Random, tally: Tally) -> None:
    """Try a message that has not come yet: damaged, on another channel, under another variant."""
    forged = {RejectReason.WRONG_TAG, RejectReason.MALFORMED}
    if rng.random() < 0.25:
        assert platform.take(flipped(message, rng.randrange(1 << 16))) is not None
        tally.flipped += 1
    if rng.random() < 0.25:
        assert platform.take(message, b"up/state") is RejectReason.WRONG_TAG
        tally.moved += 1
    if rng.random() < 0.25:
        assert platform.take(downgraded(message, platform.variant, rng)) in forged
        tally.downgraded += 1


class RatchetDevice(Device):
    """`Device` of any variant that ratchets."""

    def __init__(self, variant: Variant) -> None:
        self.variant, self.now_s = variant, 0
        super().__init__()

    def boot(self) -> None:
        loaded = self.flash
        self.flash = next_boot(loaded)
        self.sealer = DeviceSealer(KID, loaded, self.variant)


def downgraded(message: bytes, variant: Variant, rng: random.Random) -> bytes:
    """Return what another variant seals in the epoch of a message, with the same root."""
    envelope, _ = parse_session(message, variant)
    other = rng.choice([one for one in VARIANTS.values() if one is not variant])
    sealer: DeviceSealer
    if other.is_static:
        sealer = StaticSealer(KID, ROOT, other, EPOCH_ZERO_S + max(1, envelope.epoch), rng.randbytes)
    else:
        sealer = DeviceSealer(KID, DeviceState(ROOT, envelope.epoch), other)
    sealer.next_sequence = 60_000  # beyond what the window has seen
    return sealer.seal(UP, b"21.5")


@pytest.mark.parametrize("name", VARIANTS)
def test_platform_stores_each_delivered_message_once_and_nothing_else(name: str) -> None:
    """SEAL: loss, reordering, reboots, replays, flips, channel moves and downgrades; see `tasks.py`."""
    tally = bad_network(1_000 if name == RATCHET_8.name else 400, VARIANTS[name])
    assert min(dataclasses.astuple(tally)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_platform_stores_each_of_many_messages_once(name: str) -> None:
    """20,000 messages and 500 boots of each: ``DOORSTEP_TEST_MESSAGES=20000``; else a tenth of it."""
    count = int(os.environ.get("DOORSTEP_TEST_MESSAGES", "2000"))
    tally = bad_network(count, VARIANTS[name])
    print(f"{name}: {count} messages, {tally}")  # noqa: T201 - the figures of the full run
    assert tally.boots >= count // 60
