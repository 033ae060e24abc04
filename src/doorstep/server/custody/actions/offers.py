"""An owner offers a device, and the other side accepts: a transfer to an owner, a return to the maker."""

from dataclasses import dataclass, replace
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower

from doorstep.errors import MisuseError
from doorstep.ownership.handovers import (
    LASTS_US,
    DataChoice,
    HandoverRefused,
    HandoverState,
    HandoverStep,
    Way,
    advance,
    check_offer,
)
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step
from doorstep.ownership.life import advance as advance_life
from doorstep.server.accounts.models import Organisation, OrganisationKind, User
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.leaving import Leaving, Taking, end_period, locked, offered, take_over
from doorstep.server.custody.actions.telling import tell_managers
from doorstep.server.custody.changing import Handover
from doorstep.server.custody.models import SaleLine
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import send_mail_later

__all__ = [
    "Recipient",
    "accept_return",
    "accept_transfer",
    "cancel_offer",
    "decline_offer",
    "expire_offers",
    "offer_return",
    "offer_transfer",
]

_WORDS_CAP: Final = 200
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who accepts a transfer, and for whom."""

    organisation: Organisation
    user: User
    actor: str


def offer_transfer(  # noqa: PLR0913 - an offer has this many facts
    device: Device, email: str, data: DataChoice, by: str, *, now_us: int, words: str = ""
) -> Handover:
    """Offer a device to whoever has this confirmed address; they are told by mail.

    Nothing says whether anybody has it. Raises HandoverRefused, or MisuseError for no address.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise MisuseError("a transfer is offered to an e-mail address") from error
    offer = _offer(device, Way.TRANSFER, data, by, now_us=now_us, words=words, email=email)
    link = f"{settings.DOORSTEP.base_url}/handovers/{offer.pk}/"
    send_mail_later(
        email,
        f"{offer.giver} offers you a device",
        f"{offer.giver} wants to hand a {device.product} (serial {device.serial}) over to you.\n\n"
        f"Log in, or make an account with this address, and accept it here:\n{link}\n\n"
        "If you do nothing, the offer ends by itself after 14 days.\n",
    )
    return offer


def offer_return(device: Device, data: DataChoice, by: str, *, now_us: int, words: str = "") -> Handover:
    """Announce that a device goes back to its maker, who accepts when they have it; raise HandoverRefused."""
    return _offer(device, Way.RETURN, data, by, now_us=now_us, words=words)


def accept_transfer(offer: Handover, recipient: Recipient, *, now_us: int, alias: str = "") -> Handover:
    """Make the device the recipient's, with everything that ends for its former owner.

    Raises HandoverRefused for whoever did not confirm the address that it was offered to, for the owner
    themselves, and for a device that can't leave; IllegalTransition for an offer that is closed.
    """
    with transaction_in_turn():
        row, offer = _begin_step(offer, HandoverStep.ACCEPT, now_us)
        _check_recipient(offer, recipient)
        taking = Taking(recipient.organisation, recipient.actor, "transfer", alias)
        left = Event(
            Kind.TRANSFERRED, row.device_id, recipient.actor, {"organisation": recipient.organisation.pk}
        )
        end_period(row, Leaving(Way.TRANSFER, DataChoice(offer.data), recipient.actor), now_us)
        row.life = advance_life(Life(row.life), Step.TRANSFER)
        events = [(row.pk, left), *take_over(row, taking, now_us)]
        offer.taker = recipient.organisation
        _close(offer, HandoverStep.ACCEPT, recipient.actor, now_us)
        ledger.append(events, now_us)
        tell_managers(
            offer.giver,
            f"{row.serial} has a new owner",
            f"{recipient.organisation} accepted the device with serial {row.serial}. Your certificates, "
            f"tokens and connections for it have ended. Its readings: {_FATE[DataChoice(offer.data)]}\n",
        )
    return offer


def accept_return(offer: Handover, by: str, *, now_us: int) -> Handover:
    """Note that the maker has the device in hand: it has no owner any more; raise as `accept_transfer`."""
    with transaction_in_turn():
        row, offer = _begin_step(offer, HandoverStep.ACCEPT, now_us)
        end_period(row, Leaving(Way.RETURN, DataChoice(offer.data), by), now_us)
        row.life = advance_life(Life(row.life), Step.RETURN)
        row.owner = None
        row.save()
        # Whoever bought it once has given it back: the sale is no evidence any more.
        SaleLine.objects.filter(device=row).delete()
        offer.taker = Organisation.objects.get(kind=OrganisationKind.MAKER)
        _close(offer, HandoverStep.ACCEPT, by, now_us)
        reason = {"reason": "its owner returned it"}
        ledger.append([(row.pk, Event(Kind.RETURNED, row.device_id, by, reason))], now_us)
        tell_managers(
            offer.giver,
            f"{row.serial} has come back to its maker",
            f"The device with serial {row.serial} is not yours any more. Its readings until now: "
            f"{_FATE[DataChoice(offer.data)]}\n",
        )
    return offer


