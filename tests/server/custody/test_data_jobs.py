"""Readings are erased, exported and handed over whole, whatever dies on the way, and a receipt says so."""

import csv
import gzip
import hashlib
import io
from contextlib import suppress

import pytest

from doorstep.ownership import documents
from doorstep.ownership.documents import Paper, digest_of
from doorstep.ownership.handovers import DataChoice
from doorstep.ownership.ledger import Entry
from doorstep.server.channels.actions import want_settings
from doorstep.server.channels.models import DesiredSettings, DeviceEvent
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import data_jobs
from doorstep.server.custody.actions.casework import Person
from doorstep.server.custody.actions.data_jobs import (
    KEEP_FILES_US,
    DataJobRefused,
    ask_for_data,
    forget_files,
    work,
)
from doorstep.server.custody.actions.offers import accept_transfer, offer_transfer
from doorstep.server.custody.changing import DataJob, PastOwnership
from doorstep.server.custody.documents import document_key
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.models import Job
from doorstep.server.readings.models import Message, RollUp
from doorstep.server.readings.queries import window_of
from tests.server import making
from tests.server.custody.hands import customer, owned, readings, recipient, row_of, work_off

pytestmark = pytest.mark.usefixtures("rolled_back")


def _given_away(data: DataChoice, count: int = 7) -> tuple[making.MadeDevice, Person, Person]:
    made, owner = owned()
    readings(made.row, count)
    friend = customer()
    offer = offer_transfer(made.row, friend.user.email, data, owner.actor, now_us=now_us())
    accept_transfer(offer, recipient(friend), now_us=now_us())
    return made, owner, friend


def _left(device: Device, period: int) -> int:
    return Message.objects.filter(device_id=device.pk, ownership_period=period).count()


def _roll_up(device: Device, period: int, start_us: int, count: int) -> None:
    RollUp.objects.create(
        device=device,
        ownership_period=period,
        hours=1,
        start_us=start_us,
        name="temperature",
        unit="Cel",
        count=count,
        total=20.0 * count,
        low=float(period),
        high=30.0 + period,
        first_epoch=1,
        first_seq=period,
        last_epoch=1,
        last_seq=10 + period,
    )


def _receipt(job: DataJob) -> documents.Document:
    key = document_key().verifying_key
    assert job.receipt is not None
    return documents.read(job.receipt.text, key.raw, key.verify)


@pytest.mark.parametrize("data", [DataChoice.KEEP, DataChoice.ERASE, DataChoice.EXPORT])
def test_new_owner_never_sees_the_readings_before(data: DataChoice) -> None:
    made, _, _ = _given_away(data)
    assert window_of(row_of(made)).points == ()
    work_off()
    readings(row_of(made), 2)
    assert len(window_of(row_of(made)).points) == 2


def test_readings_that_are_handed_over_are_the_new_owners() -> None:
    made, _, _ = _given_away(DataChoice.HAND_OVER)
    _roll_up(made.row, 1, 0, 5)
    _roll_up(made.row, 1, 3600, 1)
    _roll_up(made.row, 2, 0, 2)
    work_off()
    assert len(window_of(row_of(made)).points) == 7
    assert _left(made.row, 1) == 0
    hours = {
        row.start_us: (row.ownership_period, row.count, row.low)
        for row in RollUp.objects.filter(device=made.row)
    }
    assert hours == {0: (2, 7, 1.0), 3600: (2, 1, 1.0)}
    assert PastOwnership.objects.get(device=made.row).gone_us is not None


def test_erasure_ends_in_a_receipt_that_the_ledger_knows() -> None:
    made, owner, _ = _given_away(DataChoice.ERASE)
    device = row_of(made)
    _roll_up(device, 1, 0, 5)
    DeviceEvent.objects.create(
        device=device, epoch=1, seq=1, received_us=1, ownership_period=1, payload=b"{}"
    )
    work_off()
    job = DataJob.objects.get(device=device)
    said = _receipt(job)
    assert (said.paper, said.facts) == (
        Paper.ERASURE,
        {"organisation": owner.organisation.pk, "period": 1, "messages": 7, "others": 1},
    )
    assert (_left(device, 1), RollUp.objects.filter(device=device).count()) == (0, 0)
    entry = Entry.from_body(bytes(CustodyEntry.objects.get(device=device, kind="erased").body))
    assert job.receipt is not None
    assert entry.event.detail == {"period": 1, "receipt": digest_of(job.receipt.text)}
    with pytest.raises(DataJobRefused, match="are gone"):
        ask_for_data(PastOwnership.objects.get(device=device), "export", owner.actor, now_us())


