"""Several processes of the device API: how many, on which port, and with which share of the limits."""

import os
import socket
import sys
from dataclasses import replace

import pytest

from doorstep.errors import UnavailableError
from doorstep.runtime.settings import Settings
from doorstep.server.clock import now_us
from doorstep.server.device_api.attempts import FAILURES_A_MINUTE, Attempts
from doorstep.server.device_api.processes import name_of, processes
from doorstep.server.serving import listening
from tests.server.roles import free_port

_POSTGRES = replace(Settings(), database_url="postgresql://localhost/doorstep")


def test_sqlite_has_one_process_and_postgresql_one_a_core() -> None:
    assert processes(Settings()) == 1
    assert processes(_POSTGRES) == min(4, len(os.sched_getaffinity(0)))


def test_processes_have_names_of_their_own() -> None:
    assert [name_of(number) for number in (1, 2, 3)] == ["device-api", "device-api-2", "device-api-3"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't spread connections")
def test_processes_share_a_port_and_keep_strangers_off() -> None:
    port, setting = free_port(), "DOORSTEP_DEVICE_API_PORT"
    with listening("127.0.0.1", port, setting, shared=True) as first:
        with listening("127.0.0.1", port, setting, shared=True) as second:
            assert first.getsockname() == second.getsockname()
        with pytest.raises(UnavailableError, match="taken"), listening("127.0.0.1", port, setting):
            pass
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(UnavailableError, match="taken"),
        listening("127.0.0.1", port, setting, shared=True),
    ):
        pass


def test_processes_answer_together_no_more_failures_than_one() -> None:
    together = [Attempts(processes=4) for _ in range(4)]
    plain = [one.failed("aaaaaaaa", "/", "no", 1, now_us()) for one in together for _ in range(5)]
    assert 0 < sum(plain) <= FAILURES_A_MINUTE
