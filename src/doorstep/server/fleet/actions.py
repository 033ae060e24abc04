"""Changes to devices that are not about who owns them."""

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from doorstep.errors import MisuseError
from doorstep.ownership.ledger import TEXT_CAP, Event, Kind
from doorstep.runtime.control import nudge
from doorstep.server.custody import ledger
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Device, Revocation

__all__ = ["revoke_device"]


def revoke_device(device: Device, by: str, reason: str, *, now_us: int) -> Revocation:
    """Block a device: from the commit on nothing of it is accepted; the broker role kicks and purges at once.

    ``by`` is the actor as the ledger names it. A device that is blocked already keeps its first revocation,
    which is returned. Raises MisuseError for an empty or overlong reason.
    """
    reason = " ".join("".join(char for char in reason if char.isprintable() or char.isspace()).split())
    if not 0 < len(reason) <= TEXT_CAP:
        raise MisuseError(f"a revocation has a reason of 1 to {TEXT_CAP} characters", next_step="Say why.")
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        known = row.revocations.order_by("-asked_us").first()
        if row.blocked and known is not None:
            return known
        row.blocked = True
        row.generation += 1
        row.save(update_fields=["blocked", "generation"])
        row.credentials.exclude(state="revoked").update(state="revoked")
        _void_tokens(row, now_us)
        revocation = Revocation.objects.create(device=row, reason=reason, asked_by=by, asked_us=now_us)
        ledger.append([(row.pk, Event(Kind.BLOCKED, row.device_id, by, {"reason": reason}))], now_us)
        transaction.on_commit(lambda: nudge(settings.DOORSTEP, settings.KEY_FILE))
    return revocation


def _void_tokens(device: Device, now_us: int) -> None:
    theirs = RegistrationToken.objects.filter(Q(used_by=device) | Q(code_device=device))
    theirs.filter(expires_at_us__gt=now_us).update(expires_at_us=now_us)
