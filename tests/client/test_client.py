"""The client repeats what got no answer, says what was refused, and keeps its key to itself."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from doorstep.client import Client, ProblemAnswer, Unreachable
from doorstep.errors import MisuseError

KEY = "dkabcdefgh.secret"
Answers = list[httpx.Response | Exception]


def _client(answers: Answers, seen: list[httpx.Request], pauses: list[float]) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    return Client("https://x.test/", KEY, transport=httpx.MockTransport(answer), sleep=pauses.append)


def _ok(value: object = None) -> httpx.Response:
    return httpx.Response(200, json=value if value is not None else {"items": [], "next": None})


def test_post_without_an_answer_is_repeated_under_one_idempotency_key() -> None:
    seen: list[httpx.Request] = []
    pauses: list[float] = []
    answers: Answers = [
        httpx.ConnectError("x"),
        httpx.Response(503),
        httpx.Response(201, json={"token": "t"}),
    ]
    assert _client(answers, seen, pauses).make_registration_token({})["token"] == "t"
    assert len({request.headers["Idempotency-Key"] for request in seen}) == 1
    assert len(seen) == 3
    assert pauses == [0.5, 1.0]
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"


def test_own_idempotency_key_is_used() -> None:
    seen: list[httpx.Request] = []
    _client([httpx.Response(201, json={})], seen, []).make_registration_token({}, idempotency_key="order-1")
    assert seen[0].headers["Idempotency-Key"] == "order-1"


@pytest.mark.parametrize(("told", "pause"), [("7", 7.0), ("9999", 60.0), ("soon", 0.5), ("", 0.5)])
def test_client_waits_as_long_as_it_is_told_within_reason(told: str, pause: float) -> None:
    pauses: list[float] = []
    _client([httpx.Response(429, headers={"Retry-After": told}), _ok()], [], pauses).list_devices()
    assert pauses == [pause]


def test_refusal_comes_with_its_type_and_next_step() -> None:
    document = {
        "type": "urn:doorstep:problem/rows-refused",
        "detail": "no\nrow",
        "next_step": "Mend it.",
        "rows": [{"row": 1}],
    }
    with pytest.raises(ProblemAnswer) as refused:
        _client([httpx.Response(422, json=document)], [], []).list_sales()
    error = refused.value
    assert (error.status, error.message, error.next_step) == (422, "no row", "Mend it.")
    assert (error.type, error.rows) == ("urn:doorstep:problem/rows-refused", [{"row": 1}])


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.ConnectError("refused")] * 4,
        [httpx.Response(503)] * 4,
        [httpx.Response(200, headers={"content-type": "application/json"}, content=b"<html>")],
        [httpx.Response(404, content=b"nginx", headers={"content-type": "text/html"})],
    ],
    ids=["nobody", "unavailable", "no JSON", "another server"],
)
def test_platform_that_is_not_there_is_unreachable(answers: Answers) -> None:
    with pytest.raises(Unreachable) as away:
        _client(list(answers), [], []).list_devices()
    assert "x.test" in away.value.message
    assert "secret" not in repr(away.value) + str(away.value.__cause__)


def test_pages_are_gone_through() -> None:
    seen: list[httpx.Request] = []
    first, last = {"items": [{"order": "1"}], "next": "abc"}, {"items": [{"order": "2"}], "next": None}
    pages: Answers = [_ok(first), _ok(last)]
    assert [one["order"] for one in _client(pages, seen, []).each_sales(limit=1)] == ["1", "2"]
    assert seen[1].url.params["cursor"] == "abc"


def test_names_in_paths_stay_names() -> None:
    seen: list[httpx.Request] = []
    _client([_ok({})], seen, []).get_device("../sales?x=1")
    assert seen[0].url.raw_path == b"/api/v1/devices/..%2Fsales%3Fx%3D1"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Client("ftp://x.test", KEY),
        lambda: Client("x.test", KEY),
        lambda: Client("https://user:password@x.test", KEY),
        lambda: Client("https://x.test", ""),
        lambda: Client("https://x.test", "a\nb"),
        lambda: Client.with_key_file("https://x.test", Path("/nothing/here")),
    ],
)
def test_address_or_key_that_can_not_be_is_refused(make: Callable[[], Client]) -> None:
    with pytest.raises(MisuseError):
        make()


def test_key_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    with Client.with_key_file("https://x.test", tmp_path / "key") as client:
        assert "secret" not in repr(client)
