"""Devices change hands: transfer, return, swap, scrap."""

from typing import Any, Final

from django.http import HttpRequest
from ninja import Status

from doorstep.ownership.handovers import DataChoice, Way
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.data import DocumentOut, shown_document
from doorstep.server.api.fields import Alias, DeviceId, Line, Note, Number, Reason
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.ending import scrap_device, swap_device
from doorstep.server.custody.actions.offers import (
    Recipient,
    accept_return,
    accept_transfer,
    cancel_offer,
    decline_offer,
    offer_return,
    offer_transfer,
)
from doorstep.server.custody.changing import Handover
from doorstep.server.custody.holdings import found, offers_of
from doorstep.server.fleet.access import NotPermitted, device_for, named_device

__all__ = ["router"]

router = Router(tags=["handovers"])

_READ: Final = (Permission.MAKER_HANDOVERS_READ, Permission.CUSTOMER_HANDOVERS_READ)
_WRITE: Final = (Permission.MAKER_HANDOVERS_WRITE, Permission.CUSTOMER_HANDOVERS_WRITE)
_OWNER: Final = (Permission.CUSTOMER_HANDOVERS_WRITE,)
_MAKER: Final = (Permission.MAKER_HANDOVERS_WRITE,)


class TransferIn(Schema, extra="forbid"):
    """To whom the device is offered, and what happens to its readings."""

    email: Line
    """To whom; whoever confirmed this address may accept."""
    data: DataChoice = DataChoice.KEEP
    """What happens to the readings."""
    words: Note = ""
    """For the other side."""


class ReturnIn(Schema, extra="forbid"):
    """Why the device goes back, and what happens to its readings."""

    data: DataChoice = DataChoice.KEEP
    """What happens to the readings."""
    words: Note = ""
    """Why."""


class AcceptIn(Schema, extra="forbid"):
    """What the device is to be called."""

    alias: Alias = ""
    """What the device is to be called."""


class SwapIn(Schema, extra="forbid"):
    """Serial or id of the device that takes its place."""

    replacement: Line
    """Its serial or id."""


class ScrapIn(Schema, extra="forbid"):
    """Why, and what happens to the readings."""

    reason: Reason
    """It stays in the ledger."""
    data: DataChoice = DataChoice.KEEP
    """What happens to the readings."""


class OfferOut(Schema):
    """An offer. Times are microseconds since 1970."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Key of its product."""
    way: str
    """transfer or return."""
    state: str
    """offered, accepted, declined, cancelled or expired."""
    data: str
    """keep, hand_over, erase or export."""
    giver: str
    """Name of the organisation that offers it."""
    email: str
    """To whom it is offered; only for the giver."""
    words: str
    """What was said with it; may be empty."""
    offered_us: int
    """When it was offered."""
    due_us: int
    """When it expires."""
    closed_us: int | None
    """When it was closed; null: it is open."""


class OfferPage(Page[OfferOut]):
    """Offers, newest first."""


class SwapOut(Schema):
    """The device that is the owner's now."""

    device_id: str
    """Of the new device."""
    serial: str
    """Of the new device."""


