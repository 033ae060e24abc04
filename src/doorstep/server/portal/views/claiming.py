"""Claim a device by what stands on its label, add what helps, and read how it stands."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import DoorstepError
from doorstep.identity.voucher import VOUCHER_CAP
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import claim_by_code
from doorstep.server.custody.actions.labels import report_as_claimant
from doorstep.server.custody.actions.mails import LinkExpired, answer_mail, ask_buyer, mail_of
from doorstep.server.custody.actions.requests import give_order, open_request
from doorstep.server.custody.actions.vouchers import bring_voucher, trusted_roots
from doorstep.server.custody.claim_progress import requests_of, view_of
from doorstep.server.custody.models import ClaimRequest
from doorstep.server.portal.access import customer_page, door_page
from doorstep.server.portal.sentences import sentences

if TYPE_CHECKING:
    from django.utils.functional import Promise

__all__ = ["add_code", "add_order", "answer", "ask", "claim", "claims", "one", "report", "voucher"]

_CODE_CAP: Final = 40
_TYPED: Final = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class ClaimForm(forms.Form):
    """What stands on the label."""

    serial = forms.CharField(
        label=_("Serial number"),
        required=False,
        max_length=40,
        help_text=_("Printed on the label and on the box."),
        widget=forms.TextInput(attrs=_TYPED),
    )
    code = forms.CharField(
        label=_("Scratch-off code"),
        required=False,
        max_length=_CODE_CAP,
        help_text=_("If you have it, the serial number is not needed. Scratch it free first."),
        widget=forms.TextInput(attrs=_TYPED),
    )
    alias = forms.CharField(
        label=_("Name"), required=False, max_length=80, help_text=_("What you want to call it, if you like.")
    )

    def clean(self) -> dict[str, str]:
        """Ask for one of the two."""
        if not self.errors and not self.cleaned_data["serial"] and not self.cleaned_data["code"]:
            self.add_error("serial", "Type the serial number or the scratch-off code.")
        return self.cleaned_data


@require_http_methods(["GET", "HEAD", "POST"])
@door_page("portal/claim.html")
def claim(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Open a claim. What was scanned stays in the browser until log-in."""
    if not principal.may_add:
        raise PermissionDenied
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("claim-request", _open(principal, form).pk)
        except DoorstepError as error:
            form.add_error("code" if form.cleaned_data["code"] else "serial", sentences(error))
    return render(request, "portal/claim.html", {"form": form})


@require_safe
@customer_page
def claims(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the organisation's claims by serial."""
    _whole(principal)
    rows = [(row, view_of(row)) for row in requests_of(principal.organisation)[:100]]
    return render(request, "portal/claims.html", {"rows": rows})


@require_POST
@customer_page
def voucher(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Take an ownership voucher for all its devices."""
    if not principal.may_add:
        raise PermissionDenied
    file = request.FILES.get("voucher")
    data = file.read(VOUCHER_CAP + 1) if isinstance(file, UploadedFile) else b""
    try:
        brought = bring_voucher(_claimant(principal, ""), data, trusted_roots(), now_us())
    except DoorstepError as error:
        messages.error(request, sentences(error))
    else:
        waits = sum(one.waits for one in brought)
        messages.success(
            request,
            _("The voucher counts for %(count)s devices; %(waits)s of them wait.")
            % {"count": len(brought), "waits": waits},
        )
    return redirect("own-claims")


@require_safe
@customer_page
def one(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Say how a claim stands, and what would help."""
    row = _find(principal, number)
    return render(request, "portal/claim_request.html", {"row": row, "view": view_of(row)})


@require_POST
@customer_page
def add_code(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take the scratch-off code; one of another device opens that device's claim."""
    row = _changeable(principal, number)
    found: list[ClaimRequest] = []

    def act() -> None:
        code = request.POST.get("code", "")
        found.append(claim_by_code(_claimant(principal, row.alias), code, now_us()))

    return _back(request, found[0] if _tried(request, act, _("The code is taken.")) else row)


@require_POST
@customer_page
def add_order(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take the number of the order."""
    row = _changeable(principal, number)
    order = request.POST.get("order", "")
    _tried(
        request,
        lambda: give_order(row, _claimant(principal, row.alias), order, now_us()),
        _("The number of the order is taken."),
    )
    return _back(request, row)


@require_POST
@customer_page
def ask(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Have the buyer asked by mail."""
    row = _changeable(principal, number)
    told = _("If the records of the seller hold an address for this device, a mail is on its way there.")
    _tried(request, lambda: ask_buyer(row, now_us()), told)
    return _back(request, row)


@require_POST
@customer_page
def report(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take the word that the foil was off when the device came."""
    row = _changeable(principal, number)
    _tried(
        request,
        lambda: report_as_claimant(row, principal.actor, now_us()),
        _("Thank you. The code of this label counts for nobody until the maker has looked at it."),
    )
    return _back(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whoever follows the link of a claim's mail, and take their answer once."""
    try:
        row = mail_of(token, now_us())
        if request.method == "POST":
            row = answer_mail(token, yes=request.POST.get("answer") == "yes", now_us=now_us())[0]
    except LinkExpired as error:
        return render(request, "portal/claim_answer.html", {"problem": sentences(error)}, status=410)
    return render(request, "portal/claim_answer.html", {"row": row})


def _open(principal: Principal, form: ClaimForm) -> ClaimRequest:
    typed = form.cleaned_data
    claimant = _claimant(principal, typed["alias"])
    if typed["code"]:
        return claim_by_code(claimant, typed["code"], now_us())
    return open_request(claimant, typed["serial"], now_us())


def _claimant(principal: Principal, alias: str) -> Claimant:
    return Claimant(principal.organisation, principal.user, principal.actor, alias=alias)


def _whole(principal: Principal) -> None:
    """Refuse who is limited to groups: what is claimed stands in none yet."""
    if principal.groups is not None:
        raise Http404


def _find(principal: Principal, number: int) -> ClaimRequest:
    _whole(principal)
    row = requests_of(principal.organisation).filter(pk=number).first()
    if row is None:
        raise Http404
    return row


def _changeable(principal: Principal, number: int) -> ClaimRequest:
    if not principal.may_add:
        raise PermissionDenied
    return _find(principal, number)


def _tried(request: HttpRequest, act: Callable[[], object], done: "str | Promise") -> bool:
    """Act and say what came of it; return whether it did."""
    try:
        act()
    except DoorstepError as error:
        messages.error(request, sentences(error))
        return False
    messages.success(request, str(done))
    return True


def _back(request: HttpRequest, row: ClaimRequest) -> HttpResponse:
    return redirect(reverse("claim-request", args=[row.pk]))
