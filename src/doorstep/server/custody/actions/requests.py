"""Somebody asks for a device by its serial, and adds what they know of its order."""

from typing import Final

from doorstep.errors import RefusedError
from doorstep.identity.ids import check_serial
from doorstep.ownership.evidence import Evidence
from doorstep.server.custody.actions.attempts import TooManyAttempts, admit, keep_attempt
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.models import ClaimRequest, SaleLine
from doorstep.server.custody.turns import transaction_in_turn

__all__ = ["OPENED_AN_HOUR", "OrderRefused", "give_order", "keep_request", "open_request"]

OPENED_AN_HOUR: Final = 100
"""Requests that an organisation opens by serial."""

_HOUR_US: Final = 3600 * 1_000_000
_ALIAS_CAP: Final = 80
_ORDER_CAP: Final = 80


class OrderRefused(RefusedError):
    """An order's number does not fit a request."""

    def __init__(self) -> None:
        super().__init__(
            "this order number doesn't belong to a device with this serial",
            next_step="Compare both with the invoice and the label.",
        )


def open_request(claimant: Claimant, serial: str, now_us: int) -> ClaimRequest:
    """Keep that an organisation wants to claim a device; the same request again changes nothing.

    Nothing here looks whether there is such a device, so that nobody learns serials from it. Raises
    MalformedId for what is no serial, and TooManyAttempts.
    """
    serial = check_serial(serial.strip())
    opened = ClaimRequest.objects.filter(organisation=claimant.organisation, opened_us__gt=now_us - _HOUR_US)
    if opened.count() >= OPENED_AN_HOUR:
        raise TooManyAttempts
    return keep_request(claimant, serial, now_us)


def keep_request(claimant: Claimant, serial: str, now_us: int) -> ClaimRequest:
    """Store a request, or return the one that is there, with the name that was given last."""
    name = "".join(char for char in claimant.alias if char.isprintable()).strip()[:_ALIAS_CAP]
    row, _ = ClaimRequest.objects.get_or_create(
        organisation=claimant.organisation,
        serial=serial,
        defaults={"user": claimant.user, "alias": name, "opened_us": now_us},
    )
    if name and row.alias != name:
        row.alias = name
        row.save(update_fields=["alias"])
    return row


def give_order(request: ClaimRequest, claimant: Claimant, order: str, now_us: int) -> None:
    """Take the number of the order with which the device was sold; raise OrderRefused, TooManyAttempts."""
    order = order.replace("\0", "").strip()[:_ORDER_CAP]
    admit(request.organisation, now_us)
    with transaction_in_turn():
        line = SaleLine.objects.filter(device__serial=request.serial, sale__order=order).first()
        device = locked_device(pk=line.device_id) if line else None
        typed = f"{request.serial} {order}"
        keep_attempt(claimant, "order_ref", typed, device=device, refused=device is None, now_us=now_us)
        if device is not None:
            bring(device, claimant, Evidence.ORDER_REF, now_us=now_us, detail=f"order {order}")
    if device is None:
        raise OrderRefused
