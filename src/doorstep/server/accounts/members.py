"""Changes to who belongs to an organisation, and what they may do for it."""

from django.db import transaction

from doorstep.errors import RefusedError
from doorstep.server.accounts.grants import Grant
from doorstep.server.accounts.models import GroupGrant, Member, Organisation, Role, User
from doorstep.server.audit.notes import describe

__all__ = [
    "NoSuchPerson",
    "PeopleRefused",
    "add_member",
    "change_member",
    "check_asker",
    "member_at",
    "remove_member",
]


class PeopleRefused(RefusedError):
    """Somebody can't be invited, changed or removed like that."""


class NoSuchPerson(RefusedError):
    """There is no such member or invitation, or none that the caller may see."""

    def __init__(self) -> None:
        super().__init__("there is nobody of this number here", next_step="List the people first.")


def member_at(organisation: Organisation, number: int) -> Member:
    """Return a member by number; raise NoSuchPerson, also for another organisation's."""
    member = Member.objects.select_related("user").filter(organisation=organisation, pk=number).first()
    if member is None:
        raise NoSuchPerson
    return member


def add_member(organisation: Organisation, user: User, grant: Grant) -> Member:
    """Make somebody a member, in the caller's transaction; raise PeopleRefused when they are one."""
    if Member.objects.filter(organisation=organisation, user=user).exists():
        raise PeopleRefused(f"you belong to {organisation} already")
    member = Member.objects.create(
        organisation=organisation, user=user, role=grant.role, limited=grant.limited
    )
    _grant(member, grant)
    return member


@transaction.atomic
def change_member(member: Member, grant: Grant, *, asker: Role | None) -> Member:
    """Give a member another role or other groups; raise PeopleRefused.

    ``asker``: the role of who asks, None for a program.
    """
    row = _locked(member)
    had = _groups(row)
    if row.role != grant.role:
        check_asker(asker, Role(row.role), grant.role)
        _check_owner_is_left(row)
    row.role, row.limited = grant.role, grant.limited
    row.save(update_fields=["role", "limited"])
    row.grants.all().delete()
    _grant(row, grant)
    if (has := _groups(row)) != had:
        describe({"groups": had}, {"groups": has})
    return row


@transaction.atomic
def remove_member(member: Member, *, asker: Role | None) -> None:
    """End a membership, with effect on the next request; raise PeopleRefused as `change_member`."""
    row = _locked(member)
    check_asker(asker, Role(row.role))
    _check_owner_is_left(row)
    row.delete()


def check_asker(asker: Role | None, *roles: Role) -> None:
    """Raise PeopleRefused for who may not make or unmake these roles: programs no managers, others no owners.

    A stolen key must not make a manager who outlives it.
    """
    if Role.OWNER in roles and asker is not Role.OWNER:
        raise PeopleRefused("only an owner makes or removes owners", next_step="Ask an owner to do it.")
    if Role.ADMIN in roles and asker is None:
        raise PeopleRefused("no API key makes or removes admins", next_step="Log in and do it yourself.")


def _locked(member: Member) -> Member:
    # Who changes owners waits for whoever else does, so that two can't remove each other.
    Organisation.objects.select_for_update().get(pk=member.organisation_id)
    row = Member.objects.select_related("user").filter(pk=member.pk).first()
    if row is None:
        raise NoSuchPerson
    return row


def _check_owner_is_left(row: Member) -> None:
    others = Member.objects.filter(organisation=row.organisation_id, role=Role.OWNER).exclude(pk=row.pk)
    if row.role == Role.OWNER and not others.exists():
        raise PeopleRefused(
            f"{row.user.get_full_name()} is the only owner", next_step="Make somebody else an owner first."
        )


def _grant(member: Member, grant: Grant) -> None:
    GroupGrant.objects.bulk_create(GroupGrant(member=member, group_id=group) for group in grant.groups or ())


def _groups(member: Member) -> str:
    return ", ".join(member.grants.order_by("group__name").values_list("group__name", flat=True))
