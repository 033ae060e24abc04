"""Devices come and go, and disputes are decided, through the forms."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from doorstep.ownership.audit import Details
from doorstep.ownership.cases import APPEAL_WITHIN_US
from doorstep.server.accounts.models import Organisation, OrganisationKind, Role, User
from doorstep.server.audit.models import AuditRow
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.casework import step_due_cases
from doorstep.server.custody.changing import DataJob, Handover, SignedDocument
from doorstep.server.custody.models import Dispute
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.queue import work_off_one
from tests.server.portal.world import World, person

PDF = b"%PDF-1.7 an invoice"


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _owner(device: Device) -> Organisation | None:
    return Device.objects.select_related("owner").get(pk=device.pk).owner


def test_owner_hands_a_device_over_and_the_new_one_accepts(world: World) -> None:
    theirs, others = _as(world.owner), _as(world.stranger)
    path = f"/devices/{world.quiet.device_id}/hand-over/"
    offered = theirs.post(path, {"email": world.stranger.email, "readings": "keep", "words": "enjoy it"})
    page = others.get(offered["Location"]).content.decode()
    assert "enjoy it" in page
    assert world.owner.email not in page
    done = others.post(f"{offered['Location']}step", {"step": "accept", "alias": "Hall"}, follow=True)
    assert "has ended for this device" in done.content.decode()
    assert theirs.get(f"/devices/{world.quiet.device_id}/").status_code == 404
    assert "None yet" in others.get(f"/devices/{world.quiet.device_id}/").content.decode()
    assert b"Past devices" in theirs.get("/handovers/").content


def test_refusals_are_read_on_the_page(world: World) -> None:
    theirs = _as(world.owner)
    path = f"/devices/{world.disputed.device_id}/hand-over/"
    answer = theirs.post(path, {"email": "a@example.org", "readings": "keep"}).content.decode()
    assert "There is a case about this device" in answer
    closed = Handover.objects.get(pk=world.offer)
    _as(world.owner).post(f"/handovers/{closed.pk}/step", {"step": "decline", "alias": ""})
    again = theirs.post(f"/handovers/{closed.pk}/step", {"step": "accept", "alias": ""}, follow=True)
    assert again.status_code in {200, 404}
    assert theirs.post(f"/devices/{world.live.device_id}/data/", {"kind": "sell"}).status_code == 404


def test_viewer_parts_with_nothing(world: World) -> None:
    client, device = _as(world.viewer), f"/devices/{world.quiet.device_id}/"
    for path in ("hand-over/", "return/", "scrap/"):
        assert client.post(f"{device}{path}", {}).status_code == 403
    assert client.post(f"{device}data/", {"kind": "erase"}).status_code == 403
    assert client.post(f"/cases/{world.case}/", {"step": "concede"}).status_code == 403
    assert client.post(f"/handovers/{world.offer}/step", {"step": "accept"}).status_code in {403, 404}


def test_owner_returns_a_device_and_the_staff_has_it(world: World) -> None:
    theirs, staff = _as(world.owner), _as(world.staff)
    answer = theirs.post(f"/devices/{world.waiting.device_id}/return/", {"readings": "keep", "words": ""})
    assert world.waiting.serial in staff.get("/handovers/").content.decode()
    assert b"Accept it when you have it in hand" in staff.get(answer["Location"]).content
    staff.post(f"{answer['Location']}step", {"step": "accept"})
    assert _owner(world.waiting) is None


def test_owner_scraps_a_device_and_keeps_the_certificate(world: World) -> None:
    theirs = _as(world.owner)
    theirs.post(f"/devices/{world.waiting.device_id}/scrap/", {"reason": "wet", "readings": "keep"})
    paper = SignedDocument.objects.get(device=world.waiting)
    answer = theirs.get(f"/documents/{paper.pk}/")
    assert answer["Content-Disposition"] == f'attachment; filename="scrapping-{paper.pk}.json"'
    assert _as(world.stranger).get(f"/documents/{paper.pk}/").status_code == 404


def test_owner_exports_readings_and_reads_the_progress(world: World) -> None:
    theirs = _as(world.owner)
    theirs.post(f"/devices/{world.live.device_id}/data/", {"kind": "export"})
    assert b"Working" in theirs.get("/handovers/").content
    refused = theirs.post(
        f"/devices/{world.live.device_id}/data/", {"kind": "erase", "sure": "yes"}, follow=True
    )
    assert b"exported or erased already" in refused.content
    while work_off_one() is not None:
        pass
    job = DataJob.objects.get(device=world.live)
    answer = theirs.get(f"/exports/{job.pk}/")
    assert b"".join(answer)[:2] == b"\x1f\x8b"
    assert _as(world.stranger).get(f"/exports/{job.pk}/").status_code == 404


def test_former_owner_reads_and_erases_what_they_kept(world: World) -> None:
    theirs = _as(world.owner)
    path = f"/past/{world.past}/"
    assert "11.5" in theirs.get(path).content.decode()
    assert _as(world.stranger).get(path).status_code == 404
    device = Handover.objects.get(pk=world.offer).device
    asked = {"kind": "erase", "past": str(world.past)}
    unsure = theirs.post(f"/devices/{device.device_id}/data/", asked, follow=True)
    assert b"Nothing was erased" in unsure.content
    theirs.post(f"/devices/{device.device_id}/data/", {**asked, "sure": "yes"})
    while work_off_one() is not None:
        pass
    assert "They are gone since" in theirs.get(path).content.decode()


def test_two_of_the_staff_decide_a_case_and_the_device_moves(world: World) -> None:
    maker = Organisation.objects.get(kind=OrganisationKind.MAKER)
    ann, bob = _as(world.staff), _as(person(maker, Role.ADMIN))
    claimant, owner, path = _as(world.stranger), _as(world.owner), f"/cases/{world.case}/"
    paper = SimpleUploadedFile("bill.pdf", PDF, "text/html")
    claimant.post(f"{path}papers/", {"paper": paper})
    claimant.post(path, {"step": "answer", "words": "I have the bill"})
    desk = ann.get(path).content.decode()
    assert "The owner" in desk
    assert "The claimant" in desk
    assert "I have the bill" in desk
    assert "I have the bill" not in owner.get(path).content.decode()
    assert world.stranger.email not in owner.get(path).content.decode()
    assert world.owner.email not in claimant.get(path).content.decode()
    ann.post(path, {"step": "propose", "words": "the bill holds"})
    assert b"it takes four eyes" in ann.post(path, {"step": "confirm", "words": ""}).content.lower()
    bob.post(path, {"step": "confirm", "words": ""})
    assert _owner(world.disputed) == world.owner.memberships.get().organisation
    assert "appeal" in owner.get(path).content.decode()
    step_due_cases(now_us() + APPEAL_WITHIN_US)
    assert _owner(world.disputed) == world.stranger.memberships.get().organisation
    assert Dispute.objects.get(pk=world.case).state == "moved"
    _check_trail_of_case(world)


def _check_trail_of_case(world: World) -> None:
    """Both sides read that staff looked; the owner who was reads what each decision changed."""
    rows = AuditRow.objects.filter(action="case", device_id=world.disputed.device_id)
    owner, claimant = (user.memberships.get().organisation for user in (world.owner, world.stranger))
    assert {row.owner for row in rows if row.way == "portal-read"} == {owner.pk, claimant.pk}
    key, changes = f"case {world.case} state", []
    for row in rows.filter(way="portal", owner=owner.pk).order_by("number"):
        told = Details.from_bytes(bytes(row.details or b""))
        changes.append((told.before.get(key), told.after.get(key)))
    assert ("review", "seconding") in changes
    assert ("seconding", "upheld") in changes


def test_paper_is_a_download_that_no_browser_runs(world: World) -> None:
    claimant, path = _as(world.stranger), f"/cases/{world.case}/"
    bad = SimpleUploadedFile("page.pdf", b"<script>alert(1)</script>", "application/pdf")
    assert b"PDF, JPEG or PNG" in claimant.post(f"{path}papers/", {"paper": bad}, follow=True).content
    assert b"Choose a file first" in claimant.post(f"{path}papers/", {}, follow=True).content
    claimant.post(f"{path}papers/", {"paper": SimpleUploadedFile("bill.pdf", PDF)})
    found = re.search(rf"{path}papers/\d+/", claimant.get(path).content.decode())
    assert found
    answer = claimant.get(found[0])
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="bill.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert _as(world.owner).get(found[0]).status_code == 404
    assert _as(world.staff).get(found[0]).status_code == 200


def test_owner_sees_attempts_on_the_page_of_the_device(world: World) -> None:
    page = _as(world.owner).get(f"/devices/{world.disputed.device_id}/").content.decode()
    assert "somebody claimed it with" in page
    assert "Another home" not in page
    assert f"/cases/{world.case}/" in page


def test_staff_swaps_a_device(world: World) -> None:
    staff = _as(world.staff)
    path = f"/staff/devices/{world.quiet.device_id}/swap/"
    assert "that nobody owns" in staff.post(path, {"replacement": world.live.serial}).content.decode()
    staff.post(path, {"replacement": world.unsold.serial})
    assert _owner(world.unsold) == world.owner.memberships.get().organisation
    page = _as(world.owner).get(f"/devices/{world.unsold.device_id}/").content.decode()
    assert "It took the place of" in page
    assert staff.post("/staff/devices/none/swap/", {"replacement": "x"}).status_code == 404
