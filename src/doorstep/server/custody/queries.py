"""What the REST API and the commands read of custody."""

from django.db.models import Count, QuerySet

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody.models import Sale

__all__ = ["all_sales", "wholesaler_at"]


def all_sales() -> QuerySet[Sale]:
    """Return the sales, newest first, each with its ``line_count``."""
    return Sale.objects.select_related("wholesaler").annotate(line_count=Count("lines")).order_by("-pk")


def wholesaler_at(email: str) -> Organisation:
    """Return the wholesaler with this address; raise MisuseError when there is none."""
    found = Organisation.objects.filter(kind=OrganisationKind.WHOLESALER, email__iexact=email.strip()).first()
    if found is None:
        raise MisuseError(
            "no wholesaler has this address", next_step="Compare it with the wholesaler's in the portal."
        )
    return found
