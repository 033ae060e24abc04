"""Disputes: nothing happens to the owner until two people decided and time passed."""

import pytest

from doorstep.errors import IllegalTransition, MalformedMessage, MisuseError
from doorstep.ownership.cases import ANSWER_WITHIN_US, CaseRefused, CaseState, CaseStep
from doorstep.ownership.life import Life
from doorstep.server.accounts.models import Member, Role
from doorstep.server.clock import now_us
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.casework import WORDS_CAP, Person, step_due_cases, take_case_step
from doorstep.server.custody.actions.papers import FILE_CAP, FILES_CAP, PaperRefused, add_paper
from doorstep.server.custody.attempts import What, attempts_on
from doorstep.server.custody.changing import PastOwnership
from doorstep.server.custody.models import ClaimAttempt, CustodyEntry, Dispute
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.models import Job
from doorstep.server.readings.models import DeadLetter
from tests.server import making
from tests.server.custody.hands import claim, customer, disputed, owned, person, row_of

pytestmark = pytest.mark.usefixtures("rolled_back")

PDF = b"%PDF-1.7 an invoice"


def _staff() -> Person:
    return person(*making.maker())


def _take(dispute: Dispute, step: CaseStep, who: Person, words: str = "because") -> Dispute:
    return take_case_step(dispute, step, who, words, now_us=now_us())


def _letters(who: Person) -> str:
    jobs = Job.objects.filter(kind="mail", arguments__to=who.user.email).order_by("pk")
    return " ".join(job.arguments["text"] for job in jobs)


def _upheld() -> tuple[Dispute, Person, Person, Person, Person]:
    dispute, owner, claimant = disputed()
    ann, bob = _staff(), _staff()
    _take(dispute, CaseStep.ANSWER, claimant)
    _take(dispute, CaseStep.PROPOSE, ann)
    return _take(dispute, CaseStep.CONFIRM, bob), owner, claimant, ann, bob


def test_second_claim_opens_a_case_and_leaves_the_owner_alone() -> None:
    dispute, owner, _ = disputed()
    device = row_of(dispute.device)
    assert (dispute.state, dispute.owner, device.owner) == (
        CaseState.AWAITING,
        owner.organisation,
        owner.organisation,
    )
    assert dispute.due_us == dispute.opened_at_us + ANSWER_WITHIN_US
    assert (device.disputed, device.life, device.credentials.get().state) == (True, Life.OWNED, "active")
    assert "tried to register" in _letters(owner)


def test_third_claim_joins_no_second_case() -> None:
    dispute, _, _ = disputed()
    claim(dispute.device, customer())
    assert Dispute.objects.filter(device=dispute.device).count() == 1


def test_two_of_the_staff_take_a_device_away_when_the_time_to_appeal_is_over() -> None:
    dispute, owner, claimant, _, _ = _upheld()
    assert row_of(dispute.device).owner == owner.organisation
    assert "appeal before then" in _letters(owner)
    assert dispute.due_us is not None
    step_due_cases(dispute.due_us - 1)
    assert row_of(dispute.device).owner == owner.organisation
    assert step_due_cases(dispute.due_us) >= 1
    device = row_of(dispute.device)
    assert (device.owner, device.ownership_period, device.disputed) == (claimant.organisation, 2, False)
    assert device.credentials.get().state == "superseded"
    assert PastOwnership.objects.get(device=device).ended_by == "dispute"
    assert "the device is yours" in _letters(claimant)
    kinds = CustodyEntry.objects.filter(device=device).order_by("number").values_list("kind", flat=True)
    assert list(kinds)[-5:] == ["case_decided", "case_decided", "case_decided", "released", "owned"]
    ledger.verify_all()


def test_one_of_the_staff_alone_takes_nothing_away() -> None:
    dispute, owner, _ = disputed()
    ann = _staff()
    _take(dispute, CaseStep.PROPOSE, ann)
    with pytest.raises(CaseRefused, match="four eyes"):
        _take(dispute, CaseStep.CONFIRM, ann)
    assert row_of(dispute.device).owner == owner.organisation


def test_staff_who_belong_to_a_side_decide_nothing() -> None:
    dispute, _, claimant = disputed()
    ann = _staff()
    Member.objects.create(user=ann.user, organisation=claimant.organisation, role=Role.VIEWER)
    with pytest.raises(CaseRefused, match="one of the two sides"):
        _take(dispute, CaseStep.PROPOSE, ann)


def test_owner_appeals_and_others_look_again() -> None:
    dispute, owner, _, ann, bob = _upheld()
    _take(dispute, CaseStep.APPEAL, owner, "it was a gift")
    with pytest.raises(CaseRefused, match="does not decide the appeal"):
        _take(dispute, CaseStep.DISMISS, ann)
    closed = _take(dispute, CaseStep.DISMISS, bob)
    device = row_of(dispute.device)
    assert (closed.state, device.owner, device.disputed) == (CaseState.KEPT, owner.organisation, False)
    assert closed.closed_at_us is not None
    with pytest.raises(IllegalTransition):
        _take(dispute, CaseStep.APPEAL, owner)


def test_claimant_who_answers_nothing_loses_by_time() -> None:
    dispute, owner, claimant = disputed()
    for _ in range(2):
        dispute.refresh_from_db()
        assert dispute.due_us is not None
        assert step_due_cases(dispute.due_us) >= 1
    dispute.refresh_from_db()
    assert (dispute.state, row_of(dispute.device).owner) == (CaseState.KEPT, owner.organisation)
    assert "because nothing came" in _letters(claimant)


