"""What a customer finds: what needs them, their devices by place and state, charts, thresholds, files."""

import csv
import io
import re

import pytest
from django.test import Client, RequestFactory

from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.places import Site
from doorstep.server.portal.keyset import Slice, slice_of
from doorstep.server.readings.downloads import parquet_is_there
from doorstep.server.readings.models import Alert, Threshold
from tests.server.portal.world import World, send


def _page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, path
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def test_home_says_what_needs_somebody_and_what_changed(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = _page(client, "/")
    for words in ("What needs you", "Temperature was 24.3 °C, above 24 °C.", "Greenhouse 2", "Hillside"):
        assert words in page
    assert "sent it the command identify." in _page(client, "/activity/")


def test_home_of_a_new_customer_teaches_the_first_step(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    page = _page(client, "/")
    assert "Add your first device" in page
    assert "What needs you" not in page


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ({"status": "live"}, "Greenhouse 1", "Cold room"),
        ({"status": "quiet"}, "Cold room", "Greenhouse 1"),
        ({"status": "waiting"}, "Propagation bench", "Greenhouse 1"),
        ({"status": "attention"}, "Greenhouse 2", "Greenhouse 1"),
        ({"status": "revoked"}, "Delivery van", "Greenhouse 1"),
        ({"status": "live", "q": "teapot"}, "Nothing is called", "Greenhouse 1"),
        ({"site": "999999999999999999"}, "No device is like that", "Greenhouse 1"),
        ({"site": "x", "group": "²", "status": "odd"}, "Greenhouse 1", "No device"),
    ],
)
def test_list_is_narrowed(
    world: World, client: Client, query: dict[str, str], seen: str, unseen: str
) -> None:
    # The world may have stood for longer than a device counts as live.
    Device.objects.filter(pk=world.live.pk).update(last_seen_us=now_us())
    client.force_login(world.owner)
    page = _page(client, "/devices/", **query)
    assert seen in page
    assert unseen not in page


def test_list_is_narrowed_to_a_site_of_the_same_owner(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert world.live.site is not None
    page = _page(client, "/devices/", site=str(world.live.site.pk))
    assert "Greenhouse 1" in page
    assert "Cold room" not in page
    other = world.stranger.memberships.get().organisation
    Site.objects.filter(pk=world.live.site.pk).update(organisation=other)
    assert "No device is like that" in _page(client, "/devices/", site=str(world.live.site.pk))


def test_pages_of_a_long_list_go_on_and_back(world: World) -> None:
    def page(**query: str) -> Slice[Device]:
        rows = Device.objects.filter(owner=world.live.owner)
        return slice_of(RequestFactory().get("/", query), rows, ("alias", "serial"), size=2)

    pages = [page()]
    for _ in range(2):
        pages.append(page(after=pages[-1].after))
    seen = [str(row) for one in pages for row in one]
    assert seen == ["Cold room", "Delivery van", "Greenhouse 1", "Greenhouse 2", "Propagation bench"]
    assert pages[-1].after == ""
    back = page(before=pages[-1].before)
    assert [str(row) for row in back] == ["Greenhouse 1", "Greenhouse 2"]
    first = page(before=back.before)
    assert [str(row) for row in first] == ["Cold room", "Delivery van"]
    assert (first.before, bool(first.after)) == ("", True)


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "e30", "WyJhIl0", "WzEsdHJ1ZV0", "bnVsbA", "A" * 5000, "WyJcdTAwMDAiLCJhIl0"]
)
def test_cursor_that_is_none_begins_at_the_beginning(world: World, client: Client, cursor: str) -> None:
    client.force_login(world.owner)
    assert "Cold room" in _page(client, "/devices/", after=cursor)
    assert "Cold room" in _page(client, "/devices/", before=cursor)


def test_chart_is_drawn_for_each_span(world: World, client: Client) -> None:
    client.force_login(world.owner)
    for span in ("hour", "day", "week", "month", "year", "nonsense"):
        page = _page(client, f"/devices/{world.live.device_id}/charts/", span=span)
        assert page.count('class="curve c1"') == 6  # three readings, each with its sample in the table
        assert "Humidity" in page
        assert 'class="limit"' in page


def test_chart_is_compared_by_name_and_never_with_what_is_not_theirs(world: World, client: Client) -> None:
    client.force_login(world.owner)
    path = f"/devices/{world.live.device_id}/charts/"
    answer = client.get(path, {"span": "day", "add": "cold"})
    assert answer.status_code == 302
    assert answer["Location"] == f"{path}?span=day&with={world.quiet.device_id}"
    assert "curve c2" in _page(client, answer["Location"])
    assert "called “teapot”" in client.get(path, {"add": "teapot"}, follow=True).content.decode()
    Device.objects.filter(pk=world.quiet.pk).update(owner=world.stranger.memberships.get().organisation)
    assert "curve c2" not in _page(client, answer["Location"])


def test_threshold_is_added_and_removed(world: World, client: Client) -> None:
    client.force_login(world.owner)
    path = f"/devices/{world.quiet.device_id}/thresholds/"
    said = {"name": "temperature", "kind": "below", "value": "2", "mail": "on"}
    assert client.post(path, said).status_code == 302
    assert client.post(path, {"minutes": "90"}).status_code == 302
    page = _page(client, path)
    assert "Temperature below 2" in page
    assert "No message for 90 minutes" in page
    first = Threshold.objects.filter(device=world.quiet, kind="below").get()
    assert first.mail
    assert client.post(f"{path}{first.pk}/remove/").status_code == 302
    assert client.post(f"{path}{first.pk}/remove/").status_code == 404
    assert Threshold.objects.filter(device=world.quiet).count() == 1


