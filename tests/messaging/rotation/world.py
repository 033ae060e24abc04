"""A device and its platform over a line that loses, repeats and delays; power fails at any write of either.

Only what `flash` and `rows` hold survives a cut. The cores are the real ones.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from doorstep.errors import DoorstepError
from doorstep.identity.rotation import Stage
from doorstep.messaging.errors import Rejected
from doorstep.messaging.opener import Opener
from doorstep.messaging.rotation import device, platform
from doorstep.messaging.rotation.device import DeviceKeys
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.rotation.messages import (
    Answer,
    Commit,
    Offer,
    encode,
    from_device,
    from_platform,
)
from doorstep.messaging.rotation.platform import Rotation
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot, seal_downlink
from doorstep.messaging.state import SealedState

KID = b"abcde"
UP, DOWN, DATA = b"up/keys", b"down/keys", b"up/data"


class PowerCut(Exception):
    """The end that wrote is dark now."""


@dataclass
class Cuts:
    """Says at which writes power fails: before the write, or right after it."""

    plan: dict[int, str] = field(default_factory=dict)
    writes: int = 0

    def write(self, store: Callable[[], None]) -> None:
        self.writes += 1
        planned = self.plan.get(self.writes)
        if planned == "before":
            raise PowerCut
        store()
        if planned == "after":
            raise PowerCut


class Device:
    def __init__(self, root: bytes, cuts: Cuts, draw: random.Random) -> None:
        self.flash = DeviceKeys(DeviceState(root))
        self._cuts, self._draw = cuts, draw
        self.out: list[tuple[bytes, bytes]] = []
        self._sealer: DeviceSealer | None = None

    def boot(self) -> None:
        """Begin an epoch, and answer what is staged; the line's memory is gone."""
        self._sealer = None
        self._begin()
        self._answer()

    def _begin(self) -> None:
        state = self.flash.boot
        self._store(DeviceKeys(next_boot(state), self.flash.number, self.flash.pending))
        self._sealer = DeviceSealer(KID, state)

    def say(self, channel: bytes, plaintext: bytes) -> bytes:
        assert self._sealer is not None
        message = self._sealer.seal(channel, plaintext)
        self.out.append((channel, message))
        return message

    def hear(self, message: bytes) -> None:
        assert self._sealer is not None
        try:
            told = from_platform(self._sealer.open(message, DOWN))
            if isinstance(told, Offer):
                self._store(device.stage(self.flash, told, self._draw.randbytes))
                self._answer()
            elif isinstance(told, Commit):
                keys, done = device.commit(self.flash, told)
                if keys != self.flash:
                    self._store(keys)
                    self._begin()
                self.say(UP, encode(done))
        except DoorstepError:
            return

    def _answer(self) -> None:
        said = device.answer(self.flash)
        if said is not None:
            self.say(UP, encode(said))

    def _store(self, keys: DeviceKeys) -> None:
        def store() -> None:
            self.flash = keys

        self._cuts.write(store)


class Platform:
    def __init__(self, root: bytes, cuts: Cuts, draw: random.Random) -> None:
        self.rows: tuple[SealedState, Rotation | None, int] = (SealedState.first(root), None, 0)
        self.number = 0
        self._cuts, self._draw = cuts, draw
        self.out: list[bytes] = []
        self.data: list[bytes] = []
        self.now_us = 0

    @property
    def rotation(self) -> Rotation | None:
        return self.rows[1]

    def start(self, change: Change) -> None:
        self.number += 1
        self._store(self.rows[0], platform.ask(self.number, change, self._draw.randbytes))
        self.remind()

    def remind(self) -> None:
        """Say again what an open rotation waits for; a job does so now and then."""
        if self.rotation is not None and self.rotation.stage is not Stage.SETTLED:
            self.send(encode(self.rotation.offer()))

    def send(self, plaintext: bytes) -> None:
        state, rotation, sequence = self.rows
        self._store(state, rotation, sequence + 1)
        self.out.append(seal_downlink(state, sequence, DOWN, plaintext))

    def hear(self, channel: bytes, message: bytes) -> None:
        state, rotation, sequence = self.rows
        opener = Opener(KID, state)
        try:
            _, _, plaintext = opener.open(message, channel, self.now_us)
        except Rejected:
            return
        after = opener.snapshot()
        sequence = sequence if after.current.epoch == state.current.epoch else 0
        retired = state.staged is not None and after.staged is None
        if retired and rotation is not None:
            rotation = rotation.retired()
        self._store(after, rotation, sequence)
        if channel == DATA:
            self.data.append(plaintext)
        elif channel == UP:
            self._keys(plaintext)

    def _keys(self, plaintext: bytes) -> None:
        state, rotation, sequence = self.rows
        match from_device(plaintext):
            case Answer() as answer if rotation is not None:
                try:
                    rotation, state = platform.accept(rotation, state, answer)
                except DoorstepError:
                    return
                self._store(state, rotation, sequence)
                assert state.staged is not None
                self.send(encode(platform.commit_of(rotation, state.staged)))
            case _:
                pass

    def _store(self, state: SealedState, rotation: Rotation | None, sequence: int | None = None) -> None:
        def store() -> None:
            self.rows = (state, rotation, self.rows[2] if sequence is None else sequence)

        self._cuts.write(store)


@dataclass
class World:
    """Both ends; ``faults`` steers the line."""

    root: bytes
    cuts: Cuts
    draw: random.Random

    def __post_init__(self) -> None:
        self.device = Device(self.root, self.cuts, self.draw)
        self.platform = Platform(self.root, self.cuts, self.draw)
        self._survive(self.device.boot)
        self.late: list[tuple[bytes, bytes]] = []
        self.recorded: list[tuple[bytes, bytes]] = []

    def rotate(self, change: Change) -> None:
        """Somebody clicks; a click that a power cut swallowed is repeated."""
        for _ in range(4):
            if self.platform.rotation is None or self.platform.rotation.stage is Stage.SETTLED:
                self._survive(lambda: self.platform.start(change))
        assert self.platform.rotation is not None

    def exchange(self, loss: float = 0.0) -> None:
        """Carry what is on the line, once; some is lost, some comes twice, some a round later."""
        up, self.device.out = self.device.out + self.late, []
        self.late = []
        self.recorded += up
        for channel, message in up:
            fate = self.draw.random()
            if fate < loss:
                continue
            if fate < loss * 1.5:
                self.late.append((channel, message))
            self._survive(partial(self.platform.hear, channel, message))
        down, self.platform.out = self.platform.out, []
        for message in down:
            if self.draw.random() >= loss:
                self._survive(partial(self.device.hear, message))

    def reboot(self) -> None:
        self._survive(self.device.boot)

    def remind(self) -> None:
        self._survive(self.platform.remind)

    def is_heard(self) -> bool:
        """Say whether the device reaches the platform, with whatever root it has."""
        self.cuts.plan.clear()
        self.reboot()
        before = len(self.platform.data)
        self.device.out.clear()
        message = self.device.say(DATA, b"21.5")
        self.device.out.clear()
        self.platform.hear(DATA, message)
        return len(self.platform.data) == before + 1

    def _survive(self, act: Callable[[], None]) -> None:
        """Do it; where power fails the end starts from its store, as often as it takes."""
        try:
            act()
        except PowerCut:
            self.platform.out.clear()
            self._survive(self.device.boot)
