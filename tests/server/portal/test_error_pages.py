"""What people see when something is wrong: always a page of ours, never a stack trace."""

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from doorstep.server.portal.views import people
from tests.server.portal.world import World

NULS = ["/devices/%00/", "/devices/?q=%00x", "/staff/batches/%00/", "/staff/dead-letters/?device=%00"]


@pytest.mark.parametrize("path", NULS)
def test_portal_takes_no_harm_from_nul(world: World, client: Client, path: str) -> None:
    for user in (world.owner, world.staff):
        client.force_login(user)
        assert client.get(path).status_code in {200, 404}


HUGE = ["/devices/?page=99999999999999999999", "/devices/?page=-1", "/devices/?q=" + "x" * 5000]


@pytest.mark.parametrize("path", HUGE)
def test_portal_takes_no_harm_from_size(world: World, client: Client, path: str) -> None:
    client.force_login(world.owner)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_portal_answers_to_no_other_name(host: str) -> None:
    for path in ("/developer/", "/accounts/password/reset/"):
        answer = Client(headers={"host": host}).get(path)
        assert answer.status_code == 400
        assert "makes no sense to us" in answer.content.decode()


def test_missing_page_is_ours(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()


def test_broken_page_is_ours_and_says_that_nothing_is_half_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(people, "members_of", broken)
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    answer = client.get("/people/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something broke here" in page
    assert "on purpose" not in page
    assert "Content-Security-Policy" in answer


def test_page_without_its_database_says_that_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise OperationalError("password of nobody")

    monkeypatch.setattr(people, "members_of", away)
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    answer = client.get("/people/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    page = answer.content.decode()
    assert "nothing that was stored is lost" in page
    assert "password of nobody" not in page
    assert "Content-Security-Policy" in answer


def test_too_many_tries_is_a_page_that_calms(world: World, client: Client) -> None:
    cache.clear()
    answers = [client.post("/accounts/password/reset/", {"email": world.owner.email}) for _ in range(7)]
    assert answers[0].status_code == 302
    assert answers[-1].status_code == 429
    assert "Nothing is locked" in answers[-1].content.decode()
