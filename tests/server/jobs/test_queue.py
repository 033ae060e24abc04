"""The queue does what is due, once where it can, and keeps what became of it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation
from doorstep.server.api.models import StoredAnswer
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import DeviceSession
from doorstep.server.jobs import actions, handlers, queue
from doorstep.server.jobs.models import Job
from doorstep.server.jobs.retry import MOST_ATTEMPTS
from doorstep.server.readings.models import DeadLetter
from tests.server.making import devices

pytestmark = pytest.mark.usefixtures("empty_tables")

DAY_US = 86_400 * 1_000_000


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def empty_tables(rolled_back: None) -> None:
    """Hide, until the roll-back, what tests with processes of their own left behind."""
    for model in (Job, RegistrationToken, StoredAnswer):
        model.objects.all().delete()


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What the handler of kind ``note`` was given; it fails for ``{"fail": text}``."""
    given: list[Mapping[str, Any]] = []

    def note(arguments: Mapping[str, Any]) -> None:
        given.append(arguments)
        if "fail" in arguments:
            raise ConnectionRefusedError(arguments["fail"])

    monkeypatch.setattr(queue, "HANDLERS", {"note": note})
    monkeypatch.setattr(actions, "HANDLERS", {"note": note})
    return given


def test_worker_does_due_jobs_in_order_and_only_once(handled: list[Mapping[str, Any]]) -> None:
    actions.enqueue("note", {"n": 2}, run_at_us=2)
    actions.enqueue("note", {"n": 1}, run_at_us=1)
    actions.enqueue("note", {"n": 3}, run_at_us=now_us() + DAY_US)
    assert queue.waiting() == 3
    assert [queue.work_off_one() for _ in range(3)] == ["done", "done", None]
    assert handled == [{"n": 1}, {"n": 2}]
    assert queue.waiting() == 1


def test_failed_job_keeps_its_reason_and_comes_again(handled: list[Mapping[str, Any]]) -> None:
    job = actions.enqueue("note", {"fail": "mail server\n said no " + "x" * 300})
    assert queue.work_off_one() == "failed"
    job.refresh_from_db()
    assert (job.attempts, job.done_at_us) == (1, None)
    assert job.last_error.startswith("ConnectionRefusedError: mail server said no xxx")
    assert len(job.last_error) == 200
    assert job.run_at_us > now_us()
    assert queue.work_off_one() is None
    assert len(handled) == 1


def test_hopeless_job_is_given_up_with_its_reason(handled: list[Mapping[str, Any]]) -> None:
    job = actions.enqueue("note", {"fail": "no"})
    Job.objects.filter(pk=job.pk).update(attempts=MOST_ATTEMPTS - 1)
    assert queue.work_off_one() == "failed"
    job.refresh_from_db()
    assert job.done_at_us is not None
    assert job.last_error == "ConnectionRefusedError: no"
    assert len(handled) == 1


def test_job_of_a_killed_worker_is_taken_again_after_its_lease(handled: list[Mapping[str, Any]]) -> None:
    job = actions.enqueue("note", {})
    assert queue._lease(now_us()) == job
    assert queue._lease(now_us()) is None
    assert queue._lease(now_us() + queue.LEASE_US + DAY_US) == job
    assert handled == []


def test_job_of_unknown_kind_is_refused_at_once() -> None:
    with pytest.raises(MisuseError, match="'nonsense'") as refused:
        actions.enqueue("nonsense", {})
    assert "mail" in refused.value.next_step


def test_mail_is_written_to_the_state_folder() -> None:
    folder = Path(settings.EMAIL_FILE_PATH)
    before = set(folder.iterdir())
    actions.send_mail_later("owner@example.org", "Somebody else\nclaims your device", "Look at it.")
    assert queue.work_off_one() == "done"
    (written,) = set(folder.iterdir()) - before
    text = written.read_text(encoding="utf-8")
    assert "To: owner@example.org" in text
    assert "Subject: Somebody else claims your device" in text
    assert "Look at it." in text


def test_expiry_is_queued_once() -> None:
    queue.ensure_expiry()
    queue.ensure_expiry()
    assert Job.objects.filter(kind="expire").count() == 1


def test_expiry_removes_what_is_old_and_nothing_else() -> None:
    maker = Organisation.objects.create(name="Example", kind="customer")
    for name, age_us in {"old": 31 * DAY_US, "young": 29 * DAY_US}.items():
        RegistrationToken.objects.create(
            token_hash=name.encode(), organisation=maker, created_at_us=0, expires_at_us=now_us() - age_us
        )
        done = actions.enqueue("mail", {"name": name}, run_at_us=now_us() + DAY_US)
        Job.objects.filter(pk=done.pk).update(done_at_us=now_us() - age_us)
        record = StoredAnswer.objects.create(organisation=maker, actor="key:p", key=name, fingerprint=b"h")
        made = datetime.now(UTC) - timedelta(days=8 if name == "old" else 6)
        StoredAnswer.objects.filter(pk=record.pk).update(created_at=made)
    handlers.HANDLERS["expire"]({})
    tokens = RegistrationToken.objects.filter(organisation=maker)
    assert [bytes(token.token_hash) for token in tokens] == [b"young"]
    assert [record.key for record in StoredAnswer.objects.filter(organisation=maker)] == ["young"]
    mails = Job.objects.filter(kind="mail", arguments__has_key="name")
    assert [job.arguments["name"] for job in mails] == ["young"]


def test_expiry_cuts_dead_letters_by_age_and_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "MOST_LETTERS", 3)
    ages = {"ancient": 31, "first": 3, "second": 2, "third": 1, "aged": 31, "fourth": 0}
    for topic, days in ages.items():
        DeadLetter.objects.create(at_us=now_us() - days * DAY_US, topic=topic, reason="malformed")
    handlers.HANDLERS["expire"]({})
    kept = DeadLetter.objects.order_by("pk").values_list("topic", flat=True)
    assert list(kept) == ["third", "fourth"]


def test_expiry_forgets_sessions_that_ended() -> None:
    for key, days in {"over": -1, "open": 1}.items():
        Session.objects.create(
            session_key=key, session_data="", expire_date=datetime.now(UTC) + timedelta(days=days)
        )
    handlers.HANDLERS["expire"]({})
    assert set(Session.objects.filter(session_key__in=["over", "open"]).values_list("pk", flat=True)) == {
        "open"
    }


def test_expiry_forgets_connections_that_ended_long_ago() -> None:
    device = devices()[0].row
    ended = {1: now_us() - 31 * DAY_US, 2: now_us() - 29 * DAY_US, 3: None}
    for number, ended_us in ended.items():
        DeviceSession.objects.create(
            device=device,
            broker="secure",
            server_id="S",
            client_id=number,
            connected_us=now_us() - 40 * DAY_US,
            ended_us=ended_us,
        )
    handlers.HANDLERS["expire"]({})
    assert set(device.sessions.values_list("client_id", flat=True)) == {2, 3}
