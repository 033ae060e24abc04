"""The end of an account: what it alone holds is handed on first, or there is nothing to hand on."""

from django.db import transaction
from django.db.models import ProtectedError

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User
from doorstep.server.audit.notes import keep

__all__ = ["StillNeeded", "delete_account", "reasons_to_stay"]

_CLOSED = "Closed account"


class StillNeeded(RefusedError):
    """An account can't be deleted, because something would be left without an owner."""


def reasons_to_stay(user: User) -> list[str]:
    """Return what has to happen before an account can be deleted, a sentence each; none is best."""
    return [reason for one in _alone(user) if (reason := _reason(one, user))]


def delete_account(user: User) -> None:
    """Delete a user and the organisations that were theirs alone; raise StillNeeded.

    The ledger and the audit trail keep the user's number, which then names nobody. Claims that an
    organisation brought stay, and the organisation with them, without its name.
    """
    with transaction.atomic():
        alone = _alone(user)
        # Who makes or removes owners locks these rows too.
        list(Organisation.objects.select_for_update().filter(pk__in=[one.pk for one in alone]))
        reasons = reasons_to_stay(user)
        if reasons:
            raise StillNeeded("the account can't be deleted yet", next_step=" ".join(reasons))
        user.delete()
        for organisation in alone:
            _close(organisation)


def _alone(user: User) -> list[Organisation]:
    """Return the organisations of which the user is the only owner."""
    owned = Member.objects.filter(user=user, role=Role.OWNER).select_related("organisation")
    others = Member.objects.filter(role=Role.OWNER).exclude(user=user)
    return [one.organisation for one in owned if not others.filter(organisation=one.organisation_id).exists()]


def _reason(organisation: Organisation, user: User) -> str:
    if organisation.kind != OrganisationKind.CUSTOMER:
        return f"{organisation} needs an owner: make somebody else one."
    if Member.objects.filter(organisation=organisation).exclude(user=user).exists():
        return f"Make somebody else an owner of {organisation}, or remove its other people."
    count = organisation.devices.count()
    if count:
        what = "its device" if count == 1 else f"its {count} devices"
        return f"Hand over or give up {what} first, or make somebody else an owner of {organisation}."
    return ""


def _close(organisation: Organisation) -> None:
    try:
        with transaction.atomic():
            organisation.delete()
    except ProtectedError:
        organisation.api_keys.all().delete()
        organisation.invitations.all().delete()
        keep(organisation)
        Organisation.objects.filter(pk=organisation.pk).update(name=_CLOSED, email="")
