"""Readings are erased, exported or handed over, a piece at a time.

Each piece and the progress that it made are one transaction, so a job goes on after a crash where it was. A
job of the queue works for a while and then queues its own next one: many workers stay fair to each other.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from doorstep.errors import RefusedError
from doorstep.ownership.documents import Paper, digest_of
from doorstep.ownership.handovers import DataChoice
from doorstep.ownership.ledger import Event, Kind
from doorstep.server.clock import now_us as this_moment
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.erasing import erase_others, move_roll_ups
from doorstep.server.custody.changing import DataJob, ExportPiece, PastOwnership, SignedDocument
from doorstep.server.custody.documents import issue
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import enqueue
from doorstep.server.readings.exporting import csv_piece
from doorstep.server.readings.models import Message

__all__ = ["KEEP_FILES_US", "DataJobRefused", "ask_for_data", "begin_job", "forget_files", "work"]

KEEP_FILES_US: Final = 30 * 86_400 * 1_000_000
"""An exported file can be downloaded for so long."""
_AT_ONCE: Final = 500
"""Messages in one transaction."""
_FOR_S: Final = 2.0
"""How long one job of the queue works: other jobs wait, and so does whoever stops the role."""

_JOBS: Final[Mapping[DataChoice, str]] = {
    DataChoice.HAND_OVER: "hand_over",
    DataChoice.ERASE: "erase",
    DataChoice.EXPORT: "export",
}


class DataJobRefused(RefusedError):
    """These readings are not there any more, or somebody works on them already."""


def begin_job(past: PastOwnership, by: str, now_us: int) -> DataJob | None:
    """Queue what an owner chose for the readings of a period that ends; None when they stay as they are."""
    choice = DataChoice(past.data)
    if choice not in _JOBS:
        return None
    return _begin(
        past.device,
        past.period,
        kind=_JOBS[choice],
        organisation_id=past.organisation_id,
        next_period=past.period + 1 if choice is DataChoice.HAND_OVER else None,
        then_erase=choice is DataChoice.EXPORT,
        by=by,
        now_us=now_us,
    )


def ask_for_data(past_or_device: PastOwnership | Device, kind: str, by: str, now_us: int) -> DataJob:
    """Queue an ``export`` or ``erase`` of readings that the caller has: of now, or of a period they kept.

    Raises DataJobRefused while another job works on them, or when they are gone.
    """
    with transaction.atomic():
        device, period, owner = _whose(past_or_device)
        Device.objects.select_for_update().get(pk=device.pk)
        if DataJob.objects.filter(device=device, period=period, finished_us=None).exists():
            raise DataJobRefused(
                "these readings are being exported or erased already",
                next_step="Wait until that is finished; its page shows how far it is.",
            )
        return _begin(device, period, kind=kind, organisation_id=owner, by=by, now_us=now_us)


def work(arguments: Mapping[str, Any]) -> None:
    """Work on a data job for a while, then queue the rest or finish it."""
    until = time.monotonic() + _FOR_S
    while time.monotonic() < until:
        with transaction.atomic():
            job = (
                DataJob.objects.select_for_update(of=("self",))
                .select_related("device")
                .get(pk=arguments["job"])
            )
            if job.finished_us is not None:
                return
            if _STEPS[job.kind](job) == 0:
                _finish(job, this_moment())
                return
            job.save()
    enqueue("data", arguments)


def forget_files(now_us: int) -> None:
    """Erase exported files that were there long enough; their receipts stay."""
    ExportPiece.objects.filter(job__finished_us__lt=now_us - KEEP_FILES_US).delete()


def _whose(one: PastOwnership | Device) -> tuple[Device, int, int]:
    if isinstance(one, Device):
        assert one.owner_id is not None  # the caller found it as its owner's
        return one, one.ownership_period, one.owner_id
    if one.gone_us is not None:
        raise DataJobRefused("these readings are gone", next_step="Their receipt says when and how.")
    return one.device, one.period, one.organisation_id


def _begin(device: Device, period: int, *, by: str, now_us: int, **fields: Any) -> DataJob:
    job = DataJob(device=device, period=period, by=by, asked_us=now_us, until_us=now_us, total=0, **fields)
    job.total = _left(job).count()
    job.save()
    enqueue("data", {"job": job.pk})
    return job


def _left(job: DataJob) -> QuerySet[Message]:
    """Return the messages that the job is about and that are still there, in their order."""
    rows = Message.objects.filter(
        device_id=job.device_id, ownership_period=job.period, received_us__lte=job.until_us
    )
    return rows.order_by("epoch", "seq")


def _next_few(job: DataJob) -> QuerySet[Message]:
    """Return the messages behind those that the job has dealt with, so that no row is read twice."""
    behind = Q(epoch__gt=job.at_epoch) | Q(epoch=job.at_epoch, seq__gt=job.at_seq)
    return _left(job).filter(behind, epoch__gte=job.at_epoch)


def _change_next(job: DataJob, change: Callable[[QuerySet[Message]], object]) -> int:
    places = list(_next_few(job).values_list("epoch", "seq")[:_AT_ONCE])
    if places:
        epoch, seq = places[-1]
        change(_next_few(job).filter(Q(epoch__lt=epoch) | Q(epoch=epoch, seq__lte=seq)).order_by())
        job.at_epoch, job.at_seq = epoch, seq
    elif _left(job).exists():  # one that was on its way got its row behind our back
        job.at_epoch = job.at_seq = -1
        return 1
    job.done += len(places)
    return len(places)


def _erase(job: DataJob) -> int:
    return _change_next(job, lambda rows: rows.delete())


def _hand_over(job: DataJob) -> int:
    return _change_next(job, lambda rows: rows.update(ownership_period=job.next_period))


def _export(job: DataJob) -> int:
    columns = ("epoch", "seq", "payload", "received_us", "channel")
    rows = list(_next_few(job).values_list(*columns)[:_AT_ONCE])
    if rows:
        content = csv_piece(((*row[2:],) for row in rows), with_head=job.size == 0)
        ExportPiece.objects.create(job=job, number=job.pieces.count() + 1, content=content)
        job.at_epoch, job.at_seq = rows[-1][:2]
        job.size += len(content)
        job.done += len(rows)
    return len(rows)


_STEPS: Final[Mapping[str, Callable[[DataJob], int]]] = {
    "erase": _erase,
    "hand_over": _hand_over,
    "export": _export,
}


def _finish(job: DataJob, now_us: int) -> None:
    """Draw the consequences of the last piece, in its transaction."""
    job.finished_us = now_us
    match job.kind:
        case "erase":
            others = erase_others(job.device, job.period, job.until_us)
            _give_receipt(job, Paper.ERASURE, Kind.ERASED, {"messages": job.done, "others": others}, now_us)
            _mark_gone(job, now_us)
        case "hand_over":
            move_roll_ups(job.device, job.period, job.next_period or 0)
            _mark_gone(job, now_us)
        case _:
            facts: dict[str, str | int] = {
                "messages": job.done,
                "bytes": job.size,
                "sha256": _file_digest(job),
            }
            _give_receipt(job, Paper.EXPORT, Kind.EXPORTED, facts, now_us)
            if job.then_erase:
                _begin(
                    job.device,
                    job.period,
                    kind="erase",
                    organisation_id=job.organisation_id,
                    by=job.by,
                    now_us=now_us,
                )
    job.save()


def _mark_gone(job: DataJob, now_us: int) -> None:
    PastOwnership.objects.filter(device=job.device_id, period=job.period).update(gone_us=now_us)


def _file_digest(job: DataJob) -> str:
    whole = hashlib.sha256()
    for content in job.pieces.order_by("number").values_list("content", flat=True).iterator():
        whole.update(content)
    return whole.hexdigest()


def _give_receipt(
    job: DataJob, paper: Paper, kind: Kind, facts: Mapping[str, str | int], now_us: int
) -> SignedDocument:
    whose = {"organisation": job.organisation_id, "period": job.period}
    job.receipt = issue(paper, job.device, job.organisation, {**whose, **facts}, now_us)
    detail: dict[str, str | int] = {"period": job.period, "receipt": digest_of(job.receipt.text)}
    ledger.append([(job.device_id, Event(kind, job.device.device_id, job.by, detail))], now_us)
    return job.receipt
