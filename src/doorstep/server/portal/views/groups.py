"""Device groups: what stands together, and who sees it."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import DeviceGroup
from doorstep.server.accounts.queries import Principal, members_with
from doorstep.server.fleet.grouping import (
    NoSuchGroup,
    group_at,
    groups_seen_by,
    make_group,
    place,
    remove_group,
    rename_group,
    take_out,
)
from doorstep.server.fleet.visible import devices_visible_to, in_groups
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.devices import find

__all__ = ["group", "groups", "placing", "remove"]

_ROWS: Final = 50
_OFFERED: Final = 500
"""Devices in the list to choose from; beyond that, REST."""


class NameForm(forms.Form):
    """What a group is called."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("For example a place: greenhouse, flat 3.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def groups(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the groups, and make a new one."""
    form = NameForm(request.POST or None)
    if request.method == "POST":
        _require(principal)
        if form.is_valid():
            try:
                made = make_group(principal.organisation, form.cleaned_data["name"])
            except MisuseError as error:
                form.add_error("name", sentences(error))
            else:
                return redirect("group", made.pk)
    return render(request, "portal/groups.html", {"groups": groups_seen_by(principal), "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def group(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show a group, its devices and who is limited to it; give it another name."""
    row = _find(principal, number)
    form = NameForm(request.POST or None, initial={"name": row.name})
    if request.method == "POST":
        _require(principal)
        if form.is_valid():
            try:
                rename_group(row, form.cleaned_data["name"])
            except MisuseError as error:
                form.add_error("name", sentences(error))
                row.refresh_from_db(fields=["name"])
            else:
                return redirect("group", number)
    seen = devices_visible_to(principal)
    inside = in_groups(seen, frozenset({number}))
    context = {
        "group": row,
        "page": Paginator(inside, _ROWS).get_page(request.GET.get("page")),
        "others": seen.exclude(pk__in=inside.values("pk"))[:_OFFERED] if principal.may_group else (),
        "members": members_with(row) if principal.may_see_people else (),
        "form": form,
    }
    return render(request, "portal/group.html", context)


@require_POST
@customer_page
def placing(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Put a device into a group, or take it out."""
    _require(principal)
    row = _find(principal, number)
    device = find(principal, request.POST.get("add") or request.POST.get("take", ""))
    if "add" in request.POST:
        place(device, row)
    else:
        take_out(device, row)
    return redirect("group", number)


@require_POST
@customer_page
def remove(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """End a group."""
    _require(principal)
    row = _find(principal, number)
    remove_group(row)
    messages.success(
        request, _("The group %(name)s is gone. Its devices are where they were.") % {"name": row.name}
    )
    return redirect("groups")


def _require(principal: Principal) -> None:
    if not principal.may_group:
        raise PermissionDenied


def _find(principal: Principal, number: int) -> DeviceGroup:
    try:
        return group_at(principal, number)
    except NoSuchGroup as error:
        raise Http404 from error
