"""Who may do what: one enum of permissions, one table of roles, one caller."""

import enum
from dataclasses import dataclass
from typing import Final, Self

from doorstep.server.accounts.models import Organisation, OrganisationKind, Role, User

__all__ = ["Caller", "Permission", "permissions_of", "scopes_of", "within"]


class Permission(enum.StrEnum):
    """``scope:resource:action``; the scope is the kind of organisation that it means something to."""

    MAKER_PRODUCTS_READ = "maker:products:read"
    MAKER_PRODUCTS_WRITE = "maker:products:write"
    MAKER_SALES_READ = "maker:sales:read"
    MAKER_SALES_WRITE = "maker:sales:write"
    MAKER_DEVICES_READ = "maker:devices:read"
    """Identity, life and custody of every device; never a customer's readings."""
    MAKER_DEVICES_REVOKE = "maker:devices:revoke"
    MAKER_CLAIMS_READ = "maker:claims:read"
    """Claims that wait for the staff, and what was brought for them."""
    MAKER_CLAIMS_VOUCH = "maker:claims:vouch"
    """The staff's word for a claimant, as evidence."""
    MAKER_LEDGER_READ = "maker:ledger:read"
    MAKER_DEAD_LETTERS_READ = "maker:dead-letters:read"
    MAKER_HEALTH_READ = "maker:health:read"
    """How the platform's own parts are."""
    MAKER_CASES_READ = "maker:cases:read"
    """Disputes with what both sides brought."""
    MAKER_CASES_WRITE = "maker:cases:write"
    """Decide disputes. No key has it: it takes the eyes of people."""
    MAKER_HANDOVERS_READ = "maker:handovers:read"
    MAKER_HANDOVERS_WRITE = "maker:handovers:write"
    """Take devices back, swap and scrap them."""
    MAKER_PEOPLE_READ = "maker:people:read"
    MAKER_PEOPLE_WRITE = "maker:people:write"
    """Invitations, roles, and what limited members see."""
    MAKER_KEYS_WRITE = "maker:keys:write"
    """API keys: see, make and end them. No key has it."""
    MAKER_WEBHOOKS_READ = "maker:webhooks:read"
    MAKER_WEBHOOKS_WRITE = "maker:webhooks:write"
    """Where events are told to; whoever has it can hear of everything that the organisation is told."""
    MAKER_AUDIT_READ = "maker:audit:read"
    """Who did what, from where."""
    WHOLESALER_DEVICES_READ = "wholesaler:devices:read"
    """Devices that it bought and that nobody owns yet."""
    WHOLESALER_STOCK_READ = "wholesaler:stock:read"
    """What came, what is on its way, and what it sold."""
    WHOLESALER_STOCK_WRITE = "wholesaler:stock:write"
    """Receive, dispatch, sell, send back, take back."""
    WHOLESALER_PEOPLE_READ = "wholesaler:people:read"
    WHOLESALER_PEOPLE_WRITE = "wholesaler:people:write"
    WHOLESALER_KEYS_WRITE = "wholesaler:keys:write"
    WHOLESALER_WEBHOOKS_READ = "wholesaler:webhooks:read"
    WHOLESALER_WEBHOOKS_WRITE = "wholesaler:webhooks:write"
    WHOLESALER_AUDIT_READ = "wholesaler:audit:read"
    CUSTOMER_DEVICES_READ = "customer:devices:read"
    CUSTOMER_DEVICES_WRITE = "customer:devices:write"
    """Their names, sites and thresholds."""
    CUSTOMER_DEVICES_REVOKE = "customer:devices:revoke"
    CUSTOMER_READINGS_READ = "customer:readings:read"
    CUSTOMER_COMMANDS_READ = "customer:commands:read"
    """Commands, wanted settings, reported state and events."""
    CUSTOMER_COMMANDS_WRITE = "customer:commands:write"
    CUSTOMER_LEDGER_READ = "customer:ledger:read"
    CUSTOMER_TOKENS_WRITE = "customer:tokens:write"
    """Registration tokens, and what else a set-up needs: challenges, attestations, public keys."""
    CUSTOMER_CLAIMS_READ = "customer:claims:read"
    """How the organisation's own claims stand; who may make registration tokens may claim."""
    CUSTOMER_SETUP_RELEASE = "customer:setup:release"
    CUSTOMER_GATEWAYS_WRITE = "customer:gateways:write"
    """Which gateway may carry the messages of which device."""
    CUSTOMER_CASES_READ = "customer:cases:read"
    CUSTOMER_CASES_WRITE = "customer:cases:write"
    """Speak and act in disputes."""
    CUSTOMER_HANDOVERS_READ = "customer:handovers:read"
    """Offers, devices of the past, receipts."""
    CUSTOMER_HANDOVERS_WRITE = "customer:handovers:write"
    """Transfer, return and scrap devices, and accept those that others offer."""
    CUSTOMER_DATA_WRITE = "customer:data:write"
    """Export and erase readings."""
    CUSTOMER_GROUPS_WRITE = "customer:groups:write"
    """Device groups, and which device stands in which."""
    CUSTOMER_PEOPLE_READ = "customer:people:read"
    CUSTOMER_PEOPLE_WRITE = "customer:people:write"
    CUSTOMER_KEYS_WRITE = "customer:keys:write"
    CUSTOMER_WEBHOOKS_READ = "customer:webhooks:read"
    CUSTOMER_WEBHOOKS_WRITE = "customer:webhooks:write"
    CUSTOMER_AUDIT_READ = "customer:audit:read"
    """Who did what, from where, and when the maker's staff looked at its devices."""

    @property
    def scope(self) -> OrganisationKind:
        """The kind of organisation whose members and keys can have it."""
        return OrganisationKind(self.value.partition(":")[0])

    @classmethod
    def of(cls, kind: str, what: str) -> Self:
        """Return one that every kind of organisation has, as it is called for this kind."""
        return cls(f"{kind}:{what}")

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.value.endswith(":read")


