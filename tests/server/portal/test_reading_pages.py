"""Who sees which page, and that nobody learns what is not theirs."""

import json
import re

from django.test import Client
from django.urls import resolve

from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from tests.server.authorisation import PAGES, pages_there_are
from tests.server.portal.browsing import (
    anonymous_pages,
    claimant_pages,
    enter,
    member_pages,
    staff_pages,
    wholesaler_with_pages,
)
from tests.server.portal.world import World, send


def _customer_only(world: World) -> list[str]:
    device = f"/devices/{world.live.device_id}/"
    return ["/devices/", "/devices/add/", device, f"{device}live", f"{device}revoke/"]


def _without_token(page: bytes) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.decode())


NO_PAGES = {
    "device-live": "JSON",
    "added-state": "JSON",
    "audit-export": "a file",
    "case-paper-file": "a file",
    "document": "a file",
    "export-file": "a file",
    "import-failures": "a file",
}
SEEN_ON_THE_WAY = {
    "added": "of a token that the browser made",
    "developer-mail": "a letter that it asked for",
}


def test_axe_and_a_reader_without_scripts_are_led_to_every_page(world: World) -> None:
    """Whoever adds a page adds it to `browsing`, or says here why not."""
    _, wholesale = wholesaler_with_pages()
    customers = member_pages(world) | claimant_pages(world)
    paths = {**anonymous_pages(), **customers, **staff_pages(world), **wholesale}
    del paths["missing"]
    seen = {resolve(path.partition("?")[0]).url_name for path in paths.values()}
    pages = {name for name in pages_there_are() if PAGES[name].get is not None}
    assert not pages - seen - NO_PAGES.keys() - SEEN_ON_THE_WAY.keys()
    assert NO_PAGES.keys() | SEEN_ON_THE_WAY.keys() <= pages - seen


def test_customer_reads_every_customer_page(world: World, client: Client) -> None:
    enter(client, world.owner)
    for path in [*member_pages(world).values(), *_customer_only(world)]:
        assert client.get(path).status_code == 200, path


def test_staff_reads_every_staff_page(world: World, client: Client) -> None:
    client.force_login(world.staff)
    for path in staff_pages(world).values():
        assert client.get(path).status_code == 200, path


def test_nobody_reads_without_logging_in(world: World, client: Client) -> None:
    for path in [*_customer_only(world), *staff_pages(world).values(), "/", "/people/"]:
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/accounts/login/?next="), path


def test_customer_never_reads_staff_pages(world: World, client: Client) -> None:
    client.force_login(world.owner)
    for path in staff_pages(world).values():
        if path.startswith("/staff/"):
            assert client.get(path).status_code == 404, path


def test_staff_never_reads_customer_pages(world: World, client: Client) -> None:
    client.force_login(world.staff)
    for path in _customer_only(world):
        assert client.get(path).status_code == 404, path


