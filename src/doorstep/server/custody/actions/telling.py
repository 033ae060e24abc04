"""Mail to the people who answer for an organisation."""

from typing import Final

from doorstep.server.accounts.models import Member, Organisation, Role
from doorstep.server.jobs.actions import send_mail_later

__all__ = ["tell_managers"]

_MANAGERS: Final = (Role.OWNER, Role.ADMIN)


def tell_managers(organisation: Organisation, subject: str, text: str) -> None:
    """Queue a mail to each owner and admin, in the caller's transaction."""
    members = Member.objects.filter(organisation=organisation, role__in=_MANAGERS)
    for address in members.values_list("user__email", flat=True):
        send_mail_later(address, subject, text)
