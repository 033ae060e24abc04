"""The device's answers to delivery messages, whichever method carries them."""

from doorstep.errors import IllegalTransition, ProtocolViolation, SettingsError
from doorstep.onboarding.details import enterprise_of, static_of
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
from doorstep.wire.provisioning.details import DetailsSet, SetDetails

__all__ = ["answer_delivery"]


def answer_delivery(plain: bytes, device_id: str, joining: Joining) -> tuple[bytes, tuple[Onboarded, ...]]:
    """Answer an order, a network's details, or the question how far; and return what is to be stored now.

    Raises `MalformedMessage` and `ProtocolViolation`.
    """
    match decode_delivery(plain):
        case Deliver() as message:
            return _take_order(message, device_id, joining)
        case StageQuery():
            return encode_delivery(StageReport(joining.stage_report())), ()
        case SetDetails() as message:
            return encode_delivery(DetailsSet(_take_details(message, joining))), ()
        case _:
            raise ProtocolViolation("the configurator sent a delivery reply")


def _take_order(message: Deliver, device_id: str, joining: Joining) -> tuple[bytes, tuple[Onboarded, ...]]:
    try:
        order = RegistrationOrder(message.token, message.server, message.alias)
    except SettingsError:
        return encode_delivery(Delivered("", Status.INVALID_ARGUMENT)), ()
    onboarded = joining.bring(order)
    return encode_delivery(Delivered(device_id)), () if onboarded is None else (onboarded,)


def _take_details(message: SetDetails, joining: Joining) -> Status:
    try:
        joining.detail(enterprise_of(message), static_of(message))
    except SettingsError:
        return Status.INVALID_ARGUMENT
    except IllegalTransition:
        return Status.INTERNAL_ERROR
    return Status.SUCCESS