def test_staff_that_let_people_wait_are_reminded() -> None:
    dispute, _, claimant = disputed()
    staff = _staff()
    dispute = _take(dispute, CaseStep.ANSWER, claimant)
    assert dispute.due_us is not None
    assert step_due_cases(dispute.due_us) >= 1
    assert "waited for a week" in _letters(staff)


def test_owner_gives_the_device_up() -> None:
    dispute, owner, claimant = disputed()
    _take(dispute, CaseStep.CONCEDE, owner, "")
    assert row_of(dispute.device).owner == claimant.organisation


def test_claimant_withdraws() -> None:
    dispute, owner, claimant = disputed()
    _take(dispute, CaseStep.WITHDRAW, claimant, "")
    assert (row_of(dispute.device).owner, row_of(dispute.device).disputed) == (owner.organisation, False)


def test_stranger_has_no_part_in_a_case() -> None:
    dispute, _, _ = disputed()
    with pytest.raises(CaseRefused, match="between others"):
        _take(dispute, CaseStep.ANSWER, customer())
    with pytest.raises(CaseRefused, match="between others"):
        add_paper(dispute, customer(), "a.pdf", PDF, now_us=now_us())


def test_device_that_left_its_owner_meanwhile_does_not_move() -> None:
    dispute, _, _, _, _ = _upheld()
    Device.objects.filter(pk=dispute.device_id).update(life=Life.RETURNED, owner=None)
    assert dispute.due_us is not None
    with pytest.raises(CaseRefused, match="left its owner"):
        step_due_cases(dispute.due_us)


@pytest.mark.parametrize("words", ["", "x" * (WORDS_CAP + 1)])
def test_step_needs_a_sentence_that_is_not_a_book(words: str) -> None:
    dispute, _, claimant = disputed()
    with pytest.raises(MisuseError):
        _take(dispute, CaseStep.ANSWER, claimant, words)


def test_record_keeps_every_step_and_the_ledger_no_words() -> None:
    dispute, *_ = _upheld()
    records = list(dispute.records.order_by("pk").values_list("step", "party", "after"))
    assert records == [
        ("answer", "claimant", "review"),
        ("propose", "staff", "seconding"),
        ("confirm", "staff", "upheld"),
    ]
    bodies = CustodyEntry.objects.filter(device=dispute.device).values_list("body", flat=True)
    assert not any(b"because" in bytes(body) for body in bodies)


def test_paper_is_kept_once_under_a_harmless_name() -> None:
    dispute, _, claimant = disputed()
    first = add_paper(dispute, claimant, "../../etc/<b>bill</b>.pdf", PDF, now_us=now_us())
    again = add_paper(dispute, claimant, "other.pdf", PDF, now_us=now_us())
    assert (first.pk, first.name, first.kind, first.party) == (
        again.pk,
        "b.pdf",
        "application/pdf",
        "claimant",
    )
    assert add_paper(dispute, claimant, "..", PDF + b"2", now_us=now_us()).name == "paper"


BAD_PAPERS = {
    "page": (b"<html><script>alert(1)</script>", "PDF, JPEG or PNG"),
    "program": (b"\x7fELF", "PDF, JPEG or PNG"),
    "nothing": (b"", "PDF, JPEG or PNG"),
    "too large": (PDF + bytes(FILE_CAP), "at most 4 MiB"),
}


@pytest.mark.parametrize("name", BAD_PAPERS)
def test_paper_of_another_kind_or_size_is_refused(name: str) -> None:
    content, says = BAD_PAPERS[name]
    dispute, _, claimant = disputed()
    with pytest.raises(MalformedMessage, match=says):
        add_paper(dispute, claimant, "bill.pdf", content, now_us=now_us())


def test_papers_come_from_the_sides_of_an_open_case_and_are_few() -> None:
    dispute, owner, claimant = disputed()
    for number in range(FILES_CAP):
        add_paper(dispute, owner, "bill.pdf", PDF + bytes([number]), now_us=now_us())
    with pytest.raises(PaperRefused, match="at most 8"):
        add_paper(dispute, owner, "bill.pdf", PDF, now_us=now_us())
    with pytest.raises(CaseRefused, match="two sides"):
        add_paper(dispute, _staff(), "bill.pdf", PDF, now_us=now_us())
    _take(dispute, CaseStep.WITHDRAW, claimant)
    with pytest.raises(CaseRefused, match="closed"):
        add_paper(dispute, claimant, "bill.pdf", PDF, now_us=now_us())


def test_owner_reads_every_attempt_and_not_who_it_was() -> None:
    made, owner = owned()
    stranger = customer()
    before = now_us() - 10**12
    DeadLetter.objects.create(at_us=before, device_id=made.device_id, topic="t", reason="bad_tag")
    DeadLetter.objects.create(at_us=now_us(), device_id=made.device_id, topic="t", reason="bad_tag", count=3)
    claim(made.row, stranger)
    for who in (stranger, owner):
        ClaimAttempt.objects.create(
            organisation=who.organisation,
            kind="label_code",
            guess=b"1",
            device=made.row,
            refused=True,
            at_us=now_us(),
        )
    attempts = {one.what: one for one in attempts_on(row_of(made))}
    assert len(attempts_on(row_of(made))) == len(What)
    assert (attempts[What.CLAIM].outcome, attempts[What.GUESS].outcome) == ("disputed", "refused")
    assert (attempts[What.MESSAGE].detail, attempts[What.MESSAGE].count) == ("bad_tag", 3)
    assert str(stranger.organisation) not in repr(attempts)
    [unowned] = making.devices()
    assert attempts_on(unowned.row) == []
