"""The supervisor's decisions, walked by hand and by hypothesis with a simulated world of processes."""

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition
from doorstep.runtime.heartbeat import SILENT_S
from doorstep.supervisor import life
from doorstep.supervisor.life import Child, Command, Event, Phase, Seen

ROLES = ("nats-secure", "nats-plain", "ingest", "web")


def no_jitter() -> float:
    return 0.0


def one(child: Child, seen: Seen, now: float, *, stopping: bool = False) -> tuple[Child, list[Command]]:
    after, commands = life.step({"web": child}, {"web": seen}, now, stopping=stopping, jitter=no_jitter)
    return after["web"], [command for _, command in commands]


def test_table_reaches_every_phase_and_ends() -> None:
    reached = {Phase.WAITING}
    for _ in Phase:
        reached |= {after for phase in reached for after in life.TRANSITIONS[phase].values()}
    assert reached == set(Phase)
    assert [phase for phase in Phase if not life.TRANSITIONS[phase]] == [Phase.STOPPED]


@pytest.mark.parametrize(("phase", "event"), list(itertools.product(Phase, Event)))
def test_machine_refuses_what_its_table_lacks(phase: Phase, event: Event) -> None:
    if event in life.TRANSITIONS[phase]:
        assert life.advance(phase, event) is life.TRANSITIONS[phase][event]
    else:
        with pytest.raises(IllegalTransition, match=f"{phase.value} can't be {event.value}"):
            life.advance(phase, event)


def test_first_role_starts_at_once_and_second_waits_for_it() -> None:
    children = {"a": Child(), "b": Child()}
    nothing = {"a": Seen(), "b": Seen()}
    children, commands = life.step(children, nothing, 0.0, stopping=False, jitter=no_jitter)
    assert commands == [("a", Command.LAUNCH)]
    children, commands = life.step(children, nothing, 0.1, stopping=False, jitter=no_jitter)
    assert commands == []
    ready = nothing | {"a": Seen(ready=True)}
    children, commands = life.step(children, ready, 0.2, stopping=False, jitter=no_jitter)
    assert commands == [("b", Command.LAUNCH)]
    assert children["a"].phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("code", "reason"),
    [(-9, "killed by signal 9"), (1, "ended with exit code 1"), (0, "ended with exit code 0")],
)
def test_dead_role_comes_back_after_the_delay(code: int, reason: str) -> None:
    child, commands = one(Child(Phase.RUNNING, since=0.0, served=True), Seen(exit_code=code), 10.0)
    assert (child.phase, child.reason, commands) == (Phase.BROKEN, reason, [])
    assert child.again_at == 10.0 + life.back_off(1, 0.0)
    early, commands = one(child, Seen(exit_code=code), child.again_at - 0.01)
    assert (early, commands) == (child, [])
    again, commands = one(child, Seen(exit_code=code), child.again_at)
    assert (again.phase, again.restarts, commands) == (Phase.STARTING, 1, [Command.LAUNCH])


@pytest.mark.parametrize(
    ("child", "seen", "now", "reason"),
    [
        (Child(Phase.STARTING), Seen(), life.READY_S + 0.1, "not ready after 60 s"),
        (Child(Phase.RUNNING), Seen(silent_s=SILENT_S + 0.1), 100.0, "silent for 30 s"),
        (Child(Phase.RUNNING), Seen(stuck="it stores nothing"), 100.0, "it stores nothing"),
    ],
)
def test_hanging_role_is_killed_and_then_lost(child: Child, seen: Seen, now: float, reason: str) -> None:
    same, commands = one(child, seen, now)
    assert (same, commands) == (child, [Command.KILL])
    lost, _ = one(same, replace(seen, exit_code=-9), now)
    assert (lost.phase, lost.reason) == (Phase.BROKEN, reason)


def test_restarted_role_is_not_silent_for_its_predecessors_time() -> None:
    child = Child(Phase.RUNNING, since=100.0)
    assert one(child, Seen(silent_s=SILENT_S + 1), 101.0) == (child, [])


