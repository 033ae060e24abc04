import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import SettingsError
from doorstep.onboarding.network import NetworkCredentials


@given(st.binary(max_size=32), st.just(b"") | st.binary(min_size=8, max_size=63))
def test_every_octet_is_allowed_in_name_and_password(ssid: bytes, passphrase: bytes) -> None:
    network = NetworkCredentials(ssid, passphrase)
    assert (network.ssid, network.passphrase) == (ssid, passphrase)


def test_password_may_be_64_hexadecimal_digits() -> None:
    NetworkCredentials(b"home", b"0123456789abcdefABCDEF" + b"0" * 42, b"\x02" * 6, 11)


BAD = {
    "name of 33 bytes": (b"n" * 33, b""),
    "password of 7 bytes": (b"home", b"p" * 7),
    "password of 64 other bytes": (b"home", b"g" * 64),
    "password of 65 bytes": (b"home", b"0" * 65),
    "password of 64 digits and a line end": (b"home", b"0" * 64 + b"\n"),
}


@pytest.mark.parametrize(("ssid", "passphrase"), BAD.values(), ids=BAD)
def test_network_refuses_impossible_values(ssid: bytes, passphrase: bytes) -> None:
    with pytest.raises(SettingsError):
        NetworkCredentials(ssid, passphrase)


@pytest.mark.parametrize(("bssid", "channel"), [(b"\x02" * 5, 0), (b"", -1), (b"", 234)])
def test_network_refuses_impossible_hints(bssid: bytes, channel: int) -> None:
    with pytest.raises(SettingsError):
        NetworkCredentials(b"home", b"", bssid, channel)


def test_network_keeps_password_out_of_repr_and_error() -> None:
    assert "correct" not in repr(NetworkCredentials(b"home", b"correct horse"))
    with pytest.raises(SettingsError) as caught:
        NetworkCredentials(b"home", b"s3cret")
    assert "s3cret" not in caught.value.message + caught.value.next_step
