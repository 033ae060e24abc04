"""Where a customer's devices stand: sites, and the device's name and place."""

from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from doorstep.errors import MisuseError, RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.places import Site
from doorstep.server.fleet.visible import Sees, devices_visible_to

__all__ = [
    "MOST_SITES",
    "NoSuchSite",
    "devices_at",
    "place_device",
    "save_site",
    "site_of",
    "sites_of",
    "sites_with_devices",
]

MOST_SITES: Final = 1_000
"""Of one organisation; a list of more helps nobody to find one."""


class NoSuchSite(RefusedError):
    """There is no such site, or none that the caller sees."""

    def __init__(self) -> None:
        super().__init__("there is no site of this number here", next_step="List the sites first.")


def sites_of(organisation: Organisation) -> QuerySet[Site]:
    """Return an organisation's sites by name."""
    return Site.objects.filter(organisation=organisation).order_by("name")


def sites_with_devices(somebody: Sees) -> list[Site]:
    """Return the sites that somebody sees, each with its number of devices as ``held``.

    Who is limited to groups sees the sites of their devices alone.
    """
    counted = (
        devices_visible_to(somebody)
        .order_by()
        .filter(site=OuterRef("pk"))
        .values("site")
        .annotate(number=Count("pk"))
        .values("number")
    )
    rows = sites_of(somebody.organisation).annotate(held=Coalesce(Subquery(counted), 0))
    return list((rows if somebody.groups is None else rows.filter(held__gt=0))[:MOST_SITES])


def site_of(somebody: Sees, number: int) -> Site:
    """Return one of these sites; raise NoSuchSite."""
    for site in sites_with_devices(somebody):
        if site.pk == number:
            return site
    raise NoSuchSite


def devices_at(devices: QuerySet[Device], site: int) -> QuerySet[Device]:
    """Keep the devices that stand at a site of their owner."""
    return devices.filter(site=site, site__organisation=F("owner"))


def save_site(site: Site) -> None:
    """Store a site; raise MisuseError when the name is taken or there are too many."""
    site.name = " ".join(site.name.split())
    if not site.name:
        raise MisuseError("a site has a name", next_step="Call it as its people do.")
    if not site.pk and sites_of(site.organisation).count() >= MOST_SITES:
        raise MisuseError("there are too many sites", next_step="Use groups for what is not a place.")
    try:
        with transaction.atomic():
            site.save()
    except IntegrityError as error:
        raise MisuseError(
            f"there is a site called {site.name} already", next_step="Choose another name."
        ) from error


def place_device(device: Device, alias: str, site: Site | None) -> None:
    """Give a device its name and its place; an empty name is its serial."""
    device.alias, device.site = alias, site
    device.save(update_fields=["alias", "site"])
