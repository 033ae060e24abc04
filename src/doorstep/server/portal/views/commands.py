"""Tell a device what to do, and which settings to have."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.errors import DoorstepError, RefusedError
from doorstep.messaging.channels import MAX_CALL_NAME, Call, Values, read_values, write_values
from doorstep.server.accounts.queries import Principal
from doorstep.server.channels import actions
from doorstep.server.channels.queries import NoSuchCommand, SettingsShown, command_of, settings_of
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.views.devices import find

__all__ = ["cancel", "send", "settings"]

_LIVES: Final = {"3600": _("for an hour"), "86400": _("for a day"), "604800": _("for a week")}
_MOST_TEXT: Final = 8_000
_HOW: Final = _("One on each line, such as interval=30 or led=true.")


class _ValuesField(forms.CharField):
    """Lines of NAME=VALUE."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Values:
        """Return the values; raise ValidationError."""
        text: str = super().clean(value)
        try:
            return read_values(line for line in text.splitlines() if line.strip())
        except DoorstepError as error:
            raise forms.ValidationError(f"{error.message}. {error.next_step}") from error


class CommandForm(forms.Form):
    """A command, its values, and how long it may wait."""

    name = forms.CharField(
        label=_("Command"),
        max_length=MAX_CALL_NAME,
        help_text=_("Every device knows identify and report; what else it knows is in its manual."),
    )
    values = _ValuesField(label=_("Values"), required=False, max_length=_MOST_TEXT, help_text=_HOW)
    lasts = forms.ChoiceField(
        label=_("If the device sleeps, keep it"),
        choices=list(_LIVES.items()),
        initial="86400",
        required=False,
        help_text=_("After that the device does not carry it out any more."),
    )


class SettingsForm(forms.Form):
    """All settings of a device, and the version that they were made from."""

    values = _ValuesField(label=_("Settings"), required=False, max_length=_MOST_TEXT, help_text=_HOW)
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def send(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask which command, then queue it."""
    device = _commanded(principal, device_id)
    form = CommandForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        call, lasts_s = Call(said["name"], said["values"]), int(said["lasts"] or "86400")
        by = principal.actor
        try:
            actions.send_command(device, call, lasts_s=lasts_s, by=by, now_us=now_us())
        except DoorstepError as error:
            form.add_error(None, f"{error.message}. {error.next_step}".strip())
        else:
            messages.success(
                request,
                _("%(device)s gets the command %(name)s as soon as it is there.")
                % {"device": device, "name": call.name},
            )
            return redirect("device", device_id)
    return render(request, "portal/command.html", {"device": device, "form": form})


@require_POST
@customer_page
def cancel(request: HttpRequest, principal: Principal, device_id: str, command_id: str) -> HttpResponse:
    """Withdraw a command that waits."""
    device = _commanded(principal, device_id)
    try:
        row = actions.cancel(command_of(device, command_id), "cancelled by its owner", now_us=now_us())
    except NoSuchCommand as error:
        raise Http404 from error
    except RefusedError as error:
        messages.warning(request, f"{error.message.capitalize()}.")
    else:
        messages.success(request, _("The command %(name)s is cancelled.") % {"name": row.name})
    return redirect("device", device_id)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def settings(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show the settings that are wanted and those that are reported; take new ones."""
    device = _commanded(principal, device_id)
    shown = settings_of(device)
    first = {"values": "\n".join(write_values(shown.wanted)), "seen": shown.version}
    form = SettingsForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        said, by = form.cleaned_data, principal.actor
        try:
            actions.want_settings(device, said["values"], seen=said["seen"], by=by, now_us=now_us())
        except actions.VersionConflict:
            form = _after_conflict(said["values"], shown)
        except DoorstepError as error:
            form.add_error(None, f"{error.message}. {error.next_step}".strip())
        else:
            messages.success(
                request, _("%(device)s gets the new settings as soon as it is there.") % {"device": device}
            )
            return redirect("device", device_id)
    return render(request, "portal/settings.html", {"device": device, "form": form, "shown": shown})


def _after_conflict(mine: Values, shown: SettingsShown) -> SettingsForm:
    """Show a person their own text again, and what somebody else wants, so that they decide."""
    form = SettingsForm({"values": "\n".join(write_values(mine)), "seen": shown.version})
    form.is_valid()
    theirs = ", ".join(write_values(shown.wanted)) or "none"
    form.add_error(
        None, f"Somebody changed the settings in between; now they are: {theirs}. Save again to replace them."
    )
    return form


def _commanded(principal: Principal, device_id: str) -> Device:
    device = find(principal, device_id)
    if not principal.may_command or device.blocked:
        raise PermissionDenied
    return device
