"""The block-list over REST."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from tests.server.making import customer, devices, maker


def _post(client: Client, path: str, **body: str) -> Any:
    return client.post(f"/api/v1/blocks{path}", body, content_type="application/json")


def test_staff_recalls_a_batch_and_takes_it_back(client_of: Callable[..., Client]) -> None:
    made = devices(2)
    erp = client_of(maker()[1])
    answer = _post(erp, "", kind="batch", value=made[0].row.batch.number, reason="burns")
    assert answer.status_code == 202
    line = answer.json()
    assert (line["devices"], line["shut_out"], line["finished"], line["lifted_by"]) == (2, 2, 0, None)
    assert erp.get(f"/api/v1/blocks/{line['number']}").json() == line
    lifted = _post(erp, f"/{line['number']}/lift", reason="fixed")
    assert (lifted.status_code, lifted.json()["action"]) == (202, "lift")
    listed = erp.get("/api/v1/blocks?limit=1").json()
    assert listed["items"] == [lifted.json()]
    older = erp.get(f"/api/v1/blocks?cursor={listed['next']}").json()
    assert older["items"][0]["lifted_by"] == lifted.json()["number"]


def test_block_list_is_the_staffs_alone(client_of: Callable[..., Client]) -> None:
    [made] = devices()
    theirs = client_of(customer()[1])
    assert theirs.get("/api/v1/blocks").status_code == 403
    assert _post(theirs, "", kind="batch", value=made.row.batch.number, reason="x").status_code == 403
    reader = client_of(maker()[1], "maker:devices:read")
    assert _post(reader, "", kind="batch", value=made.row.batch.number, reason="x").status_code == 403
    assert not made.row.blocked


def test_block_of_nothing_is_a_problem_document(client_of: Callable[..., Client]) -> None:
    erp = client_of(maker()[1])
    assert _post(erp, "", kind="hardware_id", value="zz", reason="x").status_code in {400, 422}
    assert _post(erp, "", kind="colour", value="red", reason="x").status_code == 422
    assert erp.get("/api/v1/blocks/999999").status_code == 404