def cancel_offer(offer: Handover, by: str, *, now_us: int) -> Handover:
    """Take an offer back; raise IllegalTransition for one that is closed."""
    return _end(offer, HandoverStep.CANCEL, by, "Its owner took the offer back.", now_us)


def decline_offer(offer: Handover, recipient: Recipient, *, now_us: int) -> Handover:
    """Say no to a transfer; raise HandoverRefused for whoever it was not offered to, or IllegalTransition."""
    _check_address(offer, recipient)
    return _end(offer, HandoverStep.DECLINE, recipient.actor, "The other side did not want it.", now_us)


def expire_offers(now_us: int) -> int:
    """End the offers that nobody answered in time; return how many."""
    due = Handover.objects.filter(state=HandoverState.OFFERED, due_us__lte=now_us).order_by("pk")[:_AT_ONCE]
    for offer in due:
        _end(offer, HandoverStep.EXPIRE, "platform", "Nobody answered in time.", now_us)
    return len(due)


_FATE: Final = {
    DataChoice.KEEP: "you keep them, under Past devices.",
    DataChoice.HAND_OVER: "they went to the new owner.",
    DataChoice.ERASE: "they are being erased; you get a receipt under Past devices.",
    DataChoice.EXPORT: "you get them as a file under Past devices, and then they are erased.",
}


def _offer(  # noqa: PLR0913 - as above
    device: Device, way: Way, data: DataChoice, by: str, *, now_us: int, words: str, email: str = ""
) -> Handover:
    if len(words) > _WORDS_CAP or not words.isprintable():
        raise MisuseError(f"a note has at most {_WORDS_CAP} characters in one line")
    with transaction_in_turn():
        row = locked(device)
        check_offer(offered(row), way, data)
        assert row.owner is not None  # it is owned
        offer = Handover.objects.create(
            device=row,
            way=way,
            state=HandoverState.OFFERED,
            data=data,
            giver=row.owner,
            email=email,
            words=words,
            by=by,
            offered_us=now_us,
            due_us=now_us + LASTS_US[way],
        )
        ledger.append([(row.pk, Event(Kind.TRANSFER_OFFERED, row.device_id, by, {}))], now_us)
    return offer


def _begin_step(offer: Handover, step: HandoverStep, now_us: int) -> tuple[Device, Handover]:
    """Lock an offer's device and the offer, and check that both may take the step."""
    row = locked(offer.device)
    fresh = Handover.objects.select_for_update(of=("self",)).select_related("giver").get(pk=offer.pk)
    advance(HandoverState(fresh.state), step)
    if now_us >= fresh.due_us or row.owner_id != fresh.giver_id:
        raise HandoverRefused("this offer has run out", next_step="Ask the owner to offer it again.")
    check_offer(replace(offered(row), offered=False), Way(fresh.way), DataChoice(fresh.data))
    return row, fresh


def _check_recipient(offer: Handover, recipient: Recipient) -> None:
    _check_address(offer, recipient)
    if recipient.organisation.kind != OrganisationKind.CUSTOMER:
        raise HandoverRefused("devices belong to customers", next_step="Act for a customer's account.")
    if recipient.organisation.pk == offer.giver_id:
        raise HandoverRefused("this device is yours already", next_step="Act for the account that takes it.")


def _check_address(offer: Handover, recipient: Recipient) -> None:
    theirs = EmailAddress.objects.filter(user=recipient.user, verified=True).annotate(low=Lower("email"))
    if offer.way != Way.TRANSFER or not theirs.filter(low=offer.email).exists():
        raise HandoverRefused(
            "this offer is for another address",
            next_step="Confirm that address in your account, then open it.",
        )


def _close(offer: Handover, step: HandoverStep, by: str, now_us: int) -> None:
    offer.state = advance(HandoverState(offer.state), step)
    offer.closed_us, offer.closed_by = now_us, by
    offer.save()


def _end(offer: Handover, step: HandoverStep, by: str, reason: str, now_us: int) -> Handover:
    with transaction_in_turn():
        row = locked(offer.device)
        fresh = Handover.objects.select_for_update(of=("self",)).select_related("giver").get(pk=offer.pk)
        _close(fresh, step, by, now_us)
        event = Event(Kind.TRANSFER_ENDED, row.device_id, by, {"reason": reason})
        ledger.append([(row.pk, event)], now_us)
        if step is not HandoverStep.CANCEL:
            tell_managers(fresh.giver, f"{row.serial} stays yours", f"{reason} The device stays yours.\n")
    return fresh
