from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import SettingsError
from doorstep.onboarding.network import (
    MAX_DER,
    EapMethod,
    Enterprise,
    NetworkCredentials,
    StaticAddress,
)


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


CA = b"0authority"
PASSWORD = b"s3cret"


def test_network_takes_enterprise_credentials_and_a_fixed_address() -> None:
    peap = Enterprise(EapMethod.PEAP, "device@example.org", CA, "radius.example.org", PASSWORD)
    tls = Enterprise(EapMethod.TLS, "device", CA, certificate=b"0own", private_key=b"0key")
    static = StaticAddress("192.168.1.20/24", "192.168.1.1", ("192.168.1.1", "9.9.9.9"))
    for enterprise in (peap, tls):
        network = NetworkCredentials(b"office", enterprise=enterprise, static=static)
        assert "s3cret" not in repr(network)
        assert "0key" not in repr(network)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Enterprise(EapMethod.PEAP, "i", CA), id="no password"),
        pytest.param(lambda: Enterprise(EapMethod.TTLS, "i", CA, "", PASSWORD, b"c", b"k"), id="both"),
        pytest.param(lambda: Enterprise(EapMethod.PEAP, "i", CA, "", PASSWORD, b"c"), id="half of both"),
        pytest.param(lambda: Enterprise(EapMethod.TLS, "i", CA, certificate=b"c"), id="no key"),
        pytest.param(lambda: Enterprise(EapMethod.TLS, "i", CA, private_key=b"k"), id="no certificate"),
        pytest.param(
            lambda: Enterprise(EapMethod.TLS, "i", CA, "", PASSWORD, b"c", b"k"), id="TLS and password"
        ),
        pytest.param(lambda: Enterprise(EapMethod.PEAP, "i", b"", password=PASSWORD), id="no authority"),
        pytest.param(lambda: Enterprise(EapMethod.PEAP, "", CA, password=PASSWORD), id="no identity"),
        pytest.param(
            lambda: Enterprise(EapMethod.PEAP, "i" * 129, CA, password=PASSWORD), id="long identity"
        ),
        pytest.param(lambda: Enterprise(EapMethod.PEAP, "i\n", CA, password=PASSWORD), id="line end"),
        pytest.param(
            lambda: Enterprise(EapMethod.PEAP, "i", bytes(MAX_DER + 1), password=PASSWORD),
            id="long authority",
        ),
        pytest.param(lambda: StaticAddress("192.168.1.20", "192.168.1.1"), id="no prefix"),
        pytest.param(lambda: StaticAddress("192.168.1.20/24", "10.0.0.1"), id="gateway elsewhere"),
        pytest.param(lambda: StaticAddress("192.168.1.20/24", "192.168.1.20"), id="own gateway"),
        pytest.param(lambda: StaticAddress("home", "192.168.1.1"), id="no address"),
        pytest.param(lambda: StaticAddress("10.0.0.2/8", "10.0.0.1", ("dns",)), id="no name server"),
        pytest.param(
            lambda: StaticAddress("10.0.0.2/8", "10.0.0.1", ("9.9.9.9",) * 4), id="many name servers"
        ),
        pytest.param(
            lambda: NetworkCredentials(
                b"o", b"password", enterprise=Enterprise(EapMethod.PEAP, "i", CA, password=PASSWORD)
            ),
            id="password beside enterprise",
        ),
    ],
)
def test_network_refuses_extension_that_cannot_work(make: Callable[[], object]) -> None:
    with pytest.raises(SettingsError) as caught:
        make()
    assert "s3cret" not in caught.value.message + caught.value.next_step


@pytest.mark.parametrize(
    "network",
    [
        NetworkCredentials(b"o", enterprise=Enterprise(EapMethod.PEAP, "i", CA, password=PASSWORD)),
        NetworkCredentials(b"o", static=StaticAddress("10.0.0.2/8", "10.0.0.1")),
    ],
)
def test_method_without_words_for_details_refuses_them(network: NetworkCredentials) -> None:
    NetworkCredentials(b"o").check_plain("BluFi")
    with pytest.raises(SettingsError, match="BluFi can carry no"):
        network.check_plain("BluFi")
