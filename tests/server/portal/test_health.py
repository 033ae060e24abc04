"""The staff see how the platform's parts are; nobody else does (`test_authorisation.py`)."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

from doorstep.runtime.heartbeat import Heartbeat, read_all
from doorstep.runtime.state import StateFolder
from tests.server.portal.world import World


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    """A state folder of its own: other tests run roles in the shared one."""
    folder = StateFolder.open(tmp_path / "state")
    with override_settings(STATE=folder):
        yield folder


def test_staff_reads_which_part_lives_waits_or_fell_silent(
    world: World, client: Client, state: StateFolder
) -> None:
    Heartbeat(state, "ingest").beat(stored=12345, batch_ms=1.23456)
    Heartbeat(state, "downlink").beat(waits_for="the broker")
    then, silent = time.time() - 120, state.run / "jobs.json"
    silent.write_text(json.dumps({"pid": 1, "started": then - 600, "at": then, "figures": {}}))
    os.utime(silent, (then, then))
    client.force_login(world.staff)
    page = client.get("/staff/health/").content.decode()
    for told in ("Running", "Waits for the broker", "Silent", "stored 12345", "batch ms 1.23", "1 of 3"):
        assert told in page


def test_page_says_where_nobody_reports(world: World, client: Client, state: StateFolder) -> None:
    (state.run / "supervisor.json").write_text("{}")
    assert read_all(state) == {}
    client.force_login(world.staff)
    assert "Nobody reports here" in client.get("/staff/health/").content.decode()
