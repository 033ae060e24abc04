"""The people of an organisation: who they are, what each may do, and which organisation somebody acts for."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import DoorstepError
from doorstep.server.accounts.grants import Grant, grant_of, read_grant
from doorstep.server.accounts.inviting import close, invitation_at, invite, open_invitations
from doorstep.server.accounts.members import NoSuchPerson, change_member, member_at, remove_member
from doorstep.server.accounts.models import DeviceGroup, Member, Role
from doorstep.server.accounts.queries import CHOSEN, Principal, members_of
from doorstep.server.clock import now_us
from doorstep.server.fleet.grouping import groups_seen_by
from doorstep.server.portal.access import member_page, proven
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.words import role_word
from doorstep.server.settings import DOORSTEP

__all__ = ["account", "add", "change", "people", "remove", "switch", "withdraw"]


class GrantForm(forms.Form):
    """What somebody may do, and with which devices."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)

    def __init__(self, principal: Principal, grant: Grant | None, data: object = None) -> None:
        """Offer what the principal may give; ``grant`` is what the member has now."""
        super().__init__(data, initial={"role": grant.role} if grant else None)  # type: ignore[arg-type]  # a query dict
        self.principal = principal
        self.offered = list(groups_seen_by(principal))
        self.chosen = grant.groups if grant else None
        roles = [role for role in Role if principal.role is Role.OWNER or role is not Role.OWNER]
        if grant is not None and grant.role not in roles:
            roles.append(grant.role)
        self.fields["role"].choices = [(role.value, role_word(role)) for role in roles]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, object]:
        """Read the groups beside the role; they are checked together."""
        cleaned: dict[str, object] = super().clean() or {}
        groups = None
        if self.data.get("sees") == "groups":
            told = self.data.getlist("group")  # type: ignore[attr-defined]  # a query dict
            groups = {int(one) for one in told if one.isdecimal() and len(one) < 18}  # noqa: PLR2004 - digits of a row's number
        self.chosen = None if groups is None else frozenset(groups)
        try:
            cleaned["grant"] = read_grant(self.principal.organisation, str(cleaned.get("role", "")), groups)
        except DoorstepError as error:
            self.add_error(None, sentences(error))
        return cleaned

    @property
    def choices(self) -> list[tuple[DeviceGroup, bool]]:
        """Every group, and whether it is ticked."""
        return [(group, group.pk in (self.chosen or ())) for group in self.offered]


class InviteForm(GrantForm):
    """Whom to invite, to what."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    field_order = ("email", "role")


@require_safe
@member_page
def people(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List who belongs to the organisation, what each may do, and who is invited."""
    if not principal.may_see_people:
        raise PermissionDenied
    context = {
        "members": members_of(principal),
        "invitations": open_invitations(principal.organisation, now_us()),
        "groups": groups_seen_by(principal) if principal.is_customer else (),
    }
    return render(request, "portal/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
@proven
def add(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Invite somebody by mail."""
    _require(principal)
    form = InviteForm(principal, None, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = invite(
                principal.organisation,
                form.cleaned_data["email"],
                form.cleaned_data["grant"],
                principal.user,
                asker=principal.role,
                base_url=DOORSTEP.base_url,
                now_us=now_us(),
            )
        except DoorstepError as error:
            form.add_error("email", sentences(error))
        else:
            messages.success(request, _("A mail is on its way to %(email)s.") % {"email": row.email})
            return redirect("people")
    return render(request, "portal/invite.html", {"form": form})


@require_POST
@member_page
def withdraw(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take an invitation back."""
    _require(principal)
    try:
        close(invitation_at(principal.organisation, number, now_us()), now_us())
    except DoorstepError as error:
        raise Http404 from error
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("people")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
@proven
def change(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Give a member another role or other groups."""
    _require(principal)
    member = _member(principal, number)
    form = GrantForm(principal, grant_of(member), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            change_member(member, form.cleaned_data["grant"], asker=principal.role)
        except DoorstepError as error:
            form.add_error(None, sentences(error))
        else:
            messages.success(
                request, _("%(name)s has it from now on.") % {"name": member.user.get_full_name()}
            )
            return redirect("people")
    return render(request, "portal/member.html", {"form": form, "member": member})


@require_POST
@member_page
@proven
def remove(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """End a membership; anybody may end their own."""
    member = _member(principal, number)
    if member.user_id != principal.user.pk:
        _require(principal)
    try:
        remove_member(member, asker=principal.role)
    except DoorstepError as error:
        messages.error(request, sentences(error))
        return redirect("people")
    if member.user_id == principal.user.pk:
        request.session.pop(CHOSEN, None)
        return redirect("home")
    messages.success(
        request, _("%(name)s sees nothing of it any more.") % {"name": member.user.get_full_name()}
    )
    return redirect("people")


@require_safe
@member_page
def account(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show somebody's own account and where to change it."""
    return render(request, "portal/account.html", {})


@require_POST
@member_page
def switch(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Act for another organisation from now on; one that the user does not belong to does not exist."""
    wanted = request.POST.get("organisation", "")
    for organisation in principal.organisations:
        if str(organisation.pk) == wanted:
            request.session[CHOSEN] = organisation.pk
            return redirect("home")
    raise Http404


def _require(principal: Principal) -> None:
    if not principal.may_manage_people:
        raise PermissionDenied


def _member(principal: Principal, number: int) -> Member:
    try:
        return member_at(principal.organisation, number)
    except NoSuchPerson as error:
        raise Http404 from error
