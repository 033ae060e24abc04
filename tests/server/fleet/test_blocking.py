"""The block-list: what stands on it is shut out at once and everywhere, until the line is lifted."""

import hashlib

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.crypto import p256
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.identity.ids import MalformedId
from doorstep.identity.statement import Purpose
from doorstep.ownership.claims import Outcome, Reason
from doorstep.ownership.standing import Standing
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.registration import DeviceBlocked
from doorstep.server.custody.attesting import look_up
from doorstep.server.fleet import blocking
from doorstep.server.fleet.access import NoSuchDevice
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.trust import BlockEntry
from doorstep.server.jobs.models import Job
from doorstep.server.jobs.queue import work_off_one
from tests.server.making import MadeDevice, authority, customer, devices, maker, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")


def owned(count: int = 1) -> list[MadeDevice]:
    made = devices(count, policy="device_key")
    user, organisation = customer()
    for one in made:
        token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
        said, _ = statement_of(one, token)
        assert actions.register_device(said, authority=authority(), now_us=now_us()).certificate
    return made


def add(kind: str, value: str, reason: str = "recall") -> BlockEntry:
    return blocking.add_block(kind, value, "operator", reason, now_us=now_us())


def names(made: MadeDevice) -> dict[str, str]:
    row = made.row
    Device.objects.filter(pk=row.pk).update(hardware_id="A0B1C2D3E4F5")
    return {
        "batch": row.batch.number,
        "hardware_id": "a0:b1:c2:d3:e4:f5",
        "key": hashlib.sha256(made.public_key).hexdigest().upper(),
    }


def test_key_is_looked_up_in_the_database_and_no_key_leaves_it() -> None:
    made = devices(3)
    entry = add("key", hashlib.sha256(made[1].public_key).hexdigest())
    with CaptureQueriesContext(connection) as asked:
        assert list(blocking.matching(entry).values_list("device_id", flat=True)) == [made[1].device_id]
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["batch", "hardware_id", "key"])
def test_listed_device_is_shut_out_from_the_commit_and_blocked_by_the_book_later(kind: str) -> None:
    """KEY-03, the batch recall."""
    [made], [other] = owned(), owned()
    generation = made.row.generation
    entry = add(kind, names(made)[kind])
    assert (made.row.blocked, made.row.generation, made.row.standing) == (True, generation + 1, Standing.OK)
    assert not other.row.blocked
    assert Job.objects.filter(kind="block").latest("pk").arguments == {"entry": entry.pk}
    while work_off_one():
        pass
    assert made.row.standing == Standing.BLOCKED
    assert made.row.credentials.get().state == "revoked"
    revocation = made.row.revocations.get()
    assert (revocation.block, revocation.reason) == (entry, "recall")
    blocking.carry_out(entry, now_us())  # once more changes nothing
    assert made.row.revocations.count() == 1
    assert blocking.progress_of(entry) == blocking.Progress(1, 1, 0)
    assert ledger.verify_all().number


def test_listed_device_that_nobody_owns_yet_is_refused_everywhere_with_a_plain_reason() -> None:
    [made] = devices(policy="device_key")
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    add("batch", made.row.batch.number)
    Device.objects.filter(pk=made.row.pk).update(blocked=False)  # as if it had been made after the line
    decision = actions.register_device(
        statement_of(made, token)[0], authority=authority(), now_us=now_us()
    ).decision
    assert decision is not None
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.BLOCKED)
    with pytest.raises(NoSuchDevice):
        look_up(organisation, made.serial)


def test_listed_device_is_not_renewed() -> None:
    [made] = owned()
    add("key", hashlib.sha256(made.public_key).hexdigest())
    said, _ = statement_of(
        made, None, purpose=Purpose.RENEW, operational=p256.generate(lambda n: b"\x05" * n)
    )
    with pytest.raises(DeviceBlocked, match="on its maker's block-list"):
        actions.renew_credential(said, authority=authority(), now_us=now_us())


