"""The device's answers to delivery messages, whichever method carries them."""

from doorstep.errors import ProtocolViolation, SettingsError
from doorstep.onboarding.joining import Joining, Onboarded
from doorstep.onboarding.order import RegistrationOrder
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.delivery import (
    Deliver,
    Delivered,
    StageQuery,
    StageReport,
    decode_delivery,
    encode_delivery,
)

__all__ = ["answer_delivery"]


def answer_delivery(plain: bytes, device_id: str, joining: Joining) -> tuple[bytes, tuple[Onboarded, ...]]:
    """Take an order, or say how far the device got; return the reply and what is to be stored now.

    Raises `MalformedMessage` and `ProtocolViolation`.
    """
    match decode_delivery(plain):
        case Deliver() as message:
            return _take_order(message, device_id, joining)
        case StageQuery():
            return encode_delivery(StageReport(joining.stage_report())), ()
        case _:
            raise ProtocolViolation("the configurator sent a delivery reply")


def _take_order(message: Deliver, device_id: str, joining: Joining) -> tuple[bytes, tuple[Onboarded, ...]]:
    try:
        order = RegistrationOrder(message.token, message.server, message.alias)
    except SettingsError:
        return encode_delivery(Delivered("", Status.INVALID_ARGUMENT)), ()
    onboarded = joining.bring(order)
    return encode_delivery(Delivered(device_id)), () if onboarded is None else (onboarded,)
