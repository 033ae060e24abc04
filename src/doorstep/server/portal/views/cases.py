"""Disputes: the view of each side, and the staff's desk with both beside each other."""

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import DoorstepError
from doorstep.ownership.cases import CaseState, CaseStep, Party, possible
from doorstep.server.accounts.models import Member, Organisation
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.casework import (
    WORDS_CAP,
    Person,
    case_of,
    mover_of,
    parties_of,
    take_case_step,
)
from doorstep.server.custody.actions.ending import swap_device
from doorstep.server.custody.actions.papers import FILE_CAP, FILES_CAP, add_paper
from doorstep.server.custody.changing import CaseFile, PastOwnership
from doorstep.server.custody.holdings import NothingHere, cases_of, found, papers_for
from doorstep.server.custody.models import Claim, Dispute
from doorstep.server.custody.story import story_of
from doorstep.server.files import handed_out
from doorstep.server.fleet.access import named_device
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import member_page, staff_page
from doorstep.server.portal.sentences import sentences

__all__ = ["STATES", "STEPS", "case", "hand_out", "overview", "paper", "swap"]

_A_PAGE: Final = 50

STATES: Final = {
    CaseState.AWAITING: (gettext_noop("Waits for the claimant"), "wait"),
    CaseState.REVIEW: (gettext_noop("Waits for the staff"), "wait"),
    CaseState.SECONDING: (gettext_noop("Waits for a second pair of eyes"), "wait"),
    CaseState.DISMISSED: (gettext_noop("Dismissed; an appeal is possible"), "note"),
    CaseState.UPHELD: (gettext_noop("Upheld; an appeal is possible"), "note"),
    CaseState.APPEALED: (gettext_noop("Appealed"), "wait"),
    CaseState.SECONDING_APPEAL: (gettext_noop("Appealed; waits for a second pair of eyes"), "wait"),
    CaseState.KEPT: (gettext_noop("Closed: the owner keeps it"), "good"),
    CaseState.MOVED: (gettext_noop("Closed: the claimant has it"), "good"),
}
"""Words and colour of each state."""

STEPS: Final = {
    CaseStep.ANSWER: gettext_noop("Send this to the staff"),
    CaseStep.REPLY: gettext_noop("Send this to the staff"),
    CaseStep.ASK: gettext_noop("Ask the claimant for more"),
    CaseStep.DISMISS: gettext_noop("Dismiss the claim"),
    CaseStep.PROPOSE: gettext_noop("Propose to take the device away"),
    CaseStep.CONFIRM: gettext_noop("Confirm: take the device away"),
    CaseStep.OBJECT: gettext_noop("Object"),
    CaseStep.APPEAL: gettext_noop("Appeal"),
    CaseStep.CONCEDE: gettext_noop("Give the device up"),
    CaseStep.WITHDRAW: gettext_noop("Withdraw the claim"),
    CaseStep.LAPSE: gettext_noop("Nothing came in time"),
    CaseStep.SETTLE: gettext_noop("Nobody appealed in time"),
    CaseStep.REMIND: gettext_noop("The staff was reminded"),
}
"""What a step is called, on its button and in the record."""

_GRAVE: Final = frozenset({CaseStep.CONFIRM, CaseStep.CONCEDE, CaseStep.PROPOSE})

