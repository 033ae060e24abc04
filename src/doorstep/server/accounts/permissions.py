"""Who may do what: one enum of permissions, one table of roles, one caller."""

import enum
from dataclasses import dataclass
from typing import Final

from doorstep.server.accounts.models import Organisation, OrganisationKind, Role

__all__ = ["Caller", "Permission", "permissions_of"]


class Permission(enum.StrEnum):
    """``scope:resource:action``; the scope is the kind of organisation that it means something to."""

    MAKER_PRODUCTS_READ = "maker:products:read"
    MAKER_PRODUCTS_WRITE = "maker:products:write"
    MAKER_SALES_READ = "maker:sales:read"
    MAKER_SALES_WRITE = "maker:sales:write"
    MAKER_DEVICES_READ = "maker:devices:read"
    """Identity, life and custody of every device; never a customer's readings."""
    MAKER_DEVICES_REVOKE = "maker:devices:revoke"
    MAKER_LEDGER_READ = "maker:ledger:read"
    MAKER_DEAD_LETTERS_READ = "maker:dead-letters:read"
    WHOLESALER_DEVICES_READ = "wholesaler:devices:read"
    """Devices that it bought and that nobody owns yet."""
    CUSTOMER_DEVICES_READ = "customer:devices:read"
    CUSTOMER_DEVICES_REVOKE = "customer:devices:revoke"
    CUSTOMER_READINGS_READ = "customer:readings:read"
    CUSTOMER_COMMANDS_READ = "customer:commands:read"
    """Commands, wanted settings, reported state and events."""
    CUSTOMER_COMMANDS_WRITE = "customer:commands:write"
    CUSTOMER_LEDGER_READ = "customer:ledger:read"
    CUSTOMER_TOKENS_WRITE = "customer:tokens:write"
    """Registration tokens, and what else a set-up needs: challenges, attestations, public keys."""
    CUSTOMER_SETUP_RELEASE = "customer:setup:release"
    CUSTOMER_GATEWAYS_WRITE = "customer:gateways:write"
    """Which gateway may carry the messages of which device."""

    @property
    def scope(self) -> OrganisationKind:
        """The kind of organisation whose members and keys can have it."""
        return OrganisationKind(self.value.partition(":")[0])

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.value.endswith(":read")


_OPERATOR: Final = frozenset(
    {Permission.CUSTOMER_TOKENS_WRITE, Permission.CUSTOMER_COMMANDS_WRITE, Permission.MAKER_SALES_WRITE}
)
"""What operators may write; viewers write nothing, admins and owners everything."""


def permissions_of(kind: OrganisationKind, role: Role) -> frozenset[Permission]:
    """Return what a member with this role may do for an organisation of this kind."""
    of_kind = {permission for permission in Permission if permission.scope is kind}
    if role in {Role.OWNER, Role.ADMIN}:
        return frozenset(of_kind)
    written = _OPERATOR if role is Role.OPERATOR else frozenset[Permission]()
    return frozenset(one for one in of_kind if one.reads or one in written)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who acts for one organisation, by session or by API key."""

    organisation: Organisation
    permissions: frozenset[Permission]
    actor: str
    """As `doorstep.ownership.actors` names them."""
    key: int | None = None
    """Primary key of the API key, when there is one."""
    user: int | None = None
    """Primary key of the user, when there is one."""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has the permission and it means something to their organisation."""
        return permission in self.permissions and permission.scope == self.organisation.kind