@router.get("/handovers", response=OfferPage, operation_id="list_handovers", openapi_extra=needs(*_READ))
def list_handovers(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List offers that the caller's organisation made or took, and those to the caller's own addresses."""
    caller = caller_of(request)
    rows = offers_of(caller.organisation, caller.user)
    return page(rows, "-pk", lambda row: _shown(caller, row), cursor, limit)


@router.get(
    "/handovers/{number}", response=OfferOut, operation_id="get_handover", openapi_extra=needs(*_READ)
)
def get_handover(request: HttpRequest, number: Number) -> Any:
    """Return one offer."""
    caller = caller_of(request)
    return _shown(caller, found(offers_of(caller.organisation, caller.user), number))


@router.post(
    "/devices/{device_id}/transfer",
    response={201: OfferOut},
    operation_id="offer_transfer",
    openapi_extra=needs(*_OWNER),
)
def transfer(request: HttpRequest, device_id: DeviceId, asked: TransferIn) -> Any:
    """Offer a device to an address. It stays its owner's until whoever confirmed that address accepts."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _OWNER)
    offer = offer_transfer(device, asked.email, asked.data, caller.actor, now_us=now_us(), words=asked.words)
    return Status(201, _shown(caller, offer))


@router.post(
    "/devices/{device_id}/return",
    response={201: OfferOut},
    operation_id="offer_return",
    openapi_extra=needs(*_OWNER),
)
def return_device(request: HttpRequest, device_id: DeviceId, asked: ReturnIn) -> Any:
    """Announce that a device goes back. It stays its owner's until the maker has it."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _OWNER)
    offer = offer_return(device, asked.data, caller.actor, now_us=now_us(), words=asked.words)
    return Status(201, _shown(caller, offer))


@router.post(
    "/handovers/{number}/accept",
    response=OfferOut,
    operation_id="accept_handover",
    openapi_extra=needs(*_WRITE),
)
def accept(request: HttpRequest, number: Number, asked: AcceptIn) -> Any:
    """Accept a transfer, as a person whose address it was offered to; or a return, as the maker."""
    caller = caller_of(request)
    offer = _offer(caller, number)
    if caller.organisation.kind == OrganisationKind.MAKER:
        return _shown(caller, accept_return(offer, caller.actor, now_us=now_us()))
    return _shown(caller, accept_transfer(offer, _recipient(caller), now_us=now_us(), alias=asked.alias))


@router.post(
    "/handovers/{number}/decline",
    response=OfferOut,
    operation_id="decline_handover",
    openapi_extra=needs(*_OWNER),
)
def decline(request: HttpRequest, number: Number) -> Any:
    """Say no to a transfer, as a person whose address it was offered to."""
    caller = caller_of(request)
    return _shown(caller, decline_offer(_offer(caller, number), _recipient(caller), now_us=now_us()))


@router.post(
    "/handovers/{number}/cancel",
    response=OfferOut,
    operation_id="cancel_handover",
    openapi_extra=needs(*_OWNER),
)
def cancel(request: HttpRequest, number: Number) -> Any:
    """Take an offer back."""
    caller = caller_of(request)
    offer = found(offers_of(caller.organisation).filter(giver=caller.organisation), number)
    return _shown(caller, cancel_offer(offer, caller.actor, now_us=now_us()))


@router.post(
    "/devices/{device_id}/swap", response=SwapOut, operation_id="swap_device", openapi_extra=needs(*_MAKER)
)
def swap(request: HttpRequest, device_id: DeviceId, asked: SwapIn) -> Any:
    """Give a broken device's owner another one; the readings of the old one stay theirs."""
    caller = caller_of(request)
    broken = device_for(caller, device_id, _MAKER)
    new = swap_device(broken, named_device(asked.replacement), caller.actor, now_us=now_us())
    return {"device_id": new.device_id, "serial": new.serial}


@router.post(
    "/devices/{device_id}/scrap",
    response={201: DocumentOut},
    operation_id="scrap_device",
    openapi_extra=needs(*_WRITE),
)
def scrap(request: HttpRequest, device_id: DeviceId, asked: ScrapIn) -> Any:
    """End a device for ever, and return the certificate. The maker scraps only what nobody owns."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    if device.owner_id not in {None, caller.organisation.pk}:
        raise NotPermitted("an owned device is scrapped by its owner")
    paper = scrap_device(device, caller.actor, asked.reason, now_us=now_us(), data=asked.data)
    return Status(201, shown_document(paper))


def _offer(caller: Caller, number: int) -> Handover:
    return found(offers_of(caller.organisation, caller.user), number)


def _recipient(caller: Caller) -> Recipient:
    user = caller.user
    if user is None:
        raise NotPermitted(
            "a transfer is accepted by a person, whose address is confirmed",
            next_step="Log in to the portal.",
        )
    return Recipient(caller.organisation, user, caller.actor)


def _shown(caller: Caller, row: Handover) -> dict[str, Any]:
    return {
        "number": row.pk,
        "serial": row.device.serial,
        "product": row.device.product.key,
        "way": Way(row.way),
        "state": row.state,
        "data": row.data,
        "giver": row.giver.name,
        "email": row.email if row.giver_id == caller.organisation.pk else "",
        "words": row.words,
        "offered_us": row.offered_us,
        "due_us": row.due_us,
        "closed_us": row.closed_us,
    }
