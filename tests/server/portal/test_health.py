"""The staff see how the platform's parts are; nobody else does (`test_authorisation.py`)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

from doorstep.runtime import supervised
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.state import StateFolder
from doorstep.runtime.supervised import RoleStatus, Status
from tests.server.entering import entered, program
from tests.server.portal.world import World


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    """A state folder of its own: other tests run roles in the shared one."""
    folder = StateFolder.open(tmp_path / "state")
    with override_settings(STATE=folder):
        yield folder


def test_staff_reads_which_part_serves_waits_or_died(
    world: World, client: Client, state: StateFolder
) -> None:
    now = time.time()
    roles = {
        "ingest": RoleStatus("running", 11, now - 60, 2, ""),
        "downlink": RoleStatus("running", 12, now - 60, 0, ""),
        "jobs": RoleStatus("broken", None, now, 7, "ended with exit code 1"),
    }
    supervised.write(state, Status(os.getpid(), now, roles))
    Heartbeat(state, "ingest").beat(stored=12345, batch_ms=1.23456)
    Heartbeat(state, "downlink").beat(waits_for="the broker does not answer")
    client.force_login(world.staff)
    page = client.get("/staff/health/").content.decode()
    assert page.index(">ingest<") < page.index(">downlink<") < page.index(">jobs<")
    for told in ("Running", "stored 12345, batch_ms 1.23", "Stalled", "the broker does not answer", "Broken"):
        assert told in page
    assert "ended with exit code 1" in page
    assert "2 of 3 parts do not serve" in page


def test_program_of_the_maker_reads_the_same(world: World, state: StateFolder) -> None:
    now = time.time()
    supervised.write(state, Status(os.getpid(), now, {"jobs": RoleStatus("broken", None, now, 7, "code 1")}))
    organisation = world.staff.memberships.get().organisation
    told = program(organisation, ["maker:health:read"]).get("/api/v1/health").json()
    assert told == {
        "roles": [
            {
                "role": "jobs",
                "state": "broken",
                "pid": None,
                "uptime_s": 0.0,
                "restarts": 7,
                "reason": "code 1",
                "figures": {},
            }
        ]
    }


def test_page_says_where_nobody_reports(world: World, client: Client, state: StateFolder) -> None:
    client.force_login(world.staff)
    assert entered(world.staff).get("/api/v1/health").json() == {"roles": []}
    assert "Nobody reports here" in client.get("/staff/health/").content.decode()
