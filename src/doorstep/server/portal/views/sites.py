"""Sites: where devices stand, by the names that their people use."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import MisuseError
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal
from doorstep.server.fleet.places import Site
from doorstep.server.fleet.sites import place_device, save_site, site_of, sites_of, sites_with_devices
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.mapping import map_of
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.devices import find

__all__ = ["edit", "new", "place", "remove", "sites"]

_NAME: Final = 80


class SiteForm(forms.ModelForm[Site]):
    """A site."""

    class Meta:
        model = Site
        fields = ("name", "address", "latitude", "longitude")
        labels = {  # noqa: RUF012 - Django's way
            "name": gettext_lazy("Name"),
            "address": gettext_lazy("Address"),
            "latitude": gettext_lazy("Degrees north"),
            "longitude": gettext_lazy("Degrees east"),
        }
        help_texts = {  # noqa: RUF012 - Django's way
            "name": gettext_lazy("For example: Greenhouse, Main street 4, Truck 2."),
            "latitude": gettext_lazy("With both numbers the site stands on the map; south and west are negative."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in (("latitude", 90), ("longitude", 180)):
            self.fields[name] = forms.FloatField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                required=False,
                min_value=-most,
                max_value=most,
            )


class PlaceForm(forms.Form):
    """What a device is called, and where it stands."""

    alias = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=_NAME,
        required=False,
        help_text=gettext_lazy("Without one it is shown by its serial."),
    )
    site = forms.ModelChoiceField(
        label=gettext_lazy("Site"), queryset=Site.objects.none(), required=False, empty_label=gettext_lazy("none")
    )


@require_safe
@customer_page
def sites(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the sites, and draw those whose place is known."""
    found = sites_with_devices(principal)
    context = {"sites": found, "map": map_of(found), "may_write": _may(principal)}
    return render(request, "portal/sites.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def new(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Make a site."""
    return _edit(request, principal, Site(organisation=principal.organisation))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def edit(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Change a site."""
    return _edit(request, principal, _found(principal, number))


@require_POST
@customer_page
def remove(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take a site away; its devices stay and stand nowhere."""
    site = _found(principal, number)
    if not _may(principal):
        raise PermissionDenied
    site.delete()
    messages.success(request, _("%(site)s is gone. Its devices are still yours.") % {"site": site.name})
    return redirect("sites")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def place(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Name a device and say where it stands."""
    device = find(principal, device_id)
    if not _may(principal):
        raise PermissionDenied
    form = PlaceForm(request.POST or None, initial={"alias": device.alias, "site": device.site_id})
    field = form.fields["site"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - for the type checker: it is declared above
    field.queryset = sites_of(principal.organisation)
    if request.method == "POST" and form.is_valid():
        place_device(device, form.cleaned_data["alias"], form.cleaned_data["site"])
        messages.success(request, _("Saved."))
        return redirect("device", device_id=device.device_id)
    return render(request, "portal/place.html", {"device": device, "form": form})


def _may(principal: Principal) -> bool:
    return principal.may(Permission.CUSTOMER_DEVICES_WRITE)


def _found(principal: Principal, number: int) -> Site:
    try:
        return site_of(principal, number)
    except Site.DoesNotExist as error:
        raise Http404 from error


def _edit(request: HttpRequest, principal: Principal, site: Site) -> HttpResponse:
    if not _may(principal):
        raise PermissionDenied
    form = SiteForm(request.POST or None, instance=site)
    if request.method == "POST" and form.is_valid():
        try:
            save_site(form.save(commit=False))
        except MisuseError as error:
            form.add_error("name", sentences(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("sites")
    return render(request, "portal/site.html", {"site": site, "form": form})
