"""Claims through the pages: by code, by serial, by mail, by the code on a screen, by staff's word."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from doorstep.ownership.device_grant import Heard
from doorstep.ownership.evidence import Evidence
from doorstep.server.accounts.models import Member, Organisation, User
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.grants import begin_grant, poll_grant
from doorstep.server.custody.actions.vouchers import make_voucher
from doorstep.server.custody.evidence import brought
from doorstep.server.custody.models import Claim, ClaimAttempt
from doorstep.server.fleet.models import Device, Product
from doorstep.server.jobs.handlers import HANDLERS
from doorstep.server.jobs.models import Job
from tests.server import making
from tests.server.making import MadeDevice
from tests.server.portal.world import World


def _page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def _post(client: Client, path: str, **fields: str) -> str:
    return html.unescape(client.post(path, fields, follow=True).content.decode())


def _organisation(user: User) -> Organisation:
    member: Member = user.memberships.get()
    return member.organisation


def _made(policy: str) -> MadeDevice:
    [device] = making.devices(policy=policy)
    return device


def _sold(device: MadeDevice, email: str) -> str:
    order = f"W-{device.serial}"
    actions.record_sale(order, [device.serial], email, actor="operator", source="api", now_us=now_us())
    return order


def test_customer_claims_by_code_and_reads_what_is_missing(world: World, client: Client) -> None:
    device = _made("device_key & label_code & sale")
    client.force_login(world.stranger)
    page = _post(client, "/claim/", code=device.code.lower(), alias="Attic")
    assert "Attic" in page
    assert "Waiting, with evidence" in page
    assert "the seller's records name you as its buyer" in page
    assert "You type the unused scratch-off code" in page
    assert device.serial in _page(client, "/claims/")


def test_serial_alone_tells_nothing(world: World, client: Client) -> None:
    """BIND-01: owned, unsold and unknown serials: the same page but for the serial."""
    client.force_login(world.stranger)
    pages = set()
    for serial in (world.live.serial, world.unsold.serial, "SN-0000000000000"):
        page = _post(client, "/claim/", serial=serial)
        page = re.sub(r"<time.*?</time>|csrfmiddlewaretoken[^>]*|/claims/\d+", "", page)
        pages.add(page.replace(serial, "SERIAL"))
    assert len(pages) == 1


def test_somebody_elses_claim_does_not_exist(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    for path in ("", "code", "order", "ask", "label"):
        method = client.post if path else client.get
        assert method(f"/claims/{world.claim}/{path}").status_code == 404


def test_viewer_reads_claims_and_adds_nothing(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    assert "Attic" in _page(client, f"/claims/{world.claim}/")
    assert client.post(f"/claims/{world.claim}/order", {"order": world.order}).status_code == 403
    assert client.get("/claim/").status_code == 403
    assert client.get("/activate/").status_code == 403


def test_order_number_is_taken_or_refused_in_words(world: World, client: Client) -> None:
    device = _made("device_key & sale")
    order = _sold(device, "buyer@example.org")
    client.force_login(world.stranger)
    _post(client, "/claim/", serial=device.serial)
    number = _organisation(world.stranger).claim_requests.get().pk
    assert "doesn't belong to a device" in _post(client, f"/claims/{number}/order", order="another")
    page = _post(client, f"/claims/{number}/order", order=order)
    assert "You give the number of the order." in page


def test_label_is_reported_by_whoever_brought_something(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = _post(client, f"/claims/{world.claim}/label")
    assert "counts for nobody" in page
    serial = _organisation(world.owner).claim_requests.get().serial
    assert Device.objects.get(serial=serial).label_state == "tampered"
    client.force_login(world.stranger)
    _post(client, "/claim/", serial=world.unsold.serial)
    number = _organisation(world.stranger).claim_requests.get().pk
    assert "whoever brought something" in _post(client, f"/claims/{number}/label")
    world.unsold.refresh_from_db()
    assert world.unsold.label_state == "sealed"


def test_mail_link_is_answered_once_and_by_whoever_has_it(world: World, client: Client) -> None:
    device = _made("email & label_code & device_key")
    _sold(device, "buyer@example.org")
    client.force_login(world.stranger)
    _post(client, "/claim/", code=device.code)
    number = _organisation(world.stranger).claim_requests.get().pk
    assert "a mail is on its way" in _post(client, f"/claims/{number}/ask")
    assert "within the last hour" in _post(client, f"/claims/{number}/ask")
    job = Job.objects.get(kind="claim_mail", done_at_us=None)
    HANDLERS[job.kind](job.arguments)
    text = Job.objects.filter(kind="mail").order_by("-pk")[0].arguments["text"]
    link = re.search(r"/claims/mail/[\w-]+/", text)
    assert link
    buyer = Client()
    assert "Another home" in _page(buyer, link[0])
    assert "You said yes" in _post(buyer, link[0], answer="yes")
    assert "You said yes" in _post(buyer, link[0], answer="no")
    assert Evidence.EMAIL in brought(device.row, _organisation(world.stranger))
    assert "not good any more" in _page(buyer, "/claims/mail/nothing/", 410)


def test_label_page_asks_strangers_to_log_in_and_keeps_the_code_out_of_addresses(client: Client) -> None:
    for path in ("/claim/", "/activate/"):
        page = _page(client, path)
        assert f"/accounts/login/?next={path}" in page
        assert client.post(path, {"code": "x"}).status_code == 403


def test_device_that_shows_a_code_joins_whoever_types_it(world: World, client: Client) -> None:
    device = _made("device_key & setup_session")
    code, shown = begin_grant(device.row, now_us())
    client.force_login(world.owner)
    page = _post(client, "/activate/", user_code=shown.shown.lower(), alias="Hall")
    assert device.serial in page
    assert poll_grant(device.device_id, code, now_us())[0] is Heard.PENDING
    page = _post(client, "/activate/", user_code=shown.shown, alias="Hall", answer="yes")
    assert "registers itself now" in page
    assert poll_grant(device.device_id, code, now_us() + 60_000_000)[0] is Heard.GRANTED
    assert "no device shows this code now" in _post(client, "/activate/", user_code=shown.shown).lower()
    assert "has 8 letters" in _post(client, "/activate/", user_code="AEIOU")


def test_device_that_nobody_knows_is_turned_away(world: World, client: Client) -> None:
    device = _made("device_key")
    code, shown = begin_grant(device.row, now_us())
    client.force_login(world.owner)
    assert "turned away" in _post(client, "/activate/", user_code=shown.shown, answer="no")
    assert poll_grant(device.device_id, code, now_us())[0] is Heard.DENIED


def test_code_typed_wrong_is_told_without_being_counted(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    assert "not a claim code" in _post(client, "/claim/", code="7K3M-9QWX-T2HB-1")
    assert "Type the serial number or" in _post(client, "/claim/", serial="")
    assert "letters, digits, dots" in _post(client, "/claim/", serial="!!")
    assert not ClaimAttempt.objects.filter(organisation=_organisation(world.stranger)).exists()


def test_staff_vouch_for_a_held_claim(world: World, client: Client) -> None:
    claim = Claim.objects.get(device=world.held, decision="held")
    client.force_login(world.staff)
    assert f"/staff/claims/{claim.pk}/vouch/" in _page(client, "/staff/claims/")
    path = f"/staff/claims/{claim.pk}/vouch/"
    assert "The device itself registers" in _page(client, path)
    assert "This field is required" in _post(client, path, reason="")
    page = _post(client, path, reason="Saw the invoice.")
    assert "This device is now yours" in page
    world.held.refresh_from_db()
    assert world.held.owner == claim.organisation
    assert client.get(path).status_code == 404


def test_customers_vouch_for_nobody(world: World, client: Client) -> None:
    claim = Claim.objects.get(device=world.held, decision="held")
    client.force_login(world.stranger)
    assert client.post(f"/staff/claims/{claim.pk}/vouch/", {"reason": "me"}).status_code == 404


def test_staff_try_a_policy_and_make_it_the_next_version(world: World, client: Client) -> None:
    client.force_login(world.staff)
    path = f"/staff/products/{world.product.key}/policy/"
    page = _post(client, path, claim_policy="device_key", **{"try": "1"})
    assert "As tried, not yet in force" in page
    assert "A neighbour joins its set-up network: the device would become theirs." in page
    assert Product.objects.get(pk=world.product.pk).claim_policy_version == 1
    refused = _post(client, path, claim_policy="order_ref")
    assert "weak evidence alone" in refused
    page = _post(client, path, claim_policy="device_key & setup_session & sale")
    assert "has claim policy 2" in page
    assert "Version 2" in page
    assert "device_key & setup_session & (sale | label_code | staff)" in _page(client, path)


@pytest.mark.parametrize("path", ["/staff/products/{key}/", "/staff/products/new/"])
def test_product_pages_show_who_could_claim(world: World, client: Client, path: str) -> None:
    client.force_login(world.staff)
    page = _page(client, path.format(key=world.product.key))
    assert "Who could claim a device with what" in page
    assert "A thief or finder sets it up, without the box" in page


def test_voucher_is_brought_in_the_portal(world: World, client: Client) -> None:
    device = _made("device_key & voucher")
    data = make_voucher([device.serial], world.stranger.email, making.authority(), now_us())
    for user, told in ((world.owner, "for another address"), (world.stranger, "counts for 1 devices")):
        client.force_login(user)
        file = SimpleUploadedFile("site.voucher", data)
        answer = client.post("/claims/voucher/", {"voucher": file}, follow=True)
        assert told in answer.content.decode()
    assert "counts for" not in _post(client, "/claims/voucher/")
    assert Evidence.VOUCHER in brought(device.row, _organisation(world.stranger))