def test_stubborn_role_is_killed_after_the_grace() -> None:
    child = Child(Phase.STOPPING, since=0.0)
    assert one(child, Seen(), life.GRACE_S, stopping=True) == (child, [])
    assert one(child, Seen(), life.GRACE_S + 0.1, stopping=True) == (child, [Command.KILL])
    ended, commands = one(child, Seen(exit_code=-9), life.GRACE_S + 0.2, stopping=True)
    assert (ended.phase, commands) == (Phase.STOPPED, [])


def test_stable_role_forgets_its_failures() -> None:
    child = Child(Phase.RUNNING, since=0.0, failures=5)
    assert one(child, Seen(), life.STABLE_S - 0.1)[0].failures == 5
    assert one(child, Seen(), life.STABLE_S)[0].failures == 0


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.BROKEN])
def test_role_without_process_stops_at_once(phase: Phase) -> None:
    child, commands = one(Child(phase), Seen(), 1.0, stopping=True)
    assert (child.phase, commands) == (Phase.STOPPED, [])


def test_start_is_hopeless_when_a_role_never_served() -> None:
    failing = Child(Phase.BROKEN, failures=life.GIVE_UP_AFTER)
    assert life.hopeless({"a": Child(), "b": failing}) == "b"
    assert life.hopeless({"b": replace(failing, served=True)}) is None
    assert life.hopeless({"b": replace(failing, failures=life.GIVE_UP_AFTER - 1)}) is None


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_delay_grows_and_stays_within_its_caps(failures: int, jitter: float) -> None:
    delay = life.back_off(failures, jitter)
    assert life.FIRST_DELAY_S / 2 <= delay <= life.LONGEST_DELAY_S
    assert life.back_off(failures + 1, jitter) >= delay


@dataclass
class World:
    """Processes that start, become ready, hang and die as hypothesis says."""

    alive: dict[str, bool]
    ready: dict[str, bool]
    exit_codes: dict[str, int | None]

    def seen(self) -> dict[str, Seen]:
        return {name: Seen(self.exit_codes[name], ready=self.ready[name]) for name in ROLES}

    def obey(self, name: str, command: Command) -> None:
        if command is Command.LAUNCH:
            assert not self.alive[name], "a role must never run twice"
            self.alive[name], self.ready[name], self.exit_codes[name] = True, False, None
        elif self.alive[name] and command is Command.KILL:
            self.die(name, -9)

    def die(self, name: str, code: int) -> None:
        if self.alive[name]:
            self.alive[name], self.ready[name], self.exit_codes[name] = False, False, code


Happening = tuple[str, str, float]
HAPPENINGS = st.lists(
    st.tuples(st.sampled_from(["ready", "die", "nothing"]), st.sampled_from(ROLES), st.floats(0.05, 40)),
    max_size=40,
)


@given(HAPPENINGS, HAPPENINGS)
def test_any_world_starts_in_order_and_stops_in_reverse(
    while_up: list[Happening], while_stopping: list[Happening]
) -> None:
    world = World(dict.fromkeys(ROLES, False), dict.fromkeys(ROLES, False), dict.fromkeys(ROLES))
    children, now = {name: Child() for name in ROLES}, 0.0
    launched: list[str] = []
    calm: list[Happening] = [("nothing", "web", life.GRACE_S + 1)] * (2 * len(ROLES) + 2)
    plan = [*((False, h) for h in while_up), *((True, h) for h in [*while_stopping, *calm])]
    for stopping, (what, name, later) in plan:
        if what == "die":
            world.die(name, 1)
        elif what == "ready" and world.alive[name]:
            world.ready[name] = True
        now += later
        children, commands = life.step(children, world.seen(), now, stopping=stopping, jitter=no_jitter)
        for target, command in commands:
            if command is Command.TERMINATE:
                later_roles = ROLES[ROLES.index(target) + 1 :]
                assert all(children[role].phase is Phase.STOPPED for role in later_roles)
            assert not (stopping and command is Command.LAUNCH)
            world.obey(target, command)
            launched += [target] if command is Command.LAUNCH and target not in launched else []
    assert launched == list(ROLES[: len(launched)])
    assert not any(world.alive.values())
    assert all(child.phase is Phase.STOPPED for child in children.values())
