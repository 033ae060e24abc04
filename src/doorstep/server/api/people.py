"""People of an organisation, invitations, and device groups."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Status

from doorstep.server.accounts.grants import read_grant
from doorstep.server.accounts.inviting import close, invitation_at, invite, open_invitations
from doorstep.server.accounts.members import change_member, member_at, remove_member
from doorstep.server.accounts.models import DeviceGroup, Invitation, Member
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of, proven_caller_of
from doorstep.server.api.fields import DeviceId, Number, RowNumber
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us, to_us
from doorstep.server.fleet.access import device_for
from doorstep.server.fleet.grouping import (
    group_at,
    groups_seen_by,
    make_group,
    place,
    remove_group,
    rename_group,
    take_out,
)
from doorstep.server.settings import DOORSTEP

__all__ = ["router"]

router = Router(tags=["people"])

_READ: Final = (
    Permission.MAKER_PEOPLE_READ,
    Permission.WHOLESALER_PEOPLE_READ,
    Permission.CUSTOMER_PEOPLE_READ,
)
_WRITE: Final = (
    Permission.MAKER_PEOPLE_WRITE,
    Permission.WHOLESALER_PEOPLE_WRITE,
    Permission.CUSTOMER_PEOPLE_WRITE,
)
_DEVICES: Final = (Permission.CUSTOMER_DEVICES_READ,)
_GROUP: Final = (Permission.CUSTOMER_GROUPS_WRITE,)
_MOST_GROUPS: Final = 500

Groups = Annotated[list[RowNumber], Field(max_length=_MOST_GROUPS)]


class GrantIn(Schema, extra="forbid"):
    """What somebody may do, and with which devices."""

    role: Annotated[str, Field(max_length=20)]
    """owner, admin, operator or viewer."""
    groups: Groups | None = None
    """Numbers of the groups that they see; null for all devices. Only for operators and viewers."""


class InviteIn(GrantIn):
    """Whom to invite, to what."""

    email: Annotated[str, Field(min_length=3, max_length=254)]
    """Where the invitation goes."""


class PersonOut(Schema):
    """A member."""

    number: int
    """By which it is asked for."""
    email: str
    """E-mail address."""
    name: str
    """As they call themselves."""
    role: str
    """owner, admin, operator or viewer."""
    groups: list[int] | None
    """Numbers of the groups that they see; null for all devices."""
    joined_us: int
    """When they became a member."""


class PersonPage(Page[PersonOut]):
    """Members, by number."""


class InvitationOut(Schema):
    """An invitation that waits."""

    number: int
    """By which it is asked for."""
    email: str
    """E-mail address."""
    role: str
    """owner, admin, operator or viewer."""
    groups: list[int] | None
    """Numbers of the groups that they will see; null for all devices."""
    expires_us: int
    """Until when it is good."""


class InvitationPage(Page[InvitationOut]):
    """Invitations, newest first."""


class GroupIn(Schema, extra="forbid"):
    """What a group is called."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """As its people call it."""


class GroupOut(Schema):
    """A device group."""

    number: int
    """By which it is asked for."""
    name: str
    """As its people call it."""
    devices: int
    """How many devices stand in it."""


class GroupPage(Page[GroupOut]):
    """Groups, by number."""


@router.get("/people", response={200: PersonPage}, operation_id="list_people", openapi_extra=needs(*_READ))
def list_people(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List who acts for the caller's organisation."""
    caller = caller_of(request)
    rows = Member.objects.filter(organisation=caller.organisation).select_related("user")
    return page(rows.prefetch_related("grants"), "pk", _person, cursor, limit)


@router.put(
    "/people/{number}", response={200: PersonOut}, operation_id="change_person", openapi_extra=needs(*_WRITE)
)
def change_person(request: HttpRequest, number: Number, grant: GrantIn) -> Any:
    """Give a member another role or other groups. Only an owner makes or unmakes owners, no key an admin."""
    caller = proven_caller_of(request)
    member = member_at(caller.organisation, number)
    wanted = read_grant(caller.organisation, grant.role, grant.groups)
    return _person(change_member(member, wanted, asker=caller.role))


@router.delete(
    "/people/{number}", response={204: None}, operation_id="remove_person", openapi_extra=needs(*_WRITE)
)
def remove_person(request: HttpRequest, number: Number) -> Any:
    """End a membership, with effect on the next request."""
    caller = proven_caller_of(request)
    remove_member(member_at(caller.organisation, number), asker=caller.role)
    return Status(204, None)