_NEXT: Final = {
    (Party.CLAIMANT, CaseState.AWAITING): gettext_noop(
        "Show how you came by the device: an invoice, a photograph of it "
        "with its label. Add the papers first, then write what they show and send it."
    ),
    (Party.CLAIMANT, CaseState.DISMISSED): gettext_noop(
        "If you see it otherwise, say why: somebody else will look at it."
    ),
    (Party.CLAIMANT, CaseState.UPHELD): gettext_noop(
        "You get it when the time is over, unless its owner appeals."
    ),
    (Party.OWNER, CaseState.UPHELD): gettext_noop(
        "You keep it until the time is over, then the claimant gets it. If you "
        "see it otherwise, appeal: somebody else will look at it."
    ),
    (Party.STAFF, CaseState.AWAITING): gettext_noop(
        "The claimant was asked for proof. You may decide before it comes."
    ),
    (Party.STAFF, CaseState.DISMISSED): gettext_noop("Decided. It stands when the time to appeal is over."),
    (Party.STAFF, CaseState.UPHELD): gettext_noop(
        "Decided. The device moves when the time to appeal is over."
    ),
    (Party.STAFF, CaseState.SECONDING): gettext_noop(
        "One of you would take it away. Somebody else has to agree."
    ),
    (Party.STAFF, CaseState.SECONDING_APPEAL): gettext_noop(
        "One of you would take it away. Somebody else has to agree."
    ),
    (Party.STAFF, CaseState.APPEALED): gettext_noop("Whoever decided first does not decide the appeal."),
}
_OTHERWISE: Final = {
    Party.CLAIMANT: gettext_noop("You need to do nothing now. You hear by mail what comes of it."),
    Party.OWNER: gettext_noop(
        "You need to do nothing: the device is yours and works as before. You may say what speaks for you."
    ),
    Party.STAFF: gettext_noop("Compare the two sides. Ask, dismiss, or propose to take the device away."),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a case, as the staff reads it."""

    title: str
    organisation: Organisation | None
    people: list[str]
    claims: list[Claim]
    past: list[PastOwnership]
    papers: list[CaseFile]


class WordsForm(forms.Form):
    """What somebody says with a step."""

    words = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=WORDS_CAP,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The staff of the maker reads it. The other side does not."),
    )


class SwapForm(forms.Form):
    """The new device."""

    replacement = forms.CharField(
        label=_("Serial of the new device"),
        max_length=40,
        help_text=_("One that was made and that nobody owns."),
    )


@require_safe
@member_page
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List disputes, open ones first."""
    _check(principal, Permission.CUSTOMER_CASES_READ, Permission.MAKER_CASES_READ)
    rows = cases_of(principal.organisation).order_by("closed_at_us", "due_us", "-pk")
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    items = [(row, *STATES[CaseState(row.state)]) for row in page]
    return render(request, "portal/cases.html", {"page": page, "items": items})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def case(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show a case to a side or to the staff, and take a step in it."""
    row, party = _case(principal, number)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _check(principal, Permission.CUSTOMER_CASES_WRITE, Permission.MAKER_CASES_WRITE)
        try:
            row = take_case_step(
                row, _step(request), _person(principal), form.cleaned_data["words"], now_us=now_us()
            )
        except DoorstepError as error:
            form.add_error(None, sentences(error))
        else:
            messages.success(request, _("Noted. %(state)s.") % {"state": _(STATES[CaseState(row.state)][0])})
            return redirect("case", number)
    return render(request, "portal/case.html", _context(principal, row, party, form))


@require_POST
@member_page
def paper(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Keep a paper that a side brings."""
    row = _case(principal, number)[0]
    _check(principal, Permission.CUSTOMER_CASES_WRITE)
    sent = request.FILES.get("paper")
    try:
        if sent is None or isinstance(sent, list):
            messages.error(request, _("Choose a file first."))
        else:
            content = sent.read(FILE_CAP + 1)
            kept = add_paper(row, _person(principal), sent.name or "", content, now_us=now_us())
            messages.success(request, _("%(name)s is kept with the case.") % {"name": kept.name})
    except DoorstepError as error:
        messages.error(request, sentences(error))
    return redirect("case", number)


@require_safe
@member_page
def hand_out(request: HttpRequest, principal: Principal, number: int, paper: int) -> HttpResponse:
    """Hand a paper out as a download that no browser runs."""
    row, party = _case(principal, number)
    kept = papers_for(row, party).filter(pk=paper).first()
    if kept is None:
        raise Http404
    return handed_out(kept)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def swap(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Give the owner of a broken device another one."""
    _check(principal, Permission.MAKER_HANDOVERS_WRITE)
    device = Device.objects.select_related("product").filter(device_id=device_id).first()
    if device is None:
        raise Http404
    form = SwapForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = swap_device(
                device, named_device(form.cleaned_data["replacement"]), principal.actor, now_us=now_us()
            )
        except DoorstepError as error:
            form.add_error("replacement", sentences(error))
        else:
            messages.success(request, f"{new.serial} belongs to the owner now.")
            return redirect("staff-device", new.device_id)
    return render(request, "portal/staff/swap.html", {"device": device, "form": form})


def _context(principal: Principal, row: Dispute, party: Party, form: WordsForm) -> dict[str, Any]:
    state = CaseState(row.state)
    may = principal.may(Permission.CUSTOMER_CASES_WRITE) or principal.may(Permission.MAKER_CASES_WRITE)
    steps = possible(case_of(row), mover_of(row, _person(principal)), now_us()) if may else ()
    records = [
        {
            "at_us": one.at_us,
            "party": one.party,
            "title": STEPS[CaseStep(one.step)],
            "words": one.words if party in {Party.STAFF, one.party} else "",
            "who": actor_name(one.by, principal) if one.party == party else "",
        }
        for one in row.records.order_by("-pk")
    ]
    return {
        "case": row,
        "party": party.value,
        "state": STATES[state],
        "next": _NEXT.get((party, state), _OTHERWISE[party]) if state.is_open else "",
        "form": form,
        "steps": [(step.value, STEPS[step], step in _GRAVE) for step in steps],
        "records": records,
        "papers": papers_for(row, party),
        "may_add": may and state.is_open and party is not Party.STAFF,
        "files_cap": FILES_CAP,
        "sides": _sides(row) if party is Party.STAFF else (),
        "story": story_of(row.device, principal.organisation) if party is Party.STAFF else (),
    }


def _sides(row: Dispute) -> tuple[Side, Side]:
    return (
        _side(row, Party.OWNER, gettext_noop("The owner"), row.owner),
        _side(row, Party.CLAIMANT, gettext_noop("The claimant"), row.claim.organisation),
    )


def _side(row: Dispute, party: Party, title: str, organisation: Organisation | None) -> Side:
    people = Member.objects.filter(organisation=organisation, role="owner").select_related("user")
    return Side(
        title,
        organisation,
        [one.user.email for one in people],
        list(Claim.objects.filter(device=row.device_id, organisation=organisation).order_by("-at_us")[:20]),
        list(PastOwnership.objects.filter(device=row.device_id, organisation=organisation)[:20]),
        list(papers_for(row, party)),
    )


def _case(principal: Principal, number: int) -> tuple[Dispute, Party]:
    _check(principal, Permission.CUSTOMER_CASES_READ, Permission.MAKER_CASES_READ)
    try:
        row = found(cases_of(principal.organisation), number)
    except NothingHere as error:
        raise Http404 from error
    return row, parties_of(row, principal.organisation)[0]


def _person(principal: Principal) -> Person:
    return Person(principal.user, principal.organisation, principal.actor)


def _step(request: HttpRequest) -> CaseStep:
    try:
        return CaseStep(request.POST.get("step", ""))
    except ValueError as error:
        raise Http404 from error


def _check(principal: Principal, *permissions: Permission) -> None:
    if not any(principal.may(one) for one in permissions):
        raise PermissionDenied
