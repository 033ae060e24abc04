"""The way up: order, repeats and strangers; one hour without the platform, by the clock."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from doorstep.errors import UnavailableError
from doorstep.gateway.hall import MAX_WAITING, WAITS_US, Hall
from doorstep.gateway.relay import KEPT_US, MAX_ASKERS, MAX_REFUSED, NotAChild
from doorstep.gateway.store import Limits
from doorstep.gateway.vault import Vault
from doorstep.identity.ids import device_id_of, kid_of
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from tests.gateway.platform import Platform, roots_of
from tests.wait import until_soon

MINUTE_US = 60_000_000
CHILDREN = [device_id_of(bytes((0, 0, 0, 0, n))) for n in range(50)]
FIRST = CHILDREN[0]


class Child:
    """A sensor that sends to the gateway and knows nothing of the platform."""

    def __init__(self, device: str, root: bytes) -> None:
        self.device = device
        self._state = DeviceState(root)
        self.sent: list[tuple[int, int]] = []
        self.boot()

    def boot(self) -> None:
        self._sealer = DeviceSealer(kid_of(self.device), self._state)
        self._epoch = self._state.epoch
        self._state = next_boot(self._state)

    def reading(self) -> bytes:
        self.sent.append((self._epoch, self._sealer.next_sequence))
        return self._sealer.seal(b"up/data", b"21.5")


class Clock:
    def __init__(self) -> None:
        self.us = 0

    def __call__(self) -> int:
        return self.us


def play(folder: Path, scene: Callable[[Vault, Hall, Clock], Awaitable[None]]) -> None:
    async def whole() -> None:
        clock = Clock()
        async with Vault(folder, Limits(room=0)) as vault:
            await scene(vault, Hall(vault, clock), clock)

    asyncio.run(whole())


async def drain(vault: Vault, hall: Hall, platform: Platform) -> None:
    riding = asyncio.create_task(hall.relay.ride(platform.session))
    while not riding.done() and await vault.after(0, 1):
        pass
    riding.cancel()
    with suppress(aiomqtt.MqttError, asyncio.CancelledError):
        await riding


@pytest.mark.parametrize("breaks", [False, True], ids=["one session", "sessions that break"])
def test_hour_of_outage_at_fifty_children_loses_doubles_and_reorders_nothing(
    tmp_path: Path, *, breaks: bool
) -> None:
    """Children reboot, some repeat; afterwards nothing is late: the epochs come in their order (GATE-2)."""
    draw = random.Random(4)
    roots = roots_of(CHILDREN)
    platform = Platform(roots)

    async def scene(vault: Vault, hall: Hall, clock: Clock) -> None:
        for device in CHILDREN:
            await vault.keep_child(device)
        children = [Child(device, roots[device]) for device in CHILDREN]
        for _ in range(60):
            clock.us += MINUTE_US
            sends = []
            for child in children:
                if draw.random() < 0.05:
                    child.boot()
                message = child.reading()
                repeats = 2 if draw.random() < 0.1 else 1
                sends += [hall.take(child.device, "data", message) for _ in range(repeats)]
            await asyncio.gather(*sends)
        assert platform.stored == []
        platform.now_us = clock.us
        if breaks:
            for _ in range(8):
                platform.answers = draw.randrange(10, 200)
                await drain(vault, hall, platform)
                platform.now_us += 11 * MINUTE_US  # far beyond the previous epoch's deadline
            platform.answers = None
        await drain(vault, hall, platform)
        for child in children:
            assert platform.of(child.device) == child.sent
        assert platform.reasons() <= {"replayed", "too_old", "epoch_past"}
        assert await vault.after(0, 1) == []

    play(tmp_path, scene)


def test_in_one_session_only_true_repeats_are_refused(tmp_path: Path) -> None:
    platform = Platform(roots_of([FIRST]))

    async def scene(vault: Vault, hall: Hall, clock: Clock) -> None:
        await vault.keep_child(FIRST)
        child = Child(FIRST, platform.roots[FIRST])
        for _ in range(5):
            for _ in range(3):
                await hall.take(FIRST, "data", child.reading())
            child.boot()
            clock.us += 60 * MINUTE_US
        platform.now_us = clock.us
        await drain(vault, hall, platform)
        assert (platform.of(FIRST), platform.refused) == (child.sent, [])

    play(tmp_path, scene)


def test_late_message_is_late_when_two_ways_are_mixed(tmp_path: Path) -> None:
    """What the specification warns of (GATE-3): the child went on over another way meanwhile."""
    platform = Platform(roots_of([FIRST]))

    async def scene(vault: Vault, hall: Hall, clock: Clock) -> None:
        await vault.keep_child(FIRST)
        child = Child(FIRST, platform.roots[FIRST])
        await hall.take(FIRST, "data", child.reading())
        child.boot()
        platform.take(FIRST, "data", child.reading())
        platform.now_us = 11 * MINUTE_US
        await drain(vault, hall, platform)
        assert platform.refused == [(FIRST, "epoch_past")]

    play(tmp_path, scene)


def test_message_that_comes_while_the_platform_is_in_reach_goes_at_once(tmp_path: Path) -> None:
    platform = Platform(roots_of([FIRST]))

    async def scene(_vault: Vault, hall: Hall, _clock: Clock) -> None:
        child = Child(FIRST, platform.roots[FIRST])
        riding = asyncio.create_task(hall.relay.ride(platform.session))
        await until_soon(lambda: hall.relay.is_up)
        for number in range(3):
            await hall.take(FIRST, "data", child.reading())
            await until_soon(lambda: len(platform.stored) == number + 1)  # noqa: B023 - awaited here
        riding.cancel()
        await asyncio.gather(riding, return_exceptions=True)
        assert platform.asked == [FIRST]
        assert hall.relay.delivered == 3
        assert not hall.relay.is_up

    play(tmp_path, scene)


def test_stranger_is_refused_once_for_the_session(tmp_path: Path) -> None:
    platform = Platform({})

    async def scene(vault: Vault, hall: Hall, _clock: Clock) -> None:
        hall.relay.ask_every_s = 0.001
        with pytest.raises(UnavailableError, match="not known yet"):
            await hall.take(FIRST, "data", b"x")

        async def knocks() -> None:
            with pytest.raises(NotAChild, match="no child of this gateway"):
                await hall.take(FIRST, "data", b"x")

        riding = asyncio.create_task(hall.relay.ride(platform.session))
        await until_soon(lambda: hall.relay.is_up)
        await asyncio.gather(*(knocks() for _ in range(5)))
        assert platform.asked == [FIRST]
        crowd = [device_id_of(bytes((1, 0, 0, n >> 8, n & 255))) for n in range(MAX_REFUSED + 2)]
        for device in crowd:
            hall.relay._note_refused(device)
        assert len(hall.relay._refused) == MAX_REFUSED
        waits = [hall.take(device_id_of(bytes((2, 0, 0, 0, n))), "data", b"x") for n in range(MAX_ASKERS + 5)]
        outcomes = await asyncio.gather(*waits, return_exceptions=True)
        assert sum(isinstance(outcome, UnavailableError) for outcome in outcomes) == 5
        riding.cancel()
        await asyncio.gather(riding, return_exceptions=True)
        assert await vault.after(0, 1) == []

    play(tmp_path, scene)


def test_child_in_quarantine_keeps_what_waits_and_it_goes_first_when_it_is_back(tmp_path: Path) -> None:
    platform = Platform(roots_of(CHILDREN[:2]), not_children={FIRST})
    child = Child(FIRST, platform.roots[FIRST])

    async def shut_out(vault: Vault, hall: Hall, _clock: Clock) -> None:
        for device in CHILDREN[:2]:
            await vault.keep_child(device)
        await hall.take(FIRST, "data", child.reading())
        await hall.take(CHILDREN[1], "data", Child(CHILDREN[1], platform.roots[CHILDREN[1]]).reading())
        riding = asyncio.create_task(hall.relay.ride(platform.session))
        await until_soon(lambda: platform.stored)
        assert [device for device, _, _ in platform.stored] == [CHILDREN[1]]
        assert vault.children == {CHILDREN[1]}
        platform.not_children.clear()  # then the platform ends the session
        with pytest.raises(NotAChild):
            await hall.take(FIRST, "data", child.reading())
        hall.deliver(FIRST, "cmd", b"for nobody")
        assert hall.waiting(FIRST) == ()
        riding.cancel()
        await asyncio.gather(riding, return_exceptions=True)

    async def let_in(vault: Vault, hall: Hall, _clock: Clock) -> None:
        child.sent.pop()  # it was not taken
        await drain(vault, hall, platform)
        await hall.take(FIRST, "data", child.reading())
        await drain(vault, hall, platform)
        assert platform.of(FIRST) == child.sent
        assert (platform.refused, vault.parked, await vault.after(0, 1)) == ([], {}, [])

    play(tmp_path, shut_out)
    play(tmp_path, let_in)


def test_device_that_does_not_come_back_takes_what_waits_with_it_after_a_month(tmp_path: Path) -> None:
    platform = Platform(roots_of([FIRST]), not_children={FIRST})

    async def scene(vault: Vault, hall: Hall, clock: Clock) -> None:
        async def begin_session() -> None:
            riding = asyncio.create_task(hall.relay.ride(platform.session))
            await until_soon(lambda: hall.relay.is_up)
            riding.cancel()
            await asyncio.gather(riding, return_exceptions=True)

        await vault.keep_child(FIRST)
        await hall.take(FIRST, "data", b"x")
        await begin_session()
        clock.us += KEPT_US - 1
        await begin_session()
        assert vault.bytes_stored
        clock.us += 1
        await begin_session()
        assert (vault.bytes_stored, vault.parked, vault.children) == (0, {}, set())
        assert await vault.after(0, 1) == []

    play(tmp_path, scene)


def test_what_goes_down_waits_for_a_child_that_polls_or_goes_to_its_connections(tmp_path: Path) -> None:
    async def scene(vault: Vault, hall: Hall, clock: Clock) -> None:
        await vault.keep_child(FIRST)
        hall.relay.received(f"d/{FIRST}/down/cmd", b"1")
        hall.relay.received(f"d/{FIRST}/down/config", b"2")
        hall.relay.received(f"d/{FIRST}/down/cmd", b"3")
        hall.relay.received("d/too/short", b"4")
        assert hall.waiting(FIRST) == ("cmd", "config")
        assert [hall.collect(FIRST, "cmd") for _ in range(3)] == [b"1", b"3", None]
        for number in range(MAX_WAITING + 1):
            hall.deliver(FIRST, "cmd", bytes((number,)))
        assert hall.collect(FIRST, "cmd") == b"\x01"
        clock.us += WAITS_US
        assert hall.waiting(FIRST) == ()
        heard: list[tuple[str, bytes]] = []
        leave = [hall.listen(FIRST, lambda *what: heard.append(what)) for _ in range(2)]
        hall.deliver(FIRST, "cmd", b"5")
        assert heard == [("cmd", b"5")] * 2
        for end in leave:
            end()
        hall.deliver(FIRST, "cmd", b"6")
        assert (len(heard), hall.waiting(FIRST)) == (2, ("cmd",))

    play(tmp_path, scene)
