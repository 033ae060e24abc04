"""Take what is due, one job at a time, and keep what became of it.

A job is leased, not locked, while it is worked on: a slow mail server never holds the database. Whoever
dies with a job in hand leaves it to be taken again when the lease ends, so each job runs at least once.
"""

import time
from typing import Final

from django.db import connection, transaction

from doorstep.server.jobs.actions import enqueue
from doorstep.server.jobs.handlers import HANDLERS
from doorstep.server.jobs.models import Job
from doorstep.server.jobs.retry import next_attempt_us

__all__ = ["LEASE_US", "ensure_expiry", "waiting", "work_off_one"]

LEASE_US: Final = 5 * 60 * 1_000_000


def work_off_one() -> str | None:
    """Do the job that has been due longest; return ``done``, ``failed``, or None when nothing is due."""
    job = _lease(_now_us())
    if job is None:
        return None
    try:
        HANDLERS[job.kind](job.arguments)
    except Exception as error:  # noqa: BLE001 - one bad job must not stop the queue; its row says why
        _keep_failure(job, error)
        return "failed"
    Job.objects.filter(pk=job.pk).update(done_at_us=_now_us(), last_error="")
    return "done"


def ensure_expiry() -> None:
    """Queue the expiry of what is old, unless it is queued already."""
    if not Job.objects.filter(kind="expire", done_at_us=None).exists():
        enqueue("expire", {})


def waiting() -> int:
    """Return how many jobs are not done, due or not."""
    return Job.objects.filter(done_at_us=None).count()


def _lease(now_us: int) -> Job | None:
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        due = Job.objects.select_for_update(skip_locked=skip).filter(done_at_us=None, run_at_us__lte=now_us)
        job = due.order_by("run_at_us", "pk").first()
        if job is not None:
            job.attempts += 1
            job.run_at_us = now_us + LEASE_US
            job.save(update_fields=["attempts", "run_at_us"])
    return job


def _keep_failure(job: Job, error: Exception) -> None:
    again_us = next_attempt_us(job.attempts, _now_us())
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if again_us is None:
        Job.objects.filter(pk=job.pk).update(done_at_us=_now_us(), last_error=what)
    else:
        Job.objects.filter(pk=job.pk).update(run_at_us=again_us, last_error=what)


def _now_us() -> int:
    return time.time_ns() // 1000
