"""Who somebody is and where they stand: the principal that pages read for."""

from dataclasses import dataclass
from typing import Final, Protocol

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from doorstep.ownership.actors import user_for
from doorstep.server.accounts.models import DeviceGroup, Member, Organisation, OrganisationKind, Role, User
from doorstep.server.accounts.permissions import Permission, permissions_of

__all__ = ["CHOSEN", "Principal", "actor_name", "members_of", "members_with", "principal_of"]

CHOSEN: Final = "organisation"
"""Session key of the organisation that the user acts for; the portal sets it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user acting for one of their organisations, with the role they have there."""

    user: User
    organisation: Organisation
    role: Role
    organisations: tuple[Organisation, ...]
    """Every organisation the user can act for, the current one included, by name."""
    groups: frozenset[int] | None = None
    """Primary keys of the device groups to which their sight is limited; None: it is not."""

    @property
    def actor(self) -> str:
        """The user as the ledger names them."""
        return user_for(self.user.pk, self.organisation.pk)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do for the organisation."""
        kind = OrganisationKind(self.organisation.kind)
        return permissions_of(kind, self.role, limited=self.groups is not None)

    @property
    def is_maker(self) -> bool:
        """Whether this is the maker's own staff."""
        return self.organisation.kind == OrganisationKind.MAKER

    @property
    def is_customer(self) -> bool:
        """Whether devices can belong to the organisation."""
        return self.organisation.kind == OrganisationKind.CUSTOMER

    @property
    def may_add(self) -> bool:
        """Whether they may make registration tokens."""
        return self.may(Permission.CUSTOMER_TOKENS_WRITE)

    @property
    def is_wholesaler(self) -> bool:
        """Whether the organisation buys devices to sell them."""
        return self.organisation.kind == OrganisationKind.WHOLESALER

    @property
    def may_trade(self) -> bool:
        """Whether they may move what the organisation has in stock."""
        return self.may(Permission.WHOLESALER_STOCK_WRITE) or self.may(Permission.MAKER_SALES_WRITE)

    @property
    def may_revoke(self) -> bool:
        """Whether they may revoke the devices they see."""
        return self.may(Permission.CUSTOMER_DEVICES_REVOKE) or self.may(Permission.MAKER_DEVICES_REVOKE)

    @property
    def may_place(self) -> bool:
        """Whether they may say what devices are called, where they stand and what is watched of them."""
        return self.may(Permission.CUSTOMER_DEVICES_WRITE)

    @property
    def may_command(self) -> bool:
        """Whether they may send commands and change settings."""
        return self.may(Permission.CUSTOMER_COMMANDS_WRITE)

    @property
    def may_release(self) -> bool:
        """Whether they may allow to set up again what the organisation owns."""
        return self.may(Permission.CUSTOMER_SETUP_RELEASE)

    @property
    def may_attach(self) -> bool:
        """Whether they may say which gateway carries the messages of which device."""
        return self.may(Permission.CUSTOMER_GATEWAYS_WRITE)

    @property
    def may_hand_over(self) -> bool:
        """Whether they may transfer, return, swap and scrap devices."""
        return self.may(Permission.CUSTOMER_HANDOVERS_WRITE) or self.may(Permission.MAKER_HANDOVERS_WRITE)

    @property
    def may_work_on_data(self) -> bool:
        """Whether they may export and erase readings."""
        return self.may(Permission.CUSTOMER_DATA_WRITE)

    @property
    def may_make_products(self) -> bool:
        """Whether they may make products."""
        return self.may(Permission.MAKER_PRODUCTS_WRITE)

    @property
    def may_see_people(self) -> bool:
        """Whether they may see who else acts for the organisation."""
        return self.may_of("people:read")

    @property
    def may_manage_people(self) -> bool:
        """Whether they may invite people, change what each may do, and remove them."""
        return self.may_of("people:write")

    @property
    def may_group(self) -> bool:
        """Whether they may say which device stands in which group."""
        return self.may(Permission.CUSTOMER_GROUPS_WRITE)

    @property
    def may_make_keys(self) -> bool:
        """Whether they may see, make and end API keys."""
        return self.may_of("keys:write")

    @property
    def may_audit(self) -> bool:
        """Whether they may read who did what."""
        return self.may_of("audit:read")

    @property
    def may_see_webhooks(self) -> bool:
        """Whether they may see where events are told to, and what was told."""
        return self.may_of("webhooks:read")

    @property
    def may_change_webhooks(self) -> bool:
        """Whether they may say where events are told to."""
        return self.may_of("webhooks:write")

    def may_of(self, what: str) -> bool:
        """Whether they have the ``resource:action`` that every kind of organisation has."""
        return self.may(Permission.of(self.organisation.kind, what))

    def may(self, permission: Permission) -> bool:
        """Whether the role has the permission in an organisation of this kind."""
        return permission in self.permissions


def principal_of(user: User, chosen: int | None = None) -> Principal | None:
    """Return who ``user`` acts as: the chosen organisation, else the one joined first; None without any."""
    memberships = list(
        Member.objects.filter(user=user).select_related("organisation").order_by("joined_at", "pk")
    )
    if not memberships:
        return None
    current = next((row for row in memberships if row.organisation_id == chosen), memberships[0])
    names = sorted((row.organisation for row in memberships), key=lambda row: row.name.casefold())
    return Principal(user, current.organisation, Role(current.role), tuple(names), _groups(current))


def _groups(member: Member) -> frozenset[int] | None:
    return frozenset(member.grants.values_list("group", flat=True)) if member.limited else None


def members_of(principal: Principal) -> list[Member]:
    """Return the people of the principal's organisation, owners first."""
    order = {role: place for place, role in enumerate(Role)}
    rows = Member.objects.filter(organisation=principal.organisation).select_related("user")
    rows = rows.prefetch_related("grants__group")
    return sorted(rows, key=lambda row: (order[Role(row.role)], row.user.get_full_name().casefold()))


def members_with(group: DeviceGroup) -> QuerySet[Member]:
    """Return the members whose sight is limited to groups of which this is one."""
    members = Member.objects.filter(grants__group=group, limited=True).select_related("user")
    return members.order_by("user__email")


class ActsFor(Protocol):
    """A principal of the portal or a caller of the REST API."""

    @property
    def organisation(self) -> Organisation:
        """For whom they act."""


def actor_name(actor: str, somebody: ActsFor) -> str:
    """Put a ledger's actor into words; a person is named only to people of the same organisation."""
    kind, _colon, number = actor.partition("@")[0].partition(":")
    match kind:
        case "user" if number.isdecimal():
            return _colleague(int(number), somebody)
        case "key":
            return _("the program with the key %(number)s") % {"number": number}
        case "device":
            return _("the device itself")
        case "platform":
            return _("the platform, which noticed it")
        case _:
            return _("the maker's staff")


def _colleague(number: int, somebody: ActsFor) -> str:
    colleagues = Member.objects.filter(organisation=somebody.organisation, user=number)
    member = colleagues.select_related("user").first()
    return member.user.get_full_name() if member else _("somebody of another organisation")
