"""What each kind of job does. A handler may run twice, so each leaves the same state as once."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage

from doorstep.server.api.models import Allowance, StoredAnswer
from doorstep.server.custody.models import ClaimAttempt, ClaimRequest, DeviceGrant, RegistrationToken
from doorstep.server.fleet.models import DeviceSession, Product
from doorstep.server.fleet.rotation import rotate_aged
from doorstep.server.jobs.models import Job
from doorstep.server.readings.models import DeadLetter
from doorstep.server.webhooks.models import WebhookEvent

__all__ = ["HANDLERS", "MOST_LETTERS", "Handler"]

Handler = Callable[[Mapping[str, Any]], None]

_KEEP_TOKENS_US: Final = 30 * 86_400 * 1_000_000
"""Used and expired tokens explain for so long why a registration went as it did."""
_KEEP_GRANTS_US: Final = 3600 * 1_000_000
"""Whoever polls for an expired grant hears for so long that it has expired."""
_KEEP_ANSWERS: Final = timedelta(days=7)
"""A repeat of a request finds its first answer for so long."""
_KEEP_ALLOWANCES_US: Final = 3600 * 1_000_000
_KEEP_JOBS_US: Final = 30 * 86_400 * 1_000_000
_KEEP_SESSIONS_US: Final = 30 * 86_400 * 1_000_000
"""Connections of devices that ended: a device that reconnects every minute leaves a row each time."""
_KEEP_EVENTS_US: Final = 30 * 86_400 * 1_000_000
"""What webhooks told, to be replayed."""
_KEEP_LETTERS_US: Final = 30 * 86_400 * 1_000_000
MOST_LETTERS: Final = 500_000
"""Rows of dead letters that are kept, about 150 MB."""


def _mail(arguments: Mapping[str, Any]) -> None:
    EmailMessage(arguments["subject"], arguments["text"], to=[arguments["to"]]).send()


def _expire(_arguments: Mapping[str, Any]) -> None:
    now_us = time.time_ns() // 1000
    RegistrationToken.objects.filter(expires_at_us__lt=now_us - _KEEP_TOKENS_US).delete()
    DeviceGrant.objects.filter(expires_us__lt=now_us - _KEEP_GRANTS_US).delete()
    StoredAnswer.objects.filter(created_at__lt=datetime.now(UTC) - _KEEP_ANSWERS).delete()
    Allowance.objects.filter(since_us__lt=now_us - _KEEP_ALLOWANCES_US).delete()
    Job.objects.filter(done_at_us__lt=now_us - _KEEP_JOBS_US).delete()
    Session.objects.filter(expire_date__lt=datetime.now(UTC)).delete()
    DeviceSession.objects.filter(ended_us__lt=now_us - _KEEP_SESSIONS_US).delete()
    _forget_letters(now_us)
    WebhookEvent.objects.filter(at_us__lt=now_us - _KEEP_EVENTS_US).delete()
    rotate_aged(now_us)
    _end_what_ran_out(now_us)


def _end_what_ran_out(now_us: int) -> None:
    # They queue jobs, so they can't be imported above.
    from doorstep.server.custody.actions.casework import step_due_cases  # noqa: PLC0415
    from doorstep.server.custody.actions.data_jobs import forget_files  # noqa: PLC0415
    from doorstep.server.custody.actions.offers import expire_offers  # noqa: PLC0415

    expire_offers(now_us)
    step_due_cases(now_us)
    forget_files(now_us)


def _forget_letters(now_us: int) -> None:
    """Cut what strangers can make grow, by age and by number: a flood must not fill the disk in a month."""
    DeadLetter.objects.filter(at_us__lt=now_us - _KEEP_LETTERS_US).delete()
    newest = DeadLetter.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        DeadLetter.objects.filter(pk__lte=newest - MOST_LETTERS).delete()


def _block(arguments: Mapping[str, Any]) -> None:
    # The fleet queues jobs, so it can't be imported above.
    from doorstep.server.fleet.blocking import carry_out, entry_of  # noqa: PLC0415

    carry_out(entry_of(arguments["entry"]), time.time_ns() // 1000)


def _unblock(arguments: Mapping[str, Any]) -> None:
    from doorstep.server.fleet.blocking import entry_of, free  # noqa: PLC0415 - as above

    free(entry_of(arguments["entry"]), time.time_ns() // 1000)


def _data(arguments: Mapping[str, Any]) -> None:
    from doorstep.server.custody.actions.data_jobs import work  # noqa: PLC0415 - as above

    work(arguments)


def _code_refused(arguments: Mapping[str, Any]) -> None:
    # Custody queues jobs, so its actions can't be imported above.
    from doorstep.server.custody.actions.codes import follow_up  # noqa: PLC0415

    attempts = ClaimAttempt.objects.select_related("organisation", "user")
    follow_up(attempts.get(pk=arguments["attempt"]), time.time_ns() // 1000)


def _claim_mail(arguments: Mapping[str, Any]) -> None:
    from doorstep.server.custody.actions.mails import send_claim_mail  # noqa: PLC0415 - as above

    requests = ClaimRequest.objects.select_related("organisation")
    send_claim_mail(requests.get(pk=arguments["request"]), time.time_ns() // 1000)


def _judge_waiting(arguments: Mapping[str, Any]) -> None:
    from doorstep.server.custody.actions.policies import judge_waiting_claims  # noqa: PLC0415 - as above

    judge_waiting_claims(Product.objects.get(pk=arguments["product"]), time.time_ns() // 1000)


HANDLERS: Final[Mapping[str, Handler]] = {
    "mail": _mail,
    "expire": _expire,
    "block": _block,
    "unblock": _unblock,
    "data": _data,
    "code_refused": _code_refused,
    "claim_mail": _claim_mail,
    "judge_waiting": _judge_waiting,
}
