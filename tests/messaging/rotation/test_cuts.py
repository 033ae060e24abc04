"""KEY-01: power fails at every write of either end; the device always gets back, with old or new."""

import os
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity.rotation import Stage
from doorstep.messaging.rotation.keys import Change
from tests.messaging.rotation.world import Cuts, World

RUNS = int(os.environ.get("DOORSTEP_TEST_POWER_CUTS", "60"))
"""Random lives with cuts; the full count is 1,000 (``python3 tasks.py power-cuts``)."""

CHANGES = (Change.FRESH, Change.OWNER)


def rotate(cuts: Cuts, change: Change, seed: int, loss: float = 0.0) -> World:
    """Run one whole rotation, with reminders and boots until it is over."""
    world = World(bytes(range(32)), cuts, random.Random(seed))
    old = world.device.flash.boot.root
    world.rotate(change)
    for round_ in range(60):
        world.exchange(loss)
        if loss and world.draw.random() < 0.1:
            world.reboot()
        rotation = world.platform.rotation
        assert rotation is not None
        if rotation.stage is Stage.SETTLED and world.device.flash.pending is None:
            break
        if round_ % 3 == 2:
            world.remind()
        if round_ % 7 == 6:
            world.reboot()  # a device whose message was lost boots some day
    assert world.device.flash.boot.root != old
    return world


def writes_of_a_rotation(change: Change) -> int:
    return rotate(Cuts(), change, 1).cuts.writes


@pytest.mark.parametrize("change", CHANGES)
def test_rotation_ends_with_one_new_root_at_both_ends(change: Change) -> None:
    world = rotate(Cuts(), change, 1)
    state, rotation, _ = world.platform.rows
    assert rotation is not None
    assert rotation.stage is Stage.SETTLED
    assert rotation.secret == b""
    assert state.staged is None
    assert state.root == world.device.flash.boot.root
    assert world.is_heard()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_device_gets_back_after_one_cut_at_every_write(change: Change, when: str) -> None:
    for write in range(1, writes_of_a_rotation(change) + 1):
        world = rotate(Cuts({write: when}), change, write)
        assert world.is_heard(), f"stuck after a cut {when} write {write}"
        assert world.platform.rows[0].root == world.device.flash.boot.root


def test_device_gets_back_after_two_cuts_at_every_pair_of_writes() -> None:
    writes = range(1, writes_of_a_rotation(Change.FRESH) + 6)
    for first, second in product(writes, writes):
        if first < second:
            cuts = Cuts(
                {first: "before" if first % 2 else "after", second: "after" if second % 2 else "before"}
            )
            assert rotate(cuts, Change.FRESH, first * 100 + second).is_heard(), f"stuck: {cuts.plan}"


def test_device_is_heard_at_every_moment_of_a_rotation() -> None:
    """Stop the rotation for good at any write: old or new, the device gets through."""
    for write in range(2, writes_of_a_rotation(Change.FRESH) + 1):
        for when in ("before", "after"):
            world = World(bytes(range(32)), Cuts({write: when}), random.Random(write))
            world.rotate(Change.FRESH)
            while world.cuts.writes < write:
                world.exchange()
            assert world.is_heard(), f"stuck at a cut {when} write {write}"


def test_none_of_many_lives_with_random_cuts_is_stuck() -> None:
    stuck = [seed for seed in range(RUNS) if not _random_life(seed)]
    assert stuck == []


def _random_life(seed: int) -> bool:
    draw = random.Random(seed)
    cuts = Cuts({draw.randrange(2, 120): draw.choice(("before", "after")) for _ in range(draw.randrange(8))})
    world = rotate(cuts, draw.choice(CHANGES), seed, loss=draw.choice((0.0, 0.2, 0.4)))
    return world.is_heard()


@given(
    st.integers(0, 2**32),
    st.dictionaries(st.integers(2, 60), st.sampled_from(["before", "after"]), max_size=6),
)
def test_device_is_heard_whatever_is_cut(seed: int, plan: dict[int, str]) -> None:
    assert rotate(Cuts(plan), Change.FRESH, seed, loss=0.3).is_heard()


def test_captured_messages_change_nothing_when_they_are_repeated() -> None:
    world = rotate(Cuts(), Change.FRESH, 1)
    before = world.platform.rows
    for channel, message in world.recorded:
        world.platform.hear(channel, message)
    assert world.platform.rows[0].root == before[0].root
    assert world.is_heard()
