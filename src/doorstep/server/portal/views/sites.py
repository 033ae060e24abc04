"""Sites: where devices stand, by the names that their people use."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import MisuseError
from doorstep.server.accounts.queries import Principal
from doorstep.server.fleet.places import Site
from doorstep.server.fleet.sites import (
    NoSuchSite,
    place_device,
    save_site,
    site_of,
    sites_of,
    sites_with_devices,
)
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.mapping import map_of
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.devices import find

__all__ = ["edit", "new", "place", "remove", "sites"]

_NAME: Final = 80


class SiteForm(forms.Form):
    """A site."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=_NAME,
        help_text=gettext_lazy("For example: Greenhouse, Main street 4, Truck 2."),
    )
    address = forms.CharField(label=gettext_lazy("Address"), max_length=200, required=False)
    latitude = forms.FloatField(
        label=gettext_lazy("Degrees north"),
        required=False,
        min_value=-90,
        max_value=90,
        help_text=gettext_lazy("With both numbers the site stands on the map; south and west are negative."),
    )
    longitude = forms.FloatField(
        label=gettext_lazy("Degrees east"), required=False, min_value=-180, max_value=180
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
        label=gettext_lazy("Site"),
        queryset=Site.objects.none(),
        required=False,
        empty_label=gettext_lazy("none"),
    )


@require_safe
@customer_page
def sites(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the sites, and draw those whose place is known."""
    found = sites_with_devices(principal)
    context = {"sites": found, "map": map_of(found), "may_write": principal.may_place}
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
    if not principal.may_place:
        raise PermissionDenied
    site.delete()
    messages.success(request, _("%(site)s is gone. Its devices are still yours.") % {"site": site.name})
    return redirect("sites")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def place(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Name a device and say where it stands."""
    device = find(principal, device_id)
    if not principal.may_place:
        raise PermissionDenied
    form = PlaceForm(request.POST or None, initial={"alias": device.alias, "site": device.site_id})
    field = form.fields["site"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = sites_of(principal.organisation)
    if request.method == "POST" and form.is_valid():
        place_device(device, form.cleaned_data["alias"], form.cleaned_data["site"])
        messages.success(request, _("Saved."))
        return redirect("device", device_id=device.device_id)
    return render(request, "portal/place.html", {"device": device, "form": form})


def _found(principal: Principal, number: int) -> Site:
    try:
        return site_of(principal, number)
    except NoSuchSite as error:
        raise Http404 from error


def _edit(request: HttpRequest, principal: Principal, site: Site) -> HttpResponse:
    if not principal.may_place:
        raise PermissionDenied
    form = SiteForm(
        request.POST or None, initial={name: getattr(site, name) for name in SiteForm.base_fields}
    )
    if request.method == "POST" and form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(site, name, value)
        try:
            save_site(site)
        except MisuseError as error:
            form.add_error("name", sentences(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("sites")
    return render(request, "portal/site.html", {"site": site, "form": form})