_OPERATOR: Final = frozenset(
    {
        Permission.CUSTOMER_TOKENS_WRITE,
        Permission.CUSTOMER_DEVICES_WRITE,
        Permission.CUSTOMER_COMMANDS_WRITE,
        Permission.MAKER_SALES_WRITE,
        Permission.WHOLESALER_STOCK_WRITE,
    }
)
"""What operators may write; viewers write nothing, admins and owners everything."""

_MANAGERS_ONLY: Final = frozenset(
    {Permission.MAKER_AUDIT_READ, Permission.WHOLESALER_AUDIT_READ, Permission.CUSTOMER_AUDIT_READ}
)
"""What only admins and owners may read: it tells what colleagues did, and from which address."""

_WHOLE: Final = frozenset(
    {
        Permission.CUSTOMER_TOKENS_WRITE,
        Permission.CUSTOMER_CLAIMS_READ,
        Permission.CUSTOMER_PEOPLE_READ,
        Permission.CUSTOMER_PEOPLE_WRITE,
        Permission.CUSTOMER_GROUPS_WRITE,
        Permission.CUSTOMER_AUDIT_READ,
        Permission.CUSTOMER_WEBHOOKS_READ,
        Permission.CUSTOMER_WEBHOOKS_WRITE,
        Permission.CUSTOMER_CASES_READ,
        Permission.CUSTOMER_CASES_WRITE,
        Permission.CUSTOMER_HANDOVERS_READ,
        Permission.CUSTOMER_HANDOVERS_WRITE,
        Permission.CUSTOMER_DATA_WRITE,
    }
)
"""What concerns the whole organisation, and so nobody who is limited to groups: a device that is added
stands in no group yet, one that left stands in none any more, and a webhook hears of every device."""

_PEOPLE_ONLY: Final = frozenset(
    {
        Permission.MAKER_KEYS_WRITE,
        Permission.WHOLESALER_KEYS_WRITE,
        Permission.CUSTOMER_KEYS_WRITE,
        Permission.MAKER_CASES_WRITE,
        Permission.CUSTOMER_CASES_WRITE,
    }
)
"""What no API key can have: a stolen key must not make others that outlive it, and cases are for people."""


def permissions_of(kind: OrganisationKind, role: Role, *, limited: bool = False) -> frozenset[Permission]:
    """Return what a member with this role may do for an organisation of this kind.

    ``limited``: they see only the devices of groups granted to them.
    """
    granted = frozenset(one for one in Permission if one.scope is kind and _has(role, one))
    return within(granted, limited=limited)


def within(permissions: frozenset[Permission], *, limited: bool) -> frozenset[Permission]:
    """Leave out what concerns the whole organisation, for who is limited to groups."""
    return permissions - _WHOLE if limited else permissions


def scopes_of(kind: OrganisationKind) -> list[Permission]:
    """Return what an API key of an organisation of this kind can be given, in order."""
    return [one for one in Permission if one.scope is kind and one not in _PEOPLE_ONLY]


def _has(role: Role, permission: Permission) -> bool:
    match role:
        case Role.OWNER | Role.ADMIN:
            return True
        case Role.OPERATOR:
            return permission in _OPERATOR or (permission.reads and permission not in _MANAGERS_ONLY)
        case Role.VIEWER:
            return permission.reads and permission not in _MANAGERS_ONLY


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who acts for one organisation, by session or by API key."""

    organisation: Organisation
    permissions: frozenset[Permission]
    actor: str
    """As `doorstep.ownership.actors` names them."""
    key: int | None = None
    """Primary key of the API key, when there is one."""
    user: User | None = None
    """Who it is, when it is a person."""
    role: Role | None = None
    """The user's, when there is one: nobody but owners makes owners, and no key makes admins."""
    groups: frozenset[int] | None = None
    """Primary keys of the device groups to which their sight is limited; None: it is not."""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has the permission and it means something to their organisation."""
        return permission in self.permissions and permission.scope == self.organisation.kind
