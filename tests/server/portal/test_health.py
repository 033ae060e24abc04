"""The staff see how the platform's parts are; nobody else does (`test_authorisation.py`)."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from doorstep.runtime.heartbeat import Heartbeat, read_all
from tests.server.portal.world import World


@pytest.fixture
def beats() -> Iterator[Path]:
    """Three parts: one serves, one waits, one fell silent; and a file that is no beat."""
    state, folder = settings.STATE, Path(settings.STATE.run)
    Heartbeat(state, "test-ingest").beat(stored=12345, batch_ms=1.23456)
    Heartbeat(state, "test-downlink").beat(waits_for="the broker")
    then = time.time() - 120
    gone = {"pid": 1, "started": then - 600, "at": then, "figures": {}}
    silent = folder / "test-jobs.json"
    silent.write_text(json.dumps(gone))
    os.utime(silent, (then, then))
    yield folder
    for name in ("test-ingest", "test-downlink", "test-jobs"):
        (folder / f"{name}.json").unlink()


@pytest.mark.usefixtures("beats")
def test_staff_reads_which_part_lives_waits_or_fell_silent(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = client.get("/staff/health/").content.decode()
    assert page.index("test-downlink") < page.index("test-ingest") < page.index("test-jobs")
    for told in ("Running", "Waits for the broker", "Silent", "stored 12345", "batch ms 1.23"):
        assert told in page
    assert "1 of " in page


def test_page_says_where_nobody_reports(world: World, client: Client) -> None:
    assert "supervisor" not in read_all(settings.STATE)
    client.force_login(world.staff)
    assert "Nobody reports here" in client.get("/staff/health/").content.decode()