def test_foreign_and_missing_devices_look_alike(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    for rest in ("", "live", "revoke/"):
        foreign = client.get(f"/devices/{world.live.device_id}/{rest}")
        missing = client.get(f"/devices/zzzzzzzz/{rest}")
        assert foreign.status_code == missing.status_code == 404
        assert _without_token(foreign.content) == _without_token(missing.content)


def test_claimant_never_sees_the_disputed_device(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    assert client.get(f"/devices/{world.disputed.device_id}/").status_code == 404
    assert world.disputed.serial not in client.get("/devices/").content.decode()


def test_owner_learns_of_the_dispute_and_keeps_the_device(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"/devices/{world.disputed.device_id}/").content.decode()
    assert "Somebody else tried to register this device" in page
    assert "It is still yours" in page


def test_list_shows_status_and_last_values(world: World, client: Client) -> None:
    send(world.live, now_us(), temperature=21)
    client.force_login(world.owner)
    page = client.get("/devices/").content.decode()
    for word in ("Live", "Quiet", "Waiting for data", "Disputed", "Revoked", "°C", "Greenhouse 1"):
        assert word in page


def test_search_finds_by_name_serial_and_product(world: World, client: Client) -> None:
    client.force_login(world.owner)
    for text in ("cold", world.quiet.serial, world.quiet.device_id, "thermo"):
        assert "Cold room" in client.get("/devices/", {"q": text}).content.decode()
    assert "Nothing is called “teapot”" in client.get("/devices/", {"q": "teapot"}).content.decode()


def test_page_escapes_what_people_typed(world: World, client: Client) -> None:
    Device.objects.filter(pk=world.live.pk).update(alias="<script>alert(1)</script>")
    client.force_login(world.owner)
    for path in ("/devices/", f"/devices/{world.live.device_id}/", "/devices/?q=<script>alert(1)</script>"):
        assert "<script>alert" not in client.get(path).content.decode()


def test_live_answers_only_what_arrived_after(world: World, client: Client) -> None:
    client.force_login(world.owner)
    path = f"/devices/{world.live.device_id}/live"
    first = client.get(path).json()
    assert len(first["points"]) == 120 * 3
    after = first["next_after_us"]
    assert client.get(path, {"after_us": after}).json()["points"] == []
    send(world.live, now_us(), temperature=30.25)
    fresh = client.get(path, {"after_us": after}).json()
    assert [(point["label"], point["value"], point["unit"]) for point in fresh["points"]] == [
        ("Temperature", 30.25, "°C")
    ]
    assert fresh["next_after_us"] > after


def test_live_refuses_a_place_that_is_no_time(world: World, client: Client) -> None:
    client.force_login(world.owner)
    for text in ("-1", "x", "1.5", "9" * 40, "9" * 5000, "²"):
        assert client.get(f"/devices/{world.live.device_id}/live", {"after_us": text}).status_code == 400


def test_new_owner_never_sees_old_readings(world: World, client: Client) -> None:
    Device.objects.filter(pk=world.live.pk).update(ownership_period=2)
    client.force_login(world.owner)
    assert client.get(f"/devices/{world.live.device_id}/live").json()["points"] == []


def test_payload_that_no_ingest_wrote_breaks_no_page(world: World, client: Client) -> None:
    send(world.live, now_us(), temperature=1)
    world.live.message_set.filter(epoch=7).update(payload=b"\xff\x00")
    client.force_login(world.owner)
    assert client.get(f"/devices/{world.live.device_id}/").status_code == 200
    assert client.get("/devices/").status_code == 200


def test_revoked_page_shows_the_measured_time(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.get(f"/devices/{world.revoked.device_id}/").content.decode()
    assert "Finished in 0.24" in page
    assert "1 connection closed, 3 waiting messages removed" in page
    assert "Revoke this device" not in page


def test_page_carries_no_inline_script_and_strict_headers(world: World, client: Client) -> None:
    client.force_login(world.owner)
    answer = client.get(f"/devices/{world.live.device_id}/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=') + 1
    assert json.loads(page.split('type="application/json">')[1].split("</script>")[0])["points"]


def test_member_of_two_organisations_switches(world: World, client: Client) -> None:
    client.force_login(world.owner)
    foreign = world.stranger.memberships.get().organisation
    assert client.post("/organisation/", {"organisation": foreign.pk}).status_code == 404
    world.owner.memberships.create(organisation=foreign, role="viewer")
    assert client.post("/organisation/", {"organisation": foreign.pk}).status_code == 302
    assert client.get(f"/devices/{world.live.device_id}/").status_code == 404
    assert "Another home" in client.get("/people/").content.decode()


def test_user_without_organisation_gets_a_sentence(world: World, client: Client) -> None:
    world.owner.memberships.all().delete()
    client.force_login(world.owner)
    answer = client.get("/devices/", follow=True)
    assert "You belong to no organisation now" in answer.content.decode()
