"""The card that sends commands and changes settings, through the forms."""

import pytest
from django.test import Client

from doorstep.server.channels.models import DesiredSettings, Downlink
from doorstep.server.channels.queries import settings_of
from tests.server.portal.world import World


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def _newest(world: World) -> Downlink:
    return Downlink.objects.filter(device=world.quiet).latest("number")


def _text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_owner_makes_a_device_show_itself(world: World, owner: Client) -> None:
    path = f"/devices/{world.quiet.device_id}/"
    page = _text(owner.post(f"{path}command/", {"name": "identify"}, follow=True))
    assert "gets the command identify as soon as it is there" in page
    row = _newest(world)
    assert (row.name, row.state, row.asked_by.partition("@")[0]) == (
        "identify",
        "queued",
        f"user:{world.owner.pk}",
    )
    assert f'data-command="{row.command_id}"' in page
    assert owner.get(f"{path}live").json()["commands"][0] == {
        "id": row.command_id,
        "word": "Queued",
        "open": True,
        "tone": "note",
        "detail": "",
    }


def test_owner_cancels_what_waits_and_hears_when_it_is_too_late(world: World, owner: Client) -> None:
    path = f"/devices/{world.quiet.device_id}/command/"
    owner.post(path, {"name": "identify"})
    cancel = f"{path}{_newest(world).command_id}/cancel"
    assert "is cancelled" in _text(owner.post(cancel, follow=True))
    assert "there is nothing to cancel" in _text(owner.post(cancel, follow=True))
    assert owner.post(f"{path}{'0' * 16}/cancel").status_code == 404
    assert owner.get(cancel).status_code == 405


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Relay!"}, "a command has a name"),
        ({"name": "relay", "values": "on"}, "is no value"),
        ({"name": "relay", "values": "a b=1"}, "be sent"),
        ({"name": "relay", "lasts": "5"}, "Select a valid choice"),
    ],
)
def test_form_says_what_is_wrong_and_sends_nothing(
    world: World, owner: Client, asked: dict[str, str], said: str
) -> None:
    page = _text(owner.post(f"/devices/{world.quiet.device_id}/command/", asked))
    assert said in page
    assert "Please check" in page
    assert not Downlink.objects.filter(device=world.quiet).exists()


def test_owner_changes_settings_and_sees_them_wanted(world: World, owner: Client) -> None:
    path = f"/devices/{world.quiet.device_id}/"
    owner.post(f"{path}settings/", {"values": "interval=30\r\n\r\nname=Cold room", "seen": "0"})
    assert settings_of(world.quiet).wanted == {"interval": 30.0, "name": "Cold room"}
    page = _text(owner.get(path))
    assert "The device has not said yet that it has them." in page
    assert "interval=30\nname=Cold room</textarea>" in _text(owner.get(f"{path}settings/"))


def test_change_in_between_is_shown_and_not_overwritten_unseen(world: World, owner: Client) -> None:
    path = f"/devices/{world.quiet.device_id}/settings/"
    owner.post(path, {"values": "interval=30", "seen": "0"})
    page = _text(owner.post(path, {"values": "interval=5", "seen": "0"}))
    assert "now they are: interval=30. Save again to replace them." in page
    assert 'name="seen" value="1"' in page
    assert DesiredSettings.objects.get(device=world.quiet).version == 1
    owner.post(path, {"values": "interval=5", "seen": "1"})
    assert settings_of(world.quiet).wanted == {"interval": 5.0}


def test_card_shows_wanted_reported_events_and_answers(world: World, owner: Client) -> None:
    page = _text(owner.get(f"/devices/{world.live.device_id}/"))
    for said in ("blinked", "this device knows no command relay", "settings, version 1", "Door: open"):
        assert said in page
    assert "config.version" not in page


def test_viewer_reads_the_card_and_can_not_command(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    path = f"/devices/{world.live.device_id}/"
    page = _text(client.get(path))
    assert "blinked" in page
    assert "Make it show itself" not in page
    assert client.post(f"{path}command/", {"name": "identify"}).status_code == 403
    assert client.get(f"{path}settings/").status_code == 403


def test_stranger_finds_no_card(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    path = f"/devices/{world.live.device_id}/"
    assert client.post(f"{path}command/", {"name": "identify"}).status_code == 404
    assert client.post(f"{path}settings/", {"values": "", "seen": "0"}).status_code == 404


def test_revoked_device_takes_nothing(world: World, owner: Client) -> None:
    path = f"/devices/{world.revoked.device_id}/"
    assert "Make it show itself" not in _text(owner.get(path))
    assert owner.post(f"{path}command/", {"name": "identify"}).status_code == 403
