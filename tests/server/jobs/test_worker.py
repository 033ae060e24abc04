"""The role works off the queue, and ends cleanly on a signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from doorstep.runtime import heartbeat
from doorstep.runtime.state import StateFolder
from doorstep.server.jobs.actions import send_mail_later
from doorstep.server.jobs.models import Job

PATIENCE_S = 20.0


def test_role_sends_mail_beats_and_stops_on_sigterm() -> None:
    state = StateFolder(Path(settings.STATE.root))
    job = send_mail_later("owner@example.org", "Hello", "From the worker.")
    role = subprocess.Popen([sys.executable, "-m", "doorstep", "role", "jobs"], env=os.environ)
    try:
        end = time.monotonic() + PATIENCE_S
        while not Job.objects.filter(pk=job.pk, done_at_us__isnull=False).exists():
            assert time.monotonic() < end, "the mail was not sent in time"
            time.sleep(0.05)
        role.send_signal(signal.SIGTERM)
        assert role.wait(PATIENCE_S) == 0
    finally:
        role.kill()
        role.wait()
        Job.objects.all().delete()
    pulse = heartbeat.read(state, "jobs")
    assert pulse is not None
    assert pulse.pid == role.pid
    assert pulse.figures["failed"] == 0