@router.post(
    "/invitations", response={201: InvitationOut}, operation_id="invite", openapi_extra=needs(*_WRITE)
)
def add_invitation(request: HttpRequest, wish: InviteIn) -> Any:
    """Invite an address by mail; a newer invitation takes the place of one that waits."""
    caller = proven_caller_of(request)
    row = invite(
        caller.organisation,
        wish.email,
        read_grant(caller.organisation, wish.role, wish.groups),
        caller.user,
        asker=caller.role,
        base_url=DOORSTEP.base_url,
        now_us=now_us(),
    )
    return Status(201, _invitation(row))


@router.get(
    "/invitations",
    response={200: InvitationPage},
    operation_id="list_invitations",
    openapi_extra=needs(*_READ),
)
def list_invitations(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the invitations that wait."""
    caller = caller_of(request)
    return page(open_invitations(caller.organisation, now_us()), "-pk", _invitation, cursor, limit)


@router.delete(
    "/invitations/{number}",
    response={204: None},
    operation_id="withdraw_invitation",
    openapi_extra=needs(*_WRITE),
)
def withdraw(request: HttpRequest, number: Number) -> Any:
    """Take an invitation back."""
    caller = caller_of(request)
    close(invitation_at(caller.organisation, number, now_us()), now_us())
    return Status(204, None)


@router.get("/groups", response={200: GroupPage}, operation_id="list_groups", openapi_extra=needs(*_DEVICES))
def list_groups(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the device groups that the caller sees."""
    caller = caller_of(request)
    return page(groups_seen_by(caller), "pk", _group, cursor, limit)


@router.post("/groups", response={201: GroupOut}, operation_id="make_group", openapi_extra=needs(*_GROUP))
def add_group(request: HttpRequest, wish: GroupIn) -> Any:
    """Make a device group."""
    caller = caller_of(request)
    return Status(201, _group(make_group(caller.organisation, wish.name)))


@router.put(
    "/groups/{number}", response={200: GroupOut}, operation_id="rename_group", openapi_extra=needs(*_GROUP)
)
def rename(request: HttpRequest, number: Number, wish: GroupIn) -> Any:
    """Give a device group another name."""
    caller = caller_of(request)
    return _group(rename_group(group_at(caller, number), wish.name))


@router.delete(
    "/groups/{number}", response={204: None}, operation_id="remove_group", openapi_extra=needs(*_GROUP)
)
def remove(request: HttpRequest, number: Number) -> Any:
    """End a device group: who saw its devices through it alone sees them no more, and its keys end."""
    remove_group(group_at(caller_of(request), number))
    return Status(204, None)


@router.put(
    "/groups/{number}/devices/{device_id}",
    response={204: None},
    operation_id="put_into_group",
    openapi_extra=needs(*_GROUP),
)
def put_into(request: HttpRequest, number: Number, device_id: DeviceId) -> Any:
    """Put a device into a group. Asked again, nothing changes."""
    caller = caller_of(request)
    place(device_for(caller, device_id, _GROUP), group_at(caller, number))
    return Status(204, None)


@router.delete(
    "/groups/{number}/devices/{device_id}",
    response={204: None},
    operation_id="take_out_of_group",
    openapi_extra=needs(*_GROUP),
)
def take_from(request: HttpRequest, number: Number, device_id: DeviceId) -> Any:
    """Take a device out of a group. Asked again, nothing changes."""
    caller = caller_of(request)
    take_out(device_for(caller, device_id, _GROUP), group_at(caller, number))
    return Status(204, None)


def _person(row: Member) -> dict[str, Any]:
    return {
        "number": row.pk,
        "email": row.user.email,
        "name": row.user.name,
        "role": row.role,
        "groups": sorted(one.group_id for one in row.grants.all()) if row.limited else None,
        "joined_us": to_us(row.joined_at),
    }


def _invitation(row: Invitation) -> dict[str, Any]:
    return {
        "number": row.pk,
        "email": row.email,
        "role": row.role,
        "groups": row.groups if row.limited else None,
        "expires_us": row.expires_us,
    }


def _group(row: DeviceGroup) -> dict[str, Any]:
    return {"number": row.pk, "name": row.name, "devices": getattr(row, "devices", 0)}
