import pytest

from doorstep.errors import MalformedMessage
from doorstep.onboarding.esptouch.ack import Ack, expected_token
from tests.onboarding.esptouch.test_v1 import HOME

ACK = Ack(expected_token(HOME), b"\x02board", bytes((192, 168, 1, 9)))


def test_acknowledgement_comes_back() -> None:
    assert ACK.octets()[0] == len(HOME.ssid) + len(HOME.passphrase) + 9
    assert Ack.decode(ACK.octets()) == ACK


@pytest.mark.parametrize("size", [0, 10, 12])
def test_sender_refuses_another_size(size: int) -> None:
    with pytest.raises(MalformedMessage):
        Ack.decode(bytes(size))
