"""The supervisor with real processes: order, restart, clean stop, and no orphan whatever dies."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doorstep.runtime import supervised
from doorstep.runtime.state import StateFolder
from doorstep.supervisor import leash
from doorstep.supervisor.life import Phase
from doorstep.supervisor.shell import RoleSpec, Supervisor

pytestmark = pytest.mark.roles

PATIENCE_S = 20.0

BEATING = textwrap.dedent(
    """
    import signal, sys, time
    from pathlib import Path
    from doorstep.runtime.heartbeat import Heartbeat
    from doorstep.runtime.state import StateFolder

    state, role = StateFolder(Path(sys.argv[1])), sys.argv[2]
    def end(*_):
        with (state.root / "ended").open("a") as file:
            file.write(role + "\\n")
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    with (state.root / "began").open("a") as file:
        file.write(role + "\\n")
    print("hello from", role, flush=True)
    beat = Heartbeat(state, role)
    while True:
        beat.beat(turns=1)
        time.sleep(0.05)
    """
)


def beating_role(state: StateFolder, name: str) -> RoleSpec:
    return RoleSpec(name, (sys.executable, "-c", BEATING, str(state.root), name))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.status().roles[name].pid
    assert pid is not None
    return pid


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.open(tmp_path / "state")


class Running:
    """A supervisor on its thread."""

    def __init__(self, state: StateFolder, roles: list[RoleSpec]) -> None:
        self.supervisor = Supervisor(state, roles, dict(os.environ))
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def run(state: StateFolder) -> Iterator[Callable[[list[RoleSpec]], Supervisor]]:
    begun: list[Running] = []

    def begin(roles: list[RoleSpec]) -> Supervisor:
        begun.append(Running(state, roles))
        return begun[-1].supervisor

    yield begin
    for running in begun:
        running.end()


Run = Callable[[list[RoleSpec]], Supervisor]


def test_roles_start_in_order_and_stop_in_reverse(state: StateFolder) -> None:
    names = ["one", "two", "three"]
    running = Running(state, [beating_role(state, name) for name in names])
    wait_for(running.supervisor.serves)
    pids = [pid_of(running.supervisor, name) for name in names]
    assert supervised.read(state) is not None
    running.end()
    assert (state.root / "began").read_text(encoding="utf-8").split() == names
    assert (state.root / "ended").read_text(encoding="utf-8").split() == names[::-1]
    assert not any(is_alive(pid) for pid in pids)
    assert supervised.read(state) is None
    assert "hello from one" in (state.logs / "one.log").read_text(encoding="utf-8")


def test_killed_role_comes_back_and_the_others_stay(state: StateFolder, run: Run) -> None:
    supervisor = run([beating_role(state, "one"), beating_role(state, "two")])
    wait_for(supervisor.serves)
    killed, other = pid_of(supervisor, "one"), pid_of(supervisor, "two")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: supervisor.children["one"].restarts == 1 and supervisor.serves())
    assert pid_of(supervisor, "one") != killed
    assert pid_of(supervisor, "two") == other
    assert supervisor.children["one"].reason == "killed by signal 9"


def test_program_without_heartbeat_is_ready_by_its_probe(run: Run) -> None:
    answers = iter([False, False])
    probe = RoleSpec("nats", ("sleep", "60"), lambda: next(answers, True))
    supervisor = run([probe])
    wait_for(supervisor.serves)


def test_program_that_serves_and_is_stuck_is_started_anew_once(run: Run) -> None:
    answers = iter(["", "it stores nothing"])
    supervisor = run([RoleSpec("nats", ("sleep", "60"), lambda: True, lambda: next(answers, ""))])
    wait_for(lambda: supervisor.children["nats"].restarts == 1 and supervisor.serves())
    assert supervisor.children["nats"].reason == "it stores nothing"


def test_clock_that_jumps_by_a_day_costs_no_role(
    state: StateFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = run([beating_role(state, "one"), beating_role(state, "two")])
    wait_for(supervisor.serves)
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() + 86_400)
    time.sleep(1.5)
    assert [child.restarts for child in supervisor.children.values()] == [0, 0]
    assert supervisor.serves()


def test_program_that_is_not_there_counts_as_a_failure(run: Run, state: StateFolder) -> None:
    supervisor = run([RoleSpec("web", ("/nonexistent/program",))])
    wait_for(lambda: supervisor.children["web"].failures >= 1)
    assert supervisor.children["web"].phase in {Phase.BROKEN, Phase.STARTING}
    assert "nonexistent" in (state.logs / "web.log").read_text(encoding="utf-8")


def test_log_that_cannot_be_opened_counts_as_a_failure(run: Run, state: StateFolder) -> None:
    (state.logs / "web.log").mkdir()
    supervisor = run([RoleSpec("web", ("sleep", "60"))])
    wait_for(lambda: supervisor.children["web"].failures >= 1)


SUPERVISING = textwrap.dedent(
    """
    import os, sys, threading
    from pathlib import Path
    from doorstep.runtime.state import StateFolder
    from doorstep.supervisor.shell import RoleSpec, Supervisor

    state = StateFolder.open(Path(sys.argv[1]))
    roles = [RoleSpec(name, ("sleep", "600"), lambda: True) for name in ("one", "two")]
    Supervisor(state, roles, dict(os.environ)).run(threading.Event())
    """
)


def test_killed_supervisor_leaves_no_orphan(state: StateFolder) -> None:
    with subprocess.Popen([sys.executable, "-c", SUPERVISING, str(state.root)]) as supervisor:
        wait_for(lambda: _all_running(state))
        known = supervised.read(state)
        assert known is not None
        pids = [role.pid for role in known.roles.values() if role.pid]
        assert len(pids) == 2
        supervisor.kill()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


def _all_running(state: StateFolder) -> bool:
    known = supervised.read(state)
    return known is not None and all(role.phase == "running" for role in known.roles.values())


def test_leash_refuses_to_run_for_a_supervisor_that_is_gone() -> None:
    stranger = "1" if os.getppid() != 1 else "2"
    command = [sys.executable, "-m", "doorstep.supervisor.leash", stranger, "sleep", "60"]
    assert subprocess.run(command, check=False, timeout=PATIENCE_S).returncode == 75


FOLLOWING = """
import sys
from doorstep.supervisor import leash
sys.exit(leash.follow(int(sys.argv[1]), sys.argv[2:]))
"""


def _followed(parent: str, *argv: str) -> list[str]:
    return [sys.executable, "-c", FOLLOWING, parent, *argv]


def test_watching_leash_returns_the_programs_exit_code() -> None:
    command = _followed(str(os.getpid()), "sh", "-c", "exit 7")
    assert subprocess.run(command, check=False, timeout=PATIENCE_S).returncode == 7


def test_watching_leash_kills_the_program_of_a_gone_supervisor() -> None:
    assert subprocess.run(_followed("1", "sleep", "60"), check=False, timeout=PATIENCE_S).returncode == 75


def test_watching_leash_passes_signals_on() -> None:
    command = _followed(str(os.getpid()), "sh", "-c", "echo on; exec sleep 60")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        time.sleep(0.1)
        process.terminate()
        assert process.wait(PATIENCE_S) % 256 == 256 - signal.SIGTERM


def test_leash_command_names_this_process() -> None:
    assert str(os.getpid()) in leash.command(("sleep", "1"))
