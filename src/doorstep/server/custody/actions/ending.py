"""A device is swapped for another one, or scrapped."""

from doorstep.errors import MisuseError
from doorstep.ownership.documents import Paper
from doorstep.ownership.handovers import DataChoice, HandoverRefused, check_leaving
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance, can
from doorstep.ownership.standing import Standing
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.leaving import Leaving, Taking, end_period, locked, offered, take_over
from doorstep.server.custody.actions.telling import tell_managers
from doorstep.server.custody.changing import SignedDocument
from doorstep.server.custody.documents import issue
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.actions import block_row, nudge_later, plain_reason
from doorstep.server.fleet.models import Device

__all__ = ["scrap_device", "swap_device"]


def swap_device(broken: Device, replacement: Device, by: str, *, now_us: int) -> Device:
    """Give a broken device's owner another one, with its name; the readings of the old one stay theirs.

    Raises HandoverRefused when the one can't leave its owner or the other is not free, MisuseError for one
    device in both places.
    """
    if broken.pk == replacement.pk:
        raise MisuseError("a device can't take its own place", next_step="Give the serial of the new one.")
    with transaction_in_turn():
        rows = {row.pk: row for row in map(locked, sorted((broken, replacement), key=lambda one: one.pk))}
        old, new = rows[broken.pk], rows[replacement.pk]
        check_leaving(offered(old))
        _check_free(new)
        owner, alias = old.owner, old.alias
        assert owner is not None  # it is owned
        end_period(old, Leaving("swap", DataChoice.KEEP, by, new), now_us)
        old.life, old.owner = advance(Life(old.life), Step.SWAP), None
        old.save()
        events = [
            (old.pk, Event(Kind.SWAPPED, old.device_id, by, {"replacement": new.device_id})),
            (new.pk, Event(Kind.REPLACES, new.device_id, by, {"replaced": old.device_id})),
            *take_over(new, Taking(owner, by, "swap", alias, Step.REPLACE), now_us),
        ]
        ledger.append(events, now_us)
        tell_managers(
            owner,
            f"{old.serial} was swapped for {new.serial}",
            f"The device with serial {new.serial} is yours now, in place of {old.serial}. Set it up as on "
            "the first day. The readings of the old one stay yours, under Past devices.\n",
        )
    return new


def scrap_device(
    device: Device, by: str, reason: str, *, now_us: int, data: DataChoice = DataChoice.KEEP
) -> SignedDocument:
    """End a device for ever: nothing of it is accepted, and nobody has it again. Returns the certificate.

    Raises HandoverRefused for one that can't leave its owner, IllegalTransition for one that is scrapped,
    MisuseError for an empty reason.
    """
    reason = plain_reason(reason)
    with transaction_in_turn():
        row = locked(device)
        after = advance(Life(row.life), Step.SCRAP)
        owner = row.owner
        if owner is not None:
            if data is DataChoice.HAND_OVER:
                raise HandoverRefused("nobody comes after a scrapped device's owner")
            check_leaving(offered(row))
            end_period(row, Leaving("scrap", data, by), now_us)
        row.life, row.owner = after, None
        row.save()
        events = [] if row.standing == Standing.BLOCKED else block_row(row, by, reason, now_us=now_us)[1]
        events.append((row.pk, Event(Kind.SCRAPPED, row.device_id, by, {"reason": reason})))
        head = ledger.append(events, now_us)
        nudge_later()
        holder = owner or Organisation.objects.get(kind=OrganisationKind.MAKER)
        return issue(Paper.SCRAPPING, row, holder, {"reason": reason, "ledger": head.number}, now_us)


def _check_free(row: Device) -> None:
    if row.owner_id is not None or not can(Life(row.life), Step.REPLACE):
        raise HandoverRefused(
            f"device {row.serial} is {row.life}, and can't take another one's place",
            next_step="Take one that was made and that nobody owns.",
        )
    if row.blocked:
        raise HandoverRefused(f"device {row.serial} is blocked", next_step="Take another one.")
