"""What a member gets: a role, and every device or those of some groups."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import DeviceGroup, Member, Organisation, OrganisationKind, Role

__all__ = ["Grant", "grant_of", "read_grant"]

_CAN_BE_LIMITED: Final = (Role.OPERATOR, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role says what somebody may do, the groups with which devices."""

    role: Role
    groups: frozenset[int] | None = None
    """Primary keys of the groups they see; None: everything."""

    @property
    def limited(self) -> bool:
        """Whether they see only groups."""
        return self.groups is not None


def read_grant(organisation: Organisation, role: str, groups: Collection[int] | None) -> Grant:
    """Check a grant for a member of this organisation; raise MisuseError for one that can't be."""
    try:
        wanted = Role(role)
    except ValueError:
        raise MisuseError(
            f"{role[:20]!a} is no role", next_step=f"Use one of: {', '.join(Role.values)}."
        ) from None
    if groups is None:
        return Grant(wanted)
    if wanted not in _CAN_BE_LIMITED or organisation.kind != OrganisationKind.CUSTOMER:
        raise MisuseError(
            "only operators and viewers of a customer can be limited to groups",
            next_step="Choose one of these roles, or let them see all devices.",
        )
    known = set(
        DeviceGroup.objects.filter(organisation=organisation, pk__in=groups).values_list("pk", flat=True)
    )
    if known != set(groups) or not known:
        raise MisuseError(
            "there is no such group here" if groups else "who is limited to groups needs one at least",
            next_step="Choose from the organisation's groups.",
        )
    return Grant(wanted, frozenset(known))


def grant_of(member: Member) -> Grant:
    """Return what a member has now."""
    groups = frozenset(member.grants.values_list("group", flat=True)) if member.limited else None
    return Grant(Role(member.role), groups)
