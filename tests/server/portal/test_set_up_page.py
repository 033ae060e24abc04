"""What the server gives the page that sets devices up, and what it keeps from others."""

import json
import re

import pytest
from django.test import Client

from doorstep.onboarding.words import FAILURES, STEPS
from tests.server.portal.world import World


def _told(page: str) -> dict[str, object]:
    found = re.search(r'<script id="told" type="application/json">(.*?)</script>', page)
    assert found
    told: dict[str, object] = json.loads(found[1])
    return told


def test_page_has_the_words_of_every_step_and_failure(world: World, client: Client) -> None:
    client.force_login(world.owner)
    response = client.get("/devices/set-up/")
    told = _told(response.content.decode())
    assert told["steps"].keys() == STEPS.keys()  # type: ignore[attr-defined]  # JSON
    assert told["failures"].keys() == FAILURES.keys()  # type: ignore[attr-defined]  # JSON
    assert told["tokens"] == "/api/v1/registration-tokens"
    assert str(told["server"]).startswith("https://")


@pytest.mark.parametrize("language", ["de", "fr"])
def test_page_gives_its_words_in_the_language_of_the_reader(
    world: World, client: Client, language: str
) -> None:
    client.force_login(world.owner)
    english, own = (
        _told(client.get("/devices/set-up/", headers={"accept-language": one}).content.decode())
        for one in ("en", language)
    )
    for kind in ("steps", "failures"):
        for key, words in english[kind].items():  # type: ignore[attr-defined]  # JSON
            for part, text in words.items():
                assert (own[kind][key][part] != text) is bool(text), key  # type: ignore[index]  # JSON


def test_camera_and_bluetooth_are_for_this_page_alone(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "camera=(self)" in client.get("/devices/set-up/").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/devices/").headers["Permissions-Policy"]


def test_viewer_and_staff_set_nothing_up(world: World, client: Client) -> None:
    for user, status in ((world.viewer, 403), (world.staff, 404)):
        client.force_login(user)
        assert client.get("/devices/set-up/").status_code == status
        assert client.post("/devices/set-up/qr", b"text", "text/plain").status_code == status


def test_qr_code_is_a_square_of_rows(world: World, client: Client) -> None:
    client.force_login(world.owner)
    answer = client.post("/devices/set-up/qr", b"http://192.168.4.1/#sealed=AQ", "text/plain").json()
    assert {len(row) for row in answer["rows"]} == {len(answer["rows"])}
    assert {cell for row in answer["rows"] for cell in row} == {"0", "1"}


@pytest.mark.parametrize("size", [0, 2301])
def test_qr_code_of_nothing_or_too_much_is_refused(world: World, client: Client, size: int) -> None:
    client.force_login(world.owner)
    assert client.post("/devices/set-up/qr", b"x" * size, "text/plain").status_code == 400


def test_token_says_its_number_to_ask_for(world: World, client: Client) -> None:
    client.force_login(world.owner)
    made = client.post("/api/v1/registration-tokens", {"alias": "Porch"}, "application/json").json()
    assert client.get(f"/devices/added/{made['number']}/state").json()["state"] == "waiting"
