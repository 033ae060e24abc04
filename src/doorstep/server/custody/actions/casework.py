"""Steps of a dispute, by the claimant, the owner, the maker's staff and the clock."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings

from doorstep.errors import MisuseError
from doorstep.ownership.cases import Case, CaseRefused, CaseState, CaseStep, Mover, Party, clock_step, take
from doorstep.ownership.handovers import DataChoice
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, User
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.leaving import Leaving, Taking, end_period, locked, take_over
from doorstep.server.custody.actions.telling import tell_managers
from doorstep.server.custody.changing import CaseRecord, Handover
from doorstep.server.custody.models import Dispute
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["WORDS_CAP", "Person", "case_of", "mover_of", "parties_of", "step_due_cases", "take_case_step"]

WORDS_CAP: Final = 2000
"""Characters of what somebody says in one step."""
_AT_ONCE: Final = 100
_PLATFORM: Final = "platform"

_DECISIONS: Final = frozenset(
    {CaseStep.PROPOSE, CaseStep.CONFIRM, CaseStep.OBJECT, CaseStep.DISMISS, CaseStep.LAPSE, CaseStep.SETTLE}
    | {CaseStep.CONCEDE, CaseStep.WITHDRAW}
)
"""Steps that the ledger keeps."""

_NEED_WORDS: Final = frozenset(
    {CaseStep.ANSWER, CaseStep.REPLY, CaseStep.ASK, CaseStep.DISMISS, CaseStep.PROPOSE, CaseStep.APPEAL}
)
"""Steps that say nothing without a sentence."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step that somebody takes."""

    step: CaseStep
    mover: Mover
    by: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts for an organisation in a case."""

    user: User
    organisation: Organisation
    actor: str


def case_of(dispute: Dispute) -> Case:
    """Return what the core knows of a dispute."""
    return Case(CaseState(dispute.state), dispute.due_us, dispute.proposed_by, dispute.decided_by)


def parties_of(dispute: Dispute, organisation: Organisation) -> tuple[Party, ...]:
    """Return as what an organisation takes part; nothing for one that has no part in it."""
    if organisation.kind == OrganisationKind.MAKER:
        return (Party.STAFF,)
    if organisation.pk == dispute.claim.organisation_id:
        return (Party.CLAIMANT,)
    return (Party.OWNER,) if organisation.pk == dispute.owner_id else ()


def mover_of(dispute: Dispute, person: Person) -> Mover:
    """Return as what somebody acts; raise CaseRefused for whoever has no part in the case."""
    parties = parties_of(dispute, person.organisation)
    if not parties:
        raise CaseRefused("this case is between others")
    sides = [dispute.claim.organisation_id, dispute.owner_id]
    partial = Member.objects.filter(user=person.user, organisation__in=sides).exists()
    return Mover(parties[0], f"user:{person.user.pk}", is_partial=partial and parties[0] is Party.STAFF)


def take_case_step(dispute: Dispute, step: CaseStep, person: Person, words: str, *, now_us: int) -> Dispute:
    """Take one step; when it ends the case for the claimant, the device moves in the same transaction.

    Raises CaseRefused, IllegalTransition, or MisuseError for a step that needs a sentence.
    """
    words = _cleaned(words)
    if step in _NEED_WORDS and not words:
        raise MisuseError("this step says nothing without a sentence", next_step="Say why.")
    with transaction_in_turn():
        row, device = _locked(dispute)
        _carry_out(row, device, _Taken(step, mover_of(row, person), person.actor, words), now_us)
    return row


def step_due_cases(now_us: int) -> int:
    """Take the clock's step in every case whose time is over; return how many."""
    due = Dispute.objects.filter(closed_at_us=None, due_us__lte=now_us).order_by("due_us")[:_AT_ONCE]
    for dispute in due:
        with transaction_in_turn():
            row, device = _locked(dispute)
            step = clock_step(case_of(row), now_us)
            if step is not None:  # somebody may have been faster
                _carry_out(row, device, _Taken(step, Mover(Party.CLOCK, ""), _PLATFORM), now_us)
    return len(due)


def _locked(dispute: Dispute) -> tuple[Dispute, Device]:
    device = locked(dispute.device)
    rows = Dispute.objects.select_for_update(of=("self",)).select_related("claim__organisation", "owner")
    return rows.get(pk=dispute.pk), device


def _carry_out(row: Dispute, device: Device, taken: _Taken, now_us: int) -> None:
    after = take(case_of(row), taken.step, taken.mover, now_us)
    row.state, row.due_us = after.state, after.due_us
    row.proposed_by, row.decided_by = after.proposed_by, after.decided_by
    row.closed_at_us = None if after.state.is_open else now_us
    row.save()
    CaseRecord.objects.create(
        dispute=row,
        at_us=now_us,
        step=taken.step,
        after=after.state,
        party=taken.mover.party,
        by=taken.by,
        words=taken.words,
    )
    events = _events(row, device, taken)
    if after.state is CaseState.MOVED:
        events += _move(row, device, taken.by, now_us)
    elif after.state is CaseState.KEPT:
        device.disputed = False
        device.save(update_fields=["disputed"])
    ledger.append(events, now_us)
    _tell(row, device, taken.step)