def test_lifted_line_lets_its_devices_renew_again_and_stands_for_ever() -> None:
    made = owned(3)
    entry = add("batch", made[0].row.batch.number)
    blocking.carry_out(entry, now_us())
    revoke_device(made[1].row, "operator", "stolen", now_us=now_us())
    add("key", hashlib.sha256(made[2].public_key).hexdigest())
    lifted = blocking.lift_block(entry, "operator", "false alarm", now_us=now_us())
    while work_off_one():
        pass
    assert (lifted.action, lifted.kind, lifted.value) == ("lift", entry.kind, entry.value)
    assert [one.row.blocked for one in made] == [False, True, True]
    said, _ = statement_of(made[0], None, purpose=Purpose.RENEW)
    assert actions.renew_credential(said, authority=authority(), now_us=now_us()).certificate is not None
    kinds = list(made[0].row.custody.order_by("number").values_list("kind", flat=True))
    assert kinds[-2:] == ["blocked", "unblocked"]
    with pytest.raises(MisuseError, match="blocks nothing"):
        blocking.lift_block(entry, "operator", "again", now_us=now_us())
    with pytest.raises(MisuseError, match="blocks nothing"):
        blocking.lift_block(lifted, "operator", "again", now_us=now_us())


def test_line_that_is_lifted_before_its_turn_leaves_no_device_behind() -> None:
    [made] = owned()
    entry = add("batch", made.row.batch.number)
    blocking.lift_block(entry, "operator", "a slip", now_us=now_us())
    while work_off_one():
        pass
    assert (made.row.blocked, made.row.standing) == (False, Standing.OK)
    assert made.row.credentials.get().state == "active"


def test_same_line_twice_is_one() -> None:
    [made] = devices()
    assert add("batch", made.row.batch.number) == add("batch", made.row.batch.number)


BAD = {
    "kind": ("serial", "x", MisuseError),
    "batch": ("batch", "nobody-made-it", MisuseError),
    "hardware id": ("hardware_id", "xyz", MalformedId),
    "group address": ("hardware_id", "01:00:5e:00:00:01", MalformedId),
    "short key": ("key", "ab" * 31, MisuseError),
    "key with other letters": ("key", "zz" * 32, MisuseError),
}


@pytest.mark.parametrize("name", BAD)
def test_line_about_what_can_not_be_is_refused(name: str) -> None:
    kind, value, error = BAD[name]
    with pytest.raises(error):
        add(kind, value)
    with pytest.raises((MisuseError, MalformedMessage)):
        add("key", "ab" * 32, reason=" ")


def test_thousands_are_done_in_pieces_with_progress() -> None:
    made = devices(450)
    entry = add("batch", made[0].row.batch.number)
    told: list[int] = []
    blocking.carry_out(entry, now_us(), told.append)
    assert told == [200, 200, 50]
    assert blocking.progress_of(entry) == blocking.Progress(450, 450, 0)
    entry.revocations.update(purged_us=1)
    assert blocking.progress_of(entry).finished == 450


def test_staff_blocks_and_lifts_on_the_page(client: Client) -> None:
    [made] = owned()
    staff, _ = maker()
    client.force_login(staff)
    new = {"kind": "batch", "value": made.row.batch.number, "reason": "burns"}
    page = client.post("/staff/blocks/", new, follow=True).content.decode()
    assert "nothing of 1 devices is accepted any more" in page
    assert "1 of 1 shut out" in page
    entry = BlockEntry.objects.get(value=made.row.batch.number)
    assert "was blocked" in client.get(f"/staff/blocks/{entry.pk}/lift/").content.decode()
    page = client.post(f"/staff/blocks/{entry.pk}/lift/", {"reason": "fixed"}, follow=True).content.decode()
    assert "The block is lifted" in page
    assert f"lifted by line {entry.pk + 1}" in page
    assert client.get("/staff/blocks/99999/lift/").status_code == 404
    page = client.post("/staff/blocks/", {**new, "value": "none"}).content.decode()
    assert "there is no batch" in page
    user, _ = customer()
    client.force_login(user)
    assert client.get("/staff/blocks/").status_code in {403, 404}


@pytest.fixture
def client() -> Client:
    return Client()
