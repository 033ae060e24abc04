"""Put work on the queue. Written in the caller's transaction: it is there if, and only if, its cause is."""

import time
from collections.abc import Mapping
from typing import Any

from doorstep.errors import MisuseError
from doorstep.server.jobs.handlers import HANDLERS
from doorstep.server.jobs.models import Job

__all__ = ["enqueue", "send_mail_later"]


def enqueue(kind: str, arguments: Mapping[str, Any], run_at_us: int | None = None) -> Job:
    """Queue one job of a kind in ``doorstep.server.jobs.handlers``; due now unless a time is given."""
    if kind not in HANDLERS:
        raise MisuseError(f"no job is of kind {kind!r}", next_step=f"Use one of {', '.join(HANDLERS)}.")
    due = time.time_ns() // 1000 if run_at_us is None else run_at_us
    return Job.objects.create(kind=kind, arguments=dict(arguments), run_at_us=due)


def send_mail_later(to: str, subject: str, text: str) -> Job:
    """Queue one plain-text mail to one address."""
    return enqueue("mail", {"to": to, "subject": " ".join(subject.split()), "text": text})
