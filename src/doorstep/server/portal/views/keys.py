"""API keys of an organisation: what programs may do, and an end to it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.errors import MisuseError
from doorstep.server.accounts.api_keys import NoSuchKey, end_api_key, key_of, keys_of, make_api_key
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.accounts.queries import Principal
from doorstep.server.fleet.grouping import groups_seen_by
from doorstep.server.portal.access import member_page, proven
from doorstep.server.portal.sentences import sentences

__all__ = ["end", "keys"]

_LIVES: Final = {
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "365": gettext_lazy("a year"),
    "": gettext_lazy("no end"),
}


class KeyForm(forms.Form):
    """What a program is called and may do."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("What it is for, for example: ERP.")
    )
    days = forms.ChoiceField(
        label=gettext_lazy("Ends after"), choices=list(_LIVES.items()), required=False, initial="365"
    )
    group = forms.ChoiceField(label=gettext_lazy("Sees"), required=False)

    def __init__(self, principal: Principal, data: object = None) -> None:
        """Offer the scopes and groups of the principal's organisation."""
        super().__init__(data)  # type: ignore[arg-type]  # a query dict
        self.offered = scopes_of(OrganisationKind(principal.organisation.kind))
        self.groups = {str(group.pk): group for group in groups_seen_by(principal)}
        if self.groups:
            shown = [
                (number, _("only %(group)s") % {"group": group}) for number, group in self.groups.items()
            ]
            self.fields["group"].choices = [("", _("all devices")), *shown]  # type: ignore[attr-defined]  # a ChoiceField
        else:
            self.fields.pop("group")

    @property
    def chosen(self) -> list[str]:
        """The scopes that are ticked."""
        return self.data.getlist("scope") if self.is_bound else []  # type: ignore[attr-defined]  # a query dict

    @property
    def expires_at(self) -> datetime | None:
        """When the key ends."""
        days = self.cleaned_data["days"]
        return datetime.now(UTC) + timedelta(days=int(days)) if days else None


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
@proven
def keys(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the keys, and make one, shown this once."""
    _require(principal)
    form, made = KeyForm(principal, request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        group = form.groups.get(form.cleaned_data.get("group", ""))
        try:
            made, _row = make_api_key(
                principal.organisation,
                form.cleaned_data["name"],
                form.chosen,
                by=principal.user,
                group=group,
                expires_at=form.expires_at,
                within=principal.permissions,
            )
        except MisuseError as error:
            form.add_error(None, sentences(error))
    context = {
        "keys": keys_of(principal.organisation).order_by("revoked_at", "-pk"),
        "form": form,
        "made": made,
    }
    return render(request, "portal/keys.html", context)


@require_POST
@member_page
def end(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """End a key at once."""
    _require(principal)
    try:
        row = key_of(principal.organisation, number)
    except NoSuchKey as error:
        raise Http404 from error
    end_api_key(row)
    messages.success(request, _("The key %(name)s opens nothing any more.") % {"name": row.name})
    return redirect("keys")


def _require(principal: Principal) -> None:
    if not principal.may_make_keys:
        raise PermissionDenied
