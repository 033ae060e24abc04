"""An allowance holds over all processes together, and costs hardly a statement."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.server.api import auth
from doorstep.server.api.pace import Pace, TooFast

pytestmark = pytest.mark.usefixtures("rolled_back")

MINUTE_US = 60_000_000


def _spend_all(pace: Pace, subject: str = "a", now_us: int = 0) -> int:
    spent = 0
    try:
        while True:
            pace.spend(subject, now_us)
            spent += 1
    except TooFast:
        return spent


def test_caller_gets_the_quota_and_no_more_until_the_next_minute() -> None:
    pace = Pace("things", 100)
    assert _spend_all(pace) == 100
    with pytest.raises(TooFast) as refused:
        pace.spend("a", MINUTE_US - 1)
    assert (refused.value.left.remaining, refused.value.left.reset_s) == (0, 1)
    assert pace.spend("b", 0).remaining == 99
    assert pace.spend("a", MINUTE_US).remaining == 99


def test_processes_share_one_quota() -> None:
    first, second = Pace("things", 100), Pace("things", 100)
    first.spend("a", 0)
    assert 0 < _spend_all(second) < 100
    assert _spend_all(first) + _spend_all(second) < 100
    assert [_spend_all(Pace("things", 100)) for _ in range(2)] == [0, 0]


def test_remaining_falls_by_one_for_the_only_process() -> None:
    pace = Pace("things", 50)
    assert [pace.spend("a", 0).remaining for _ in range(50)] == list(range(49, -1, -1))


def test_count_costs_a_statement_for_each_part_of_the_quota() -> None:
    pace = Pace("things", 200)
    with CaptureQueriesContext(connection) as asked:
        assert _spend_all(pace) == 200
    assert len(asked) == 20


def test_answers_say_what_is_left(erp: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REQUESTS", Pace("requests", 2))
    answer = erp.get("/api/v1/devices")
    assert answer.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert answer.headers["RateLimit"].startswith('"requests";r=1;t=')
    erp.get("/api/v1/devices")
    refused = erp.get("/api/v1/devices")
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:doorstep:problem/too-fast")
    assert refused.headers["RateLimit"].startswith('"requests";r=0;t=')
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
