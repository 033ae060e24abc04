"""Changes to people and organisations."""

from django.db import transaction

from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User

__all__ = ["open_customer_organisation"]


@transaction.atomic
def open_customer_organisation(user: User, name: str = "") -> Organisation:
    """Make the organisation that a new customer's devices will belong to, with them as its owner."""
    organisation = Organisation.objects.create(
        name=name.strip() or user.get_full_name(), kind=OrganisationKind.CUSTOMER
    )
    Member.objects.create(user=user, organisation=organisation, role=Role.OWNER)
    return organisation
