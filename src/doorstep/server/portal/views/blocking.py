"""The block-list, for the maker's staff: what stands on it, a new line, and the end of one."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError, MisuseError
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet import blocking
from doorstep.server.fleet.blocking import BlockKind
from doorstep.server.portal.access import staff_page

__all__ = ["block_list", "lift"]

_ROWS: Final = 50


class BlockForm(forms.Form):
    """A new line."""

    kind = forms.ChoiceField(
        choices=[
            (BlockKind.BATCH, "Batch, by its number"),
            (BlockKind.HARDWARE_ID, "Hardware id (MAC address, chip id)"),
            (BlockKind.KEY, "Factory key, by its SHA-256 fingerprint"),
        ],
        label="What",
    )
    value = forms.CharField(max_length=95, label="Which")
    reason = forms.CharField(
        max_length=200, label="Reason", help_text="It stays in the ledger, so please name no person."
    )


class LiftForm(forms.Form):
    """Why a block ends."""

    reason = forms.CharField(max_length=200, label="Why it ends", help_text="It stays in the ledger.")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def block_list(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the lines, newest first, and take a new one."""
    form = BlockForm(request.POST or None)
    if request.method == "POST":
        _require(principal)
        if form.is_valid() and _added(request, principal, form):
            return redirect("blocks")
    page = Paginator(blocking.lines(), _ROWS).get_page(request.GET.get("page"))
    rows = [(line, blocking.progress_of(line) if line.action == "block" else None) for line in page]
    return render(request, "portal/staff/blocks.html", {"page": page, "rows": rows, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def lift(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Ask why, then end a block by a new line."""
    _require(principal)
    try:
        line = blocking.entry_of(number)
    except MisuseError as error:
        raise Http404 from error
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            blocking.lift_block(line, principal.actor, form.cleaned_data["reason"], now_us=now_us())
        except MisuseError as error:
            messages.error(request, f"{error.message}.")
        else:
            messages.success(request, "The block is lifted. Its devices come in again as they renew.")
        return redirect("blocks")
    return render(request, "portal/staff/lift.html", {"line": line, "form": form})


def _added(request: HttpRequest, principal: Principal, form: BlockForm) -> bool:
    asked = form.cleaned_data
    try:
        line = blocking.add_block(
            asked["kind"],
            asked["value"].strip(),
            principal.actor,
            asked["reason"],
            now_us=now_us(),
        )
    except DoorstepError as error:
        form.add_error("value", f"{error.message}.")
        return False
    count = blocking.progress_of(line).devices
    messages.success(request, f"Blocked: nothing of {count} devices is accepted any more.")
    return True


def _require(principal: Principal) -> None:
    if not principal.may_revoke:
        raise PermissionDenied