@pytest.mark.parametrize(
    "said",
    [
        {"name": "pressure", "kind": "above", "value": "1"},
        {"name": "temperature", "kind": "silent", "value": "1"},
        {"name": "temperature", "kind": "above", "value": "nan"},
        {"name": "temperature", "kind": "above", "value": "1e300"},
        {"minutes": "1"},
        {"minutes": "9999999"},
    ],
)
def test_threshold_that_means_nothing_is_refused(world: World, client: Client, said: dict[str, str]) -> None:
    client.force_login(world.owner)
    answer = client.post(f"/devices/{world.quiet.device_id}/thresholds/", said)
    assert "Please check this" in answer.content.decode()
    assert not Threshold.objects.filter(device=world.quiet).exists()


def test_viewer_changes_nothing(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    device = f"/devices/{world.live.device_id}"
    threshold = Threshold.objects.filter(device=world.live)[0]
    site = f"/sites/{world.live.site_id}/"
    watching = (f"{device}/thresholds/", f"{device}/thresholds/{threshold.pk}/remove/")
    for path in (*watching, f"{device}/place/", "/sites/new/", site, f"{site}remove/"):
        assert client.post(path, {"minutes": "60", "name": "x"}).status_code == 403, path
    assert "Watch for silence" not in _page(client, f"{device}/thresholds/")


def test_alerts_of_a_former_owner_are_gone(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert Alert.objects.filter(device=world.live).count() == 2
    assert "Greenhouse 1" in _page(client, "/alerts/")
    Device.objects.filter(pk=world.live.pk).update(ownership_period=2)
    assert "No alerts yet" in _page(client, "/alerts/")


def test_site_is_made_changed_and_removed(world: World, client: Client) -> None:
    client.force_login(world.owner)
    said = {"name": "Barn", "address": "", "latitude": "47.1", "longitude": "15.4"}
    assert client.post("/sites/new/", said).status_code == 302
    assert "a site called Barn already" in client.post("/sites/new/", said).content.decode()
    barn = Site.objects.get(name="Barn")
    assert client.post(f"/sites/{barn.pk}/", {**said, "name": "Old barn"}).status_code == 302
    device = f"/devices/{world.waiting.device_id}/"
    assert client.post(f"{device}place/", {"alias": "Loft", "site": barn.pk}).status_code == 302
    assert "Old barn" in _page(client, device)
    assert 'class="pin"' in _page(client, "/sites/")
    assert client.post(f"/sites/{barn.pk}/remove/").status_code == 302
    assert Device.objects.get(pk=world.waiting.pk).alias == "Loft"
    _page(client, device)
    assert "Old barn" not in _page(client, device)


def test_foreign_site_does_not_exist(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    assert client.get(f"/sites/{world.live.site_id}/").status_code == 404
    assert "Hillside" not in _page(client, "/sites/")
    foreign = world.stranger.memberships.get().organisation
    Device.objects.filter(pk=world.waiting.pk).update(owner=foreign)
    answer = client.post(f"/devices/{world.waiting.device_id}/place/", {"site": world.live.site_id})
    assert answer.status_code == 200
    assert Device.objects.get(pk=world.waiting.pk).site is None


def test_readings_come_as_csv_of_the_days_asked_for(world: World, client: Client) -> None:
    client.force_login(world.owner)
    send(world.live, now_us(), temperature=3.25, note="=cmd|' /C calc'!A0")
    path = f"/devices/{world.live.device_id}/download/"
    rows = list(
        csv.DictReader(io.StringIO(_page(client, path, since="2020-01-01", until="2100-01-01", kind="csv")))
    )
    assert len(rows) == 120 * 3 + 2
    assert (rows[-2]["name"], rows[-2]["value"], rows[-2]["unit"]) == ("temperature", "3.25", "Cel")
    assert rows[-1]["text"].startswith("'=cmd")
    assert rows[-1]["time"].endswith("Z")
    assert _page(client, path, since="2020-01-01", until="2020-01-02", kind="csv").count("\n") == 1


def test_download_asks_again_for_days_that_make_no_sense(world: World, client: Client) -> None:
    client.force_login(world.owner)
    path = f"/devices/{world.live.device_id}/download/"
    for since, until, kind in (
        ("2026-02-02", "2026-02-01", "csv"),
        ("x", "2026-02-01", "csv"),
        ("2026-02-01", "2026-02-02", "exe"),
    ):
        assert "Please check this" in _page(client, path, since=since, until=until, kind=kind)


def test_parquet_holds_the_same_or_says_why_not(world: World, client: Client) -> None:
    client.force_login(world.owner)
    query = {"since": "2026-01-01", "until": "2026-12-31", "kind": "parquet"}
    answer = client.get(f"/devices/{world.live.device_id}/download/", query)
    if not parquet_is_there():
        assert "makes no Parquet files" in answer.content.decode()
        return
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    table = parquet.read_table(io.BytesIO(answer.getvalue()))
    assert table.column_names == ["time", "received", "device", "name", "unit", "value", "text"]
    assert table.num_rows == 120 * 3


def test_activity_pages_by_time(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.server.portal.views.home._A_PAGE", 3)
    client.force_login(world.owner)
    page = _page(client, "/activity/")
    assert page.count("</a><p") == 3
    older = re.search(r"before=(\d+)", page)
    assert older
    following = _page(client, "/activity/", before=older[1])
    assert "Newest" in following
    assert following.count("</a><p") == 3
