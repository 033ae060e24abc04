"""``doorstep status`` shows every role and is green only when all serve."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorstep.cli.status import status
from doorstep.errors import UnavailableError
from doorstep.runtime import supervised
from doorstep.runtime.health import SERVES, report
from doorstep.runtime.heartbeat import SILENT_S, Heartbeat
from doorstep.runtime.state import StateFolder
from doorstep.runtime.supervised import RoleStatus, Status
from doorstep.supervisor.life import Phase


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.setenv("DOORSTEP_STATE", str(tmp_path / "state"))
    return StateFolder.open(tmp_path / "state")


def tell(state: StateFolder, *, web: str = "running", pid: int | None = None) -> None:
    now = time.time()
    roles = {
        "ingest": RoleStatus("running", 11, now - 3700, 2, "killed by signal 9"),
        "web": RoleStatus(web, 12, now - 5, 0, "ended with exit code 1" if web == "broken" else ""),
    }
    supervised.write(state, Status(pid or os.getpid(), now, roles))
    Heartbeat(state, "ingest").beat(messages=7, cpu_s=0.123456, waits_for="")


def test_healthy_roles_are_shown_with_their_figures(state: StateFolder) -> None:
    tell(state)
    done = CliRunner().invoke(status)
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.output.splitlines() if line.split()}
    assert "1 h 1 min" in lines["ingest"]
    assert "messages 7, cpu_s 0.123" in lines["ingest"]
    assert "waits_for" not in done.output
    assert " 5 s" in lines["web"]


def test_supervisor_and_readers_have_one_word_for_serving() -> None:
    assert Phase.RUNNING.value == SERVES


def test_programs_get_one_object(state: StateFolder) -> None:
    tell(state)
    done = CliRunner().invoke(status, ["--json"])
    document = json.loads(done.output)
    assert document["healthy"]
    assert [role["role"] for role in document["roles"]] == ["ingest", "web"]
    assert document["roles"][0]["figures"] == {"messages": 7, "cpu_s": 0.123456, "waits_for": ""}
    assert document["roles"][0]["restarts"] == 2


@pytest.mark.parametrize("phase", ["waiting", "starting", "broken", "stopping"])
def test_role_that_does_not_serve_fails_the_status(phase: str, state: StateFolder) -> None:
    tell(state, web=phase)
    done = CliRunner().invoke(status)
    assert done.exit_code == 1
    assert phase in done.output


def test_role_that_is_silent_is_not_healthy(state: StateFolder) -> None:
    tell(state)
    roles = report(state, time.time() + SILENT_S + 1)
    assert {role.role: role.state for role in roles} == {"ingest": "silent", "web": "running"}


def test_role_that_waits_for_the_database_says_so_and_is_not_healthy(state: StateFolder) -> None:
    tell(state)
    Heartbeat(state, "ingest").beat(waits_for="PostgreSQL does not answer")
    done = CliRunner().invoke(status)
    assert done.exit_code == 1
    assert "stalled" in done.output
    assert "PostgreSQL" in done.output
    Heartbeat(state, "ingest").beat(waits_for="")
    assert CliRunner().invoke(status).exit_code == 0


def test_folder_on_which_nothing_runs_is_told(state: StateFolder) -> None:
    with pytest.raises(UnavailableError, match="does not run") as refused:
        report(state, 0.0)
    assert "doorstep up" in refused.value.next_step


def test_status_of_a_killed_supervisor_is_not_believed(state: StateFolder) -> None:
    tell(state, pid=2**22 + 1)
    with pytest.raises(UnavailableError, match="does not run"):
        report(state, 0.0)
