"""What all routes have in common, checked over all of them."""

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from ninja import Router as StrangeRouter
from ninja import Schema
from pydantic import create_model

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Member, Organisation, Role, User
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.idempotency import fingerprint, once
from doorstep.server.api.models import StoredAnswer
from doorstep.server.api.problems import PROBLEM_MEDIA, TYPES
from doorstep.server.api.routing import Api, Router, needs
from tests.server.described import described
from tests.server.making import customer

ClientOf = Callable[..., Client]
DESCRIBED = described()


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, route in DESCRIBED["paths"].items():
        for method, operation in route.items():
            yield path, method, operation


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    [pytest.param(*one, id=str(one[2]["operationId"])) for one in _operations()],
)
def test_route_is_like_the_others(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters = {one["name"] for one in operation["parameters"]}
    assert ("Idempotency-Key" in parameters) is (method == "post")
    assert {"400", "401", "403", "422", "429", "503"} <= operation["responses"].keys()
    assert "404" in operation["responses"] or "{" not in path
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            assert list(answer["content"]) == [PROBLEM_MEDIA]
        assert {"RateLimit", "RateLimit-Policy"} <= answer["headers"].keys()
    assert operation["x-scopes"]
    assert [one["name"] for one in operation["parameters"] if not one.get("description")] == []
    assert len({one[2]["operationId"] for one in _operations()}) == len(list(_operations()))


@pytest.mark.parametrize("name", sorted(DESCRIBED["components"]["schemas"]))
def test_every_field_is_described(name: str) -> None:
    schema = DESCRIBED["components"]["schemas"][name]
    assert [one for one, said in schema.get("properties", {}).items() if not said.get("description")] == []


def test_router_refuses_a_route_that_says_no_scopes() -> None:
    with pytest.raises(TypeError):
        Router().get("/x", response={200: None}, operation_id="x")(lambda _: None)


def _shape(number: int, kinds: list[str]) -> Any:
    kind = StrEnum("Kind", kinds)  # type: ignore[misc]  # two of them is what it is about
    return create_model(f"Out{number}", __base__=Schema, kind=(kind, ...))


def test_description_refuses_two_shapes_of_one_name() -> None:
    api, router = Api(urls_namespace="twins", default_router=Router()), Router()
    for number, kinds in enumerate((["above", "below"], ["made", "sold"])):
        router.get(
            f"/{number}",
            response={200: _shape(number, kinds)},
            operation_id=f"get_{number}",
            openapi_extra=needs(Permission.MAKER_SALES_READ),
        )(lambda request: request)
    api.add_router("", router)
    with pytest.raises(TypeError, match="called Kind"):
        api.get_openapi_schema(path_prefix="/")


def test_api_refuses_a_router_of_another_kind() -> None:
    with pytest.raises(TypeError):
        Api(urls_namespace="other", default_router=Router()).add_router("", StrangeRouter())


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("get", "/api/v1/nothing", 404, "not-found"),
        ("delete", "/api/v1/devices", 405, "method-not-allowed"),
        ("get", "/api/v1/devices?limit=0", 422, "not-as-described"),
        ("get", "/api/v1/devices?limit=201", 422, "not-as-described"),
        ("get", "/api/v1/devices?cursor=%21", 422, "not-as-described"),
        ("get", "/api/v1/devices?cursor=AA", 400, "malformed"),
        ("get", "/api/v1/sales?cursor=YWJj", 400, "malformed"),
        ("get", "/api/v1/sales?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk", 400, "malformed"),
        ("get", "/api/v1/sales?cursor=_w", 400, "malformed"),
    ],
)
def test_every_error_is_a_problem_document(
    erp: Client, method: str, path: str, status: int, kind: str
) -> None:
    answer = getattr(erp, method)(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM_MEDIA)
    body = answer.json()
    assert (body["type"], body["status"]) == (f"urn:doorstep:problem/{kind}", status)
    assert body["type"] in TYPES
    assert body["next_step"]
    assert (status == 405) is ("Allow" in answer.headers)


@pytest.fixture
def somebody(client_of: ClientOf) -> tuple[Client, User, Organisation]:
    user, organisation = customer()
    return client_of(organisation), user, organisation


def _token(client: Client, key: str, alias: str = "Attic") -> Any:
    return client.post(
        "/api/v1/registration-tokens",
        {"alias": alias},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def test_token_that_is_shown_once_is_answered_again_and_kept_unreadable(somebody: Any) -> None:
    client, _, _ = somebody
    first, again = _token(client, "k"), _token(client, "k")
    assert (again.status_code, again.json()) == (201, first.json())
    row = StoredAnswer.objects.get(key="k")
    assert first.json()["token"].encode() not in bytes(row.answer)


def test_two_callers_may_use_the_same_key(somebody: Any, client_of: ClientOf) -> None:
    client, user, organisation = somebody
    person = Client()
    person.force_login(user)
    Member.objects.filter(user=user).update(role=Role.OWNER)
    answers = [_token(one, "k").json()["token"] for one in (client, client_of(organisation), person)]
    assert len(set(answers)) == 3
    assert _token(person, "k").json()["token"] == answers[2]


@pytest.mark.parametrize("key", ["", "x" * 101])
def test_key_of_another_length_is_refused(somebody: Any, key: str) -> None:
    assert _token(somebody[0], key).status_code == 422


def test_what_a_refused_act_counted_stays_counted(somebody: Any) -> None:
    """CLAIM: an idempotency key must not roll back the count of a wrong code."""
    caller = Caller(somebody[2], frozenset(), "key:dkxxxx")

    def act() -> tuple[int, Any]:
        Organisation.objects.filter(pk=somebody[2].pk).update(name="counted")
        raise MisuseError("a wrong code")

    with pytest.raises(MisuseError, match="a wrong code"):
        once(caller, "k", fingerprint("/", {}), act)
    assert Organisation.objects.get(pk=somebody[2].pk).name == "counted"
    assert not StoredAnswer.objects.filter(key="k").exists()


def test_fingerprint_tells_requests_apart() -> None:
    made = {fingerprint(route, values) for route in "ab" for values in ({}, {"x": 1}, {"x": "1"})}
    assert len(made) == 6
    assert json.dumps("a").encode() not in fingerprint("a", {})


def test_page_names_every_type_of_problem_and_no_other() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "rest.md"
    rows = re.findall(r"^\| `([a-z-]+)` \| \d{3} \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {f"urn:doorstep:problem/{row}" for row in rows} == TYPES
