import pytest

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.delivery import answer_delivery
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.network import Joined, NetworkCredentials
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.delivery import (
    Deliver,
    Delivered,
    DeviceStage,
    StageQuery,
    StageReport,
    decode_delivery,
    encode_delivery,
)

ORDER = encode_delivery(Deliver(b"token", "https://maker.example", "lamp"))


def connected() -> Joining:
    joining = Joining()
    joining.stage(NetworkCredentials(b"home"))
    joining.apply()
    joining.finish(Joined("10.0.0.2"))
    return joining


def test_device_takes_an_order_before_it_is_connected() -> None:
    joining = Joining()
    reply, onboarded = answer_delivery(ORDER, "dev1", joining)
    assert decode_delivery(reply) == Delivered("dev1")
    assert onboarded == ()
    assert joining.order is not None


def test_device_hands_an_order_on_that_comes_once_it_is_connected() -> None:
    _, (onboarded,) = answer_delivery(ORDER, "dev1", connected())
    assert onboarded.order is not None
    assert onboarded.order.token == b"token"


def test_device_refuses_an_order_without_a_server() -> None:
    reply, _ = answer_delivery(encode_delivery(Deliver(b"token", "maker")), "dev1", Joining())
    assert decode_delivery(reply) == Delivered("", Status.INVALID_ARGUMENT)


def test_device_says_how_far_it_got() -> None:
    reply, _ = answer_delivery(encode_delivery(StageQuery()), "dev1", connected())
    assert decode_delivery(reply) == StageReport(DeviceStage.CONNECTED)


def test_device_takes_no_reply_and_no_rubbish() -> None:
    with pytest.raises(ProtocolViolation):
        answer_delivery(encode_delivery(Delivered("dev1")), "dev1", Joining())
    with pytest.raises(MalformedMessage):
        answer_delivery(b"\xff", "dev1", Joining())