def _events(row: Dispute, device: Device, taken: _Taken) -> list[tuple[int, Event]]:
    if taken.step is CaseStep.APPEAL:
        return [(device.pk, Event(Kind.CASE_APPEALED, device.device_id, taken.by, {"case": row.pk}))]
    if taken.step not in _DECISIONS:
        return []
    # Never what people wrote: an entry can't be forgotten later.
    detail: dict[str, str | int] = {"case": row.pk, "outcome": str(row.state), "reason": str(taken.step)}
    return [(device.pk, Event(Kind.CASE_DECIDED, device.device_id, taken.by, detail))]


def _move(row: Dispute, device: Device, by: str, now_us: int) -> list[tuple[int, Event]]:
    """Take the device from its owner and give it to the claimant; the owner's readings stay the owner's."""
    if device.life != Life.OWNED or device.owner_id != row.owner_id:
        raise CaseRefused(
            "the device has left its owner meanwhile", next_step="Dismiss the case, and look at its ledger."
        )
    Handover.objects.filter(device=device, state="offered").update(
        state="cancelled", closed_us=now_us, closed_by=by
    )
    end_period(device, Leaving("dispute", DataChoice.KEEP, by), now_us)
    device.life = advance(Life(device.life), Step.TRANSFER)
    taken = Event(Kind.RELEASED, device.device_id, by, {"reason": f"case {row.pk}"})
    taking = Taking(row.claim.organisation, by, " ".join(row.claim.evidence))
    return [(device.pk, taken), *take_over(device, taking, now_us)]


def _cleaned(words: str) -> str:
    text = "".join(char for char in words.strip() if char.isprintable() or char == "\n")
    if len(text) > WORDS_CAP:
        raise MisuseError(f"that is too long: at most {WORDS_CAP} characters", next_step="Add a paper.")
    return text


_TO_CLAIMANT: Final = {
    CaseStep.ASK: "The maker's staff asks you for more. Please answer within 14 days.",
    CaseStep.DISMISS: "Your claim was dismissed. If you see it otherwise you can appeal within 14 days.",
    CaseStep.LAPSE: "Your claim was dismissed, because nothing came. You can appeal within 14 days.",
    CaseStep.CONFIRM: "Your claim was upheld. You get the device after 14 days, unless its owner appeals.",
    CaseStep.CONCEDE: "The device's owner gave it up: it is yours.",
}
_TO_OWNER: Final = {
    CaseStep.CONFIRM: "The maker's staff decided that it belongs to whoever claimed it. You keep it for "
    "14 days. If you see it otherwise, appeal before then: somebody else will look at the case.",
    CaseStep.DISMISS: "The claim on your device was dismissed. It stays yours.",
    CaseStep.LAPSE: "The claim on your device was dismissed. It stays yours.",
    CaseStep.WITHDRAW: "The claim on your device was withdrawn. It stays yours.",
}
_TO_STAFF: Final = {
    CaseStep.ANSWER: "The claimant has answered.",
    CaseStep.PROPOSE: "A colleague would take the device away. It needs a second pair of eyes: yours.",
    CaseStep.APPEAL: "Somebody appeals. Whoever did not decide before, please look at the case.",
    CaseStep.REMIND: "This case has waited for a week.",
}
_IN_THE_END: Final = {
    CaseState.MOVED: (
        "The case is closed: it is not yours any more.",
        "The case is closed: the device is yours.",
    ),
    CaseState.KEPT: (
        "The case is closed: the device stays yours.",
        "The case is closed: the owner keeps the device.",
    ),
}
"""To the owner, and to the claimant."""


def _tell(row: Dispute, device: Device, step: CaseStep) -> None:
    link = f"{settings.DOORSTEP.base_url}/cases/{row.pk}/"
    to_owner, to_claimant = _TO_OWNER.get(step), _TO_CLAIMANT.get(step)
    if row.state in _IN_THE_END:
        to_owner, to_claimant = _IN_THE_END[CaseState(row.state)]
    maker = Organisation.objects.filter(kind=OrganisationKind.MAKER).first()
    letters = ((row.owner, to_owner), (row.claim.organisation, to_claimant), (maker, _TO_STAFF.get(step)))
    for whom, text in letters:
        if whom is not None and text is not None:
            tell_managers(whom, f"Case {row.pk}: device {device.serial}", f"{text}\n\n{link}\n")