def test_wishes_of_the_former_owner_are_emptied() -> None:
    made, owner = owned()
    want_settings(made.row, {"interval": 30.0}, seen=0, by=owner.actor, now_us=now_us())
    before = bytes(DesiredSettings.objects.get(device=made.row).settings)
    friend = customer()
    offer = offer_transfer(made.row, friend.user.email, DataChoice.ERASE, owner.actor, now_us=now_us())
    accept_transfer(offer, recipient(friend), now_us=now_us())
    work_off()
    assert bytes(DesiredSettings.objects.get(device=made.row).settings) != before


def test_export_is_a_file_that_others_read_and_then_the_readings_are_erased() -> None:
    made, _, _ = _given_away(DataChoice.EXPORT)
    work_off()
    export, erasure = DataJob.objects.filter(device=made.row).order_by("pk")
    content = b"".join(
        bytes(one) for one in export.pieces.order_by("number").values_list("content", flat=True)
    )
    said = _receipt(export)
    assert said.facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert said.facts["bytes"] == len(content) == export.size
    rows = list(csv.reader(io.StringIO(gzip.decompress(content).decode(), newline="")))
    assert rows[0] == ["time", "reading", "value", "unit", "channel"]
    assert [row[1:] for row in rows[1:]] == [["temperature", "21.5", "", "data"]] * 7
    assert erasure.receipt is not None
    assert _left(made.row, 1) == 0
    assert export.finished_us is not None
    forget_files(export.finished_us + KEEP_FILES_US)
    assert export.pieces.exists()
    forget_files(export.finished_us + KEEP_FILES_US + 1)
    assert not export.pieces.exists()


def test_spreadsheet_runs_nothing_that_a_device_said() -> None:
    made, owner = owned()
    readings(made.row, 1, note="=HYPERLINK(1)")
    job = ask_for_data(made.row, "export", owner.actor, now_us())
    work_off()
    assert b",'=HYPERLINK(1)," in gzip.decompress(bytes(job.pieces.get().content))


class _Killed(Exception):
    """Stands for a kill -9: nothing of the open transaction stays."""


@pytest.mark.parametrize("data", [DataChoice.ERASE, DataChoice.EXPORT, DataChoice.HAND_OVER])
def test_job_that_is_killed_before_every_commit_goes_on_and_loses_nothing(
    data: DataChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _, _ = _given_away(data, count=10)
    job = DataJob.objects.get(device=made.row)
    kept, killed = DataJob.save, set[tuple[int, bool]]()

    def die_once(self: DataJob) -> None:
        kept(self)
        place = (self.done, self.finished_us is not None)
        if place not in killed:
            killed.add(place)
            raise _Killed

    monkeypatch.setattr(data_jobs, "_AT_ONCE", 3)
    monkeypatch.setattr(DataJob, "save", die_once)
    while not DataJob.objects.filter(pk=job.pk, finished_us__isnull=False).exists():
        with suppress(_Killed):
            work({"job": job.pk})
    job.refresh_from_db()
    assert killed >= {(3, False), (6, False), (9, False), (10, False), (10, True)}
    assert (job.done, job.total) == (10, 10)
    if data is DataChoice.EXPORT:
        lines = b"".join(gzip.decompress(bytes(one.content)) for one in job.pieces.order_by("number"))
        assert lines.count(b"\r\n") == 11
    else:
        assert _left(made.row, 1) == 0
    ended = job.finished_us
    work({"job": job.pk})  # and once more does nothing
    job.refresh_from_db()
    assert job.finished_us == ended


def test_message_that_is_stored_behind_the_job_is_erased_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_jobs, "_AT_ONCE", 100)
    made, _, _ = _given_away(DataChoice.ERASE, count=4)
    job = DataJob.objects.get(device=made.row)
    DataJob.objects.filter(pk=job.pk).update(at_epoch=9)  # it has passed them all
    work({"job": job.pk})
    assert _left(made.row, 1) == 0


def test_owner_erases_what_came_until_now_and_goes_on() -> None:
    made, owner = owned()
    readings(made.row, 3)
    job = ask_for_data(made.row, "erase", owner.actor, now_us())
    with pytest.raises(DataJobRefused, match="already"):
        ask_for_data(made.row, "export", owner.actor, now_us())
    readings(made.row, 2)
    Message.objects.filter(device_id=made.row.pk, received_us__lte=job.until_us).exists()
    work_off()
    assert DataJob.objects.get(pk=job.pk).receipt is not None
    assert not Message.objects.filter(device_id=made.row.pk, received_us__lte=job.until_us).exists()


def test_long_job_lets_others_work_between(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = _given_away(DataChoice.ERASE)
    job = DataJob.objects.get(device=made.row)
    Job.objects.all().delete()
    monkeypatch.setattr(data_jobs, "_FOR_S", -1.0)
    work({"job": job.pk})
    assert Job.objects.get().arguments == {"job": job.pk}
