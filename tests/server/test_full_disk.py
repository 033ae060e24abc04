"""A full disk: SQLite says so itself, when its file may not grow any more."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from doorstep.server.custody import ledger
from doorstep.server.custody.models import Sale
from tests.server.entering import program
from tests.server.making import devices, maker


@pytest.fixture
def erp() -> Client:
    return program(maker()[1], ["maker:sales:write"])


def _pragma(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {statement}")
        value: int = cursor.fetchone()[0]
        return value


@pytest.fixture
def full_disk() -> Iterator[None]:
    before = _pragma("max_page_count")
    _pragma(f"max_page_count={_pragma('page_count')}")
    yield
    _pragma(f"max_page_count={before}")


def _sell(erp: Client, serials: list[str], order: str = "full") -> tuple[int, dict[str, str]]:
    body = json.dumps({"order": order, "serials": serials, "buyer": {"email": "a@example.org"}})
    answer = erp.post("/api/v1/sales", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_sale_on_a_full_disk_is_refused_whole_and_works_later(
    erp: Client, request: pytest.FixtureRequest
) -> None:
    serials = [device.serial for device in devices(201)]
    assert _sell(erp, [serials.pop()], "first")[0] == 201  # the seller's key stands in the ledger from now on
    before = ledger.head()
    request.getfixturevalue("full_disk")
    status, problem = _sell(erp, serials)
    assert (status, problem["type"]) == (503, "urn:doorstep:problem/unavailable")
    assert "no room" in problem["detail"]
    assert problem["next_step"]
    assert ledger.verify_all() == before
    assert not Sale.objects.filter(order="full").exists()
    _pragma("max_page_count=1000000")
    assert _sell(erp, serials)[0] == 201
    assert ledger.verify_all().number == before.number + 200
