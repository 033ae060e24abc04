"""Sites: where a customer's devices stand, and what each device is called."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Status

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Alias, DeviceId, Line, Name, Number, RowNumber
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page_of
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.custody.holdings import found
from doorstep.server.fleet.access import device_for
from doorstep.server.fleet.places import Site
from doorstep.server.fleet.sites import place_device, save_site, site_of, sites_of, sites_with_devices

__all__ = ["router"]

router = Router(tags=["sites"])

_READ: Final = (Permission.CUSTOMER_DEVICES_READ,)
_WRITE: Final = (Permission.CUSTOMER_DEVICES_WRITE,)


class SiteIn(Schema, extra="forbid"):
    """A site."""

    name: Name
    """As its people call it."""
    address: Annotated[Line, Field(max_length=200)] = ""
    """For people who go there."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Degrees north; with the longitude it gets the site onto the map."""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Degrees east."""


class SiteOut(SiteIn, extra="ignore"):
    """A site and how many devices the caller sees there."""

    number: int
    """By which it is asked for."""
    devices: int
    """How many of the devices that the caller sees stand there."""


class SitePage(Page[SiteOut]):
    """Sites, by name."""


class PlaceIn(Schema, extra="forbid"):
    """What a device is called, and where it stands."""

    alias: Alias = ""
    """Empty: it is shown by its serial."""
    site: RowNumber | None = None
    """Number of the site; null: none."""


class PlaceOut(Schema):
    """What a device is called, and where it stands."""

    device_id: str
    """Of the device."""
    alias: str
    """Empty: it is shown by its serial."""
    site: int | None
    """Number of the site; null: none."""


@router.get("/sites", response={200: SitePage}, operation_id="list_sites", openapi_extra=needs(*_READ))
def list_sites(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the sites; who is limited to groups sees those where their devices stand."""
    return page_of(sites_with_devices(caller_of(request)), _shown, cursor, limit)


@router.post("/sites", response={201: SiteOut}, operation_id="add_site", openapi_extra=needs(*_WRITE))
def add(request: HttpRequest, wish: SiteIn) -> Any:
    """Make a site."""
    site = Site(organisation=caller_of(request).organisation, **wish.dict())
    save_site(site)
    return Status(201, _shown(site))


@router.get("/sites/{number}", response={200: SiteOut}, operation_id="get_site", openapi_extra=needs(*_READ))
def get_site(request: HttpRequest, number: Number) -> Any:
    """Return one site."""
    return _shown(site_of(caller_of(request), number))


@router.put(
    "/sites/{number}", response={200: SiteOut}, operation_id="change_site", openapi_extra=needs(*_WRITE)
)
def change(request: HttpRequest, number: Number, wish: SiteIn) -> Any:
    """Change a site."""
    site = site_of(caller_of(request), number)
    for name, value in wish.dict().items():
        setattr(site, name, value)
    save_site(site)
    return _shown(site)


@router.delete(
    "/sites/{number}", response={204: None}, operation_id="remove_site", openapi_extra=needs(*_WRITE)
)
def remove(request: HttpRequest, number: Number) -> Any:
    """Take a site away; its devices stay and stand nowhere."""
    site_of(caller_of(request), number).delete()
    return Status(204, None)


@router.put(
    "/devices/{device_id}/place",
    response={200: PlaceOut},
    operation_id="place_device",
    openapi_extra=needs(*_WRITE),
)
def place(request: HttpRequest, device_id: DeviceId, wish: PlaceIn) -> Any:
    """Say what a device is called, and at which site it stands."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    site = found(sites_of(caller.organisation), wish.site) if wish.site is not None else None
    place_device(device, wish.alias, site)
    return {"device_id": device.device_id, "alias": device.alias, "site": device.site_id}


def _shown(site: Site) -> dict[str, Any]:
    own = {name: getattr(site, name) for name in SiteIn.model_fields}
    return own | {"number": site.pk, "devices": getattr(site, "held", 0)}
