"""Words of the cores and of the database, which know no languages, in the reader's."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorstep.server.accounts.models import Role

__all__ = ["role_word"]

_ROLES: Final = {
    Role.OWNER: gettext_noop("Owner"),
    Role.ADMIN: gettext_noop("Admin"),
    Role.OPERATOR: gettext_noop("Operator"),
    Role.VIEWER: gettext_noop("Viewer"),
}

_OTHERS: Final = (
    # Ways, states and ends of hand-overs, and what is done with readings
    gettext_noop("transfer"), gettext_noop("return"), gettext_noop("swap"), gettext_noop("scrap"),
    gettext_noop("offered"), gettext_noop("accepted"), gettext_noop("declined"), gettext_noop("cancelled"),
    gettext_noop("expired"), gettext_noop("export"), gettext_noop("erase"),
    gettext_noop("erasure"), gettext_noop("scrapping"),
    # Who took a step in a case
    gettext_noop("owner"), gettext_noop("claimant"), gettext_noop("staff"),
)  # fmt: skip
"""Templates translate these by their value; here they stand for those who gather what is to be translated."""


def role_word(role: str) -> str:
    """Return what a role is called."""
    return _(_ROLES[Role(role)])
