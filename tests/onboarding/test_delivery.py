import pytest

from doorstep.errors import MalformedMessage, ProtocolViolation, SettingsError
from doorstep.onboarding.delivery import answer_delivery
from doorstep.onboarding.details import details_message
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.network import EapMethod, Enterprise, Joined, NetworkCredentials, StaticAddress
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
from doorstep.wire.provisioning.details import DetailsSet, EapDetails, EapKind, FixedAddress, SetDetails

PEAP = Enterprise(EapMethod.PEAP, "lämp", b"\x30ca", "radius.example", b"p\xff")
STATIC = StaticAddress("192.0.2.7/24", "192.0.2.1", ("9.9.9.9",))
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


NETWORKS = {
    "fixed address": NetworkCredentials(b"home", b"correct horse", static=STATIC),
    "fixed address without name servers": NetworkCredentials(
        b"home", static=StaticAddress("10.1.2.3/8", "10.0.0.1")
    ),
    "password inside TLS": NetworkCredentials(b"office", enterprise=PEAP),
    "both": NetworkCredentials(b"office", enterprise=PEAP, static=STATIC),
    "certificate": NetworkCredentials(
        b"office",
        enterprise=Enterprise(
            EapMethod.TLS, "lamp", b"\x30ca", certificate=b"\x30own", private_key=b"\x30key"
        ),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_device_adds_the_details_to_the_network_it_was_given(name: str) -> None:
    network, joining = NETWORKS[name], Joining()
    joining.stage(NetworkCredentials(network.ssid, network.passphrase))
    message = details_message(network)
    assert message is not None
    reply, onboarded = answer_delivery(message, "dev1", joining)
    assert (decode_delivery(reply), onboarded) == (DetailsSet(), ())
    assert joining.apply() == network


def test_details_end_with_the_next_network() -> None:
    joining = Joining()
    joining.stage(NetworkCredentials(b"office"))
    answer_delivery(encode_delivery(SetDetails(FixedAddress(b"\n\0\0\2", 8, b"\n\0\0\1"))), "dev1", joining)
    joining.stage(NetworkCredentials(b"home", b"correct horse"))
    assert joining.apply() == NetworkCredentials(b"home", b"correct horse")


IMPOSSIBLE = {
    "gateway elsewhere": SetDetails(FixedAddress(b"\n\0\0\2", 24, b"\x0b\0\0\1")),
    "no authority": SetDetails(eap=EapDetails(EapKind.PEAP, "lamp", "", b"", b"password")),
    "no password": SetDetails(eap=EapDetails(EapKind.TTLS, "lamp", "", b"\x30ca")),
    "beside a password of the network": SetDetails(eap=EapDetails(EapKind.PEAP, "lamp", "", b"\x30ca", b"p")),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_device_refuses_details_that_cannot_be_and_keeps_the_network(name: str) -> None:
    joining = Joining()
    joining.stage(NetworkCredentials(b"home", b"correct horse"))
    reply, _ = answer_delivery(encode_delivery(IMPOSSIBLE[name]), "dev1", joining)
    assert decode_delivery(reply) == DetailsSet(Status.INVALID_ARGUMENT)
    assert joining.apply() == NetworkCredentials(b"home", b"correct horse")


@pytest.mark.parametrize("joining", [Joining(), connected()], ids=["nothing set", "connected"])
def test_device_refuses_details_at_the_wrong_moment(joining: Joining) -> None:
    message = details_message(NETWORKS["both"])
    assert message is not None
    reply, _ = answer_delivery(message, "dev1", joining)
    assert decode_delivery(reply) == DetailsSet(Status.INTERNAL_ERROR)


def test_network_without_details_needs_no_message() -> None:
    assert details_message(NetworkCredentials(b"home", b"correct horse")) is None


def test_details_above_what_a_device_takes_are_refused_before_they_are_sent() -> None:
    der = b"\x30" * 1900
    large = Enterprise(EapMethod.TLS, "lamp", der, certificate=der, private_key=der)
    with pytest.raises(SettingsError, match="certificates"):
        details_message(NetworkCredentials(b"office", enterprise=large))
