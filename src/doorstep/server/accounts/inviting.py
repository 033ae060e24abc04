"""Invitations: a mail to an address, and the account with this address accepts.

The mail holds no secret. Who forwards it gives nothing away, because only an account whose confirmed
address is the invited one can accept.
"""

from typing import Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from doorstep.errors import MisuseError
from doorstep.server.accounts.grants import Grant
from doorstep.server.accounts.members import NoSuchPerson, PeopleRefused, add_member, check_asker
from doorstep.server.accounts.models import DeviceGroup, Invitation, Member, Organisation, Role, User
from doorstep.server.audit.notes import keep
from doorstep.server.jobs.actions import send_mail_later

__all__ = [
    "INVITED_A_DAY",
    "LIFETIME_US",
    "accept",
    "close",
    "invitation_at",
    "invitation_for",
    "invitations_for",
    "invite",
    "is_invited",
    "open_invitations",
]

LIFETIME_US: Final = 14 * 86_400 * 1_000_000
"""How long an invitation waits."""

INVITED_A_DAY: Final = 50
"""Invitations of one organisation in 24 hours: strangers' mailboxes are not ours to fill."""

_DAY_US: Final = 86_400 * 1_000_000


def invite(  # noqa: PLR0913 - an invitation says who asks whom for what, from where
    organisation: Organisation,
    email: str,
    grant: Grant,
    by: User | None,
    *,
    asker: Role | None,
    base_url: str,
    now_us: int,
) -> Invitation:
    """Invite an address, and queue the mail; a newer invitation takes the place of one that is open.

    ``asker``: the role of who asks, None for a program. Raises MisuseError for what is no address,
    PeopleRefused for a member's, a role that the asker can't make, and beyond the day's allowance.
    """
    email = _address(email)
    check_asker(asker, grant.role)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        _check_room(organisation, email, now_us)
        Invitation.objects.filter(organisation=organisation, email=email, closed_us=None).update(
            closed_us=now_us
        )
        row = Invitation.objects.create(
            organisation=organisation,
            email=email,
            role=grant.role,
            limited=grant.limited,
            groups=sorted(grant.groups or ()),
            invited_by=by,
            invited_us=now_us,
            expires_us=now_us + LIFETIME_US,
        )
        _write(row, by, base_url)
    return row


def open_invitations(organisation: Organisation, now_us: int) -> QuerySet[Invitation]:
    """Return the invitations of an organisation that can still be accepted, newest first."""
    waiting = Invitation.objects.filter(organisation=organisation, closed_us=None, expires_us__gt=now_us)
    return waiting.select_related("invited_by").order_by("-pk")


def invitation_at(organisation: Organisation, number: int, now_us: int) -> Invitation:
    """Return one of them; raise NoSuchPerson."""
    return _one(open_invitations(organisation, now_us), number)


def invitations_for(user: User, now_us: int) -> QuerySet[Invitation]:
    """Return the invitations that this user can accept: to their confirmed addresses."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    waiting = Invitation.objects.filter(
        email__in=[address.lower() for address in addresses], closed_us=None, expires_us__gt=now_us
    )
    return waiting.select_related("organisation", "invited_by").order_by("-pk")


def is_invited(email: str, now_us: int) -> bool:
    """Whether an invitation waits for this address."""
    return Invitation.objects.filter(email=email.lower(), closed_us=None, expires_us__gt=now_us).exists()


def invitation_for(user: User, number: int, now_us: int) -> Invitation:
    """Return one of them; raise NoSuchPerson."""
    return _one(invitations_for(user, now_us), number)


@transaction.atomic
def accept(invitation: Invitation, user: User, now_us: int) -> Member:
    """Make the invited user a member; raise PeopleRefused when they are one, or it was closed meanwhile."""
    close(invitation, now_us)
    groups = None
    if invitation.limited:
        left = DeviceGroup.objects.filter(organisation=invitation.organisation, pk__in=invitation.groups)
        groups = frozenset(left.values_list("pk", flat=True))
    return add_member(invitation.organisation, user, Grant(Role(invitation.role), groups))


def close(invitation: Invitation, now_us: int) -> None:
    """End an invitation: it was accepted, declined or withdrawn; raise PeopleRefused when it was before."""
    keep(invitation)
    changed = Invitation.objects.filter(pk=invitation.pk, closed_us=None).update(closed_us=now_us)
    if not changed:
        raise PeopleRefused("this invitation is over", next_step="Ask for a new one.")


def _one(invitations: QuerySet[Invitation], number: int) -> Invitation:
    found = invitations.filter(pk=number).first()
    if found is None:
        raise NoSuchPerson
    return found


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise MisuseError("this is not an e-mail address", next_step="Check the address.") from error
    return email


def _check_room(organisation: Organisation, email: str, now_us: int) -> None:
    if Member.objects.filter(organisation=organisation, user__email=email).exists():
        raise PeopleRefused(f"{email} belongs to {organisation} already")
    today = Invitation.objects.filter(organisation=organisation, invited_us__gt=now_us - _DAY_US)
    if today.count() >= INVITED_A_DAY:
        raise PeopleRefused(
            f"{organisation} invited {INVITED_A_DAY} addresses in a day", next_step="Go on tomorrow."
        )


def _write(row: Invitation, by: User | None, base_url: str) -> None:
    whom = by.get_full_name() if by is not None else "The operator"
    text = (
        f"Hello,\n\n{whom} invites you to {row.organisation} on Doorstep, as {row.role}.\n\n"
        f"Log in or sign up with this address, {row.email}, and accept:\n{base_url}/invitations/\n\n"
        "The invitation waits for two weeks. If you don't know them, do nothing.\n\n"
        f"-- \nDoorstep, {base_url}\n"
    )
    send_mail_later(row.email, f"{whom} invites you to {row.organisation}", text)
