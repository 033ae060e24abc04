"""The role ``jobs``: takes what is due from the queue, one at a time, and tries again what failed."""

import logging
import signal
import threading
import time
from collections import Counter
from types import FrameType
from typing import Final

from django.db import Error as DatabaseError
from django.db import close_old_connections

from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.server.clock import now_us
from doorstep.server.setup import start

__all__ = ["run"]

_IDLE_S: Final = 0.5
_WITHOUT_DATABASE_S: Final = 5.0
_EXPIRE_EVERY_S: Final = 3600.0
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; the job in hand is finished first."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    start()
    from doorstep.server.webhooks.sending import Senders  # noqa: PLC0415 - its models need Django started

    with Senders():
        _work(Heartbeat(StateFolder.open(settings.state), "jobs"), stop)


def _work(heartbeat: Heartbeat, stop: threading.Event) -> None:
    # Their models need Django started.
    from doorstep.server.fleet.rotating import step_due  # noqa: PLC0415
    from doorstep.server.fleet.watching import LOOK_EVERY_S, watch  # noqa: PLC0415
    from doorstep.server.jobs import queue  # noqa: PLC0415
    from doorstep.server.readings.digest import DIGEST_EVERY_S, digest  # noqa: PLC0415

    tally = Counter[str]()
    next_expiry = next_look = next_digest = 0.0
    turn = 0
    while not stop.is_set():
        try:
            if time.monotonic() >= next_expiry:
                queue.ensure_expiry()
                next_expiry = time.monotonic() + _EXPIRE_EVERY_S
            if time.monotonic() >= next_look:
                watch(now_us())
                next_look = time.monotonic() + LOOK_EVERY_S
            if time.monotonic() >= next_digest:
                more = digest(now_us())
                next_digest = time.monotonic() + (0.0 if more else DIGEST_EVERY_S)
            outcome = queue.work_off_one()
            turn = step_due(now_us(), turn)
            heartbeat.beat(done=tally["done"], failed=tally["failed"], waiting=queue.waiting())
        except DatabaseError as error:
            # The queue is in the database: there is nothing to do but to say so and to look again.
            _log.warning("the database does not answer: %s; trying again", error)
            heartbeat.beat(problem="the database does not answer")
            close_old_connections()
            stop.wait(_WITHOUT_DATABASE_S)
            continue
        if outcome is None:
            stop.wait(_IDLE_S)
        else:
            tally[outcome] += 1
