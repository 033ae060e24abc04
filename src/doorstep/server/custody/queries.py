"""What the REST API and the commands read of custody."""

from django.db.models import Count

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody.models import CustodyEntry, Sale
from doorstep.server.fleet.models import Device

__all__ = ["custody_after", "sales_before", "wholesaler_at"]


def sales_before(number: int | None, count: int) -> list[Sale]:
    """Return sales, newest first, behind the one with this number; each with its ``line_count``."""
    rows = Sale.objects.select_related("wholesaler").annotate(line_count=Count("lines")).order_by("-pk")
    return list((rows if number is None else rows.filter(pk__lt=number))[:count])


def custody_after(device: Device, number: int | None, count: int) -> list[CustodyEntry]:
    """Return a device's ledger entries, oldest first, behind the one with this number."""
    rows = device.custody.order_by("number")
    return list((rows if number is None else rows.filter(number__gt=number))[:count])


def wholesaler_at(email: str) -> Organisation:
    """Return the wholesaler with this address; raise MisuseError when there is none."""
    found = Organisation.objects.filter(kind=OrganisationKind.WHOLESALER, email__iexact=email.strip()).first()
    if found is None:
        raise MisuseError(
            "no wholesaler has this address", next_step="Compare it with the wholesaler's in the portal."
        )
    return found
