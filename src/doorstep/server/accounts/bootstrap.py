"""First start: the maker's organisation, and members of its staff."""

import base64
import os
from typing import Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User

__all__ = [
    "MAKER_NAME",
    "STAFF_EMAIL",
    "add_staff",
    "add_wholesaler",
    "bootstrap",
    "ensure_maker",
    "organisation_of",
]

MAKER_NAME: Final = "Maker"
"""What the maker is called until somebody says otherwise."""

STAFF_EMAIL: Final = "staff@doorstep.localhost"
"""Log-in of the first member of staff in the embedded default."""

_NAME_CAP: Final = 120


def ensure_maker(name: str = MAKER_NAME) -> Organisation:
    """Return the one maker, made when there is none."""
    maker, _ = Organisation.objects.get_or_create(kind=OrganisationKind.MAKER, defaults={"name": name})
    return maker


def bootstrap(name: str = MAKER_NAME, email: str = STAFF_EMAIL) -> tuple[str, str] | None:
    """Make the maker and, when it has no staff, a first owner; return e-mail and password, to show once."""
    with transaction.atomic():
        if ensure_maker(name).members.exists():
            return None
        return email, add_staff(email)


def add_staff(email: str, role: Role = Role.OWNER) -> str:
    """Add a member of the maker's staff with a confirmed address; return the generated password.

    Raises MisuseError when the address is none or already has an account.
    """
    email = _address(email)
    password = base64.b32encode(os.urandom(10)).decode().lower()
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise MisuseError(
                f"{email} already has an account", next_step="Log in with it, or reset its password."
            )
        user = User.objects.create_user(email, password)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        Member.objects.create(user=user, organisation=ensure_maker(), role=role)
    return password


def add_wholesaler(name: str, email: str) -> Organisation:
    """Add a wholesaler; raise MisuseError when the address is none or another wholesaler's."""
    email, name = _address(email), " ".join(name.split())[:_NAME_CAP]
    if not name:
        raise MisuseError("a wholesaler has a name", next_step="Give it.")
    with transaction.atomic():
        same = Organisation.objects.select_for_update().filter(
            kind=OrganisationKind.WHOLESALER, email__iexact=email
        )
        if same.exists():
            raise MisuseError(f"{email} is a wholesaler already", next_step="Use it, or another address.")
        return Organisation.objects.create(name=name, kind=OrganisationKind.WHOLESALER, email=email)


def organisation_of(email: str) -> Organisation:
    """Return the organisation that this user owns, the first joined; raise MisuseError when there is none."""
    owned = Member.objects.filter(user__email=email.strip().lower(), role=Role.OWNER)
    member = owned.select_related("organisation").order_by("joined_at", "pk").first()
    if member is None:
        raise MisuseError(
            f"{email} owns no organisation", next_step="Check the address, or let them sign up."
        )
    return member.organisation


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise MisuseError("this is not an e-mail address", next_step="Check the address.") from error
    return email
