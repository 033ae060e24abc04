"""DHCP messages: round trips, and what is refused."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.dhcp import (
    HEAD_SIZE,
    MAX_DHCP,
    DhcpKind,
    DhcpMessage,
    DhcpOption,
    decode_dhcp,
    encode_dhcp,
)

ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)
CODES = st.integers(1, 254).filter(lambda code: code != DhcpOption.KIND)
MESSAGES = st.builds(
    DhcpMessage,
    kind=st.sampled_from(DhcpKind),
    transaction=st.integers(0, 2**32 - 1),
    hardware=st.binary(min_size=6, max_size=6),
    is_reply=st.booleans(),
    wants_broadcast=st.booleans(),
    client=ADDRESSES,
    your=ADDRESSES,
    options=st.dictionaries(CODES, st.binary(max_size=40), max_size=6),
)
DISCOVER = DhcpMessage(DhcpKind.DISCOVER, 7, b"\x02" * 6)


@given(MESSAGES)
def test_message_survives_the_wire(message: DhcpMessage) -> None:
    assert decode_dhcp(encode_dhcp(message)) == message


@given(st.binary(max_size=400))
def test_reader_takes_any_octets_or_refuses_them_as_malformed(options: bytes) -> None:
    for data in (options, encode_dhcp(DISCOVER)[: HEAD_SIZE + 4] + options):
        try:
            decode_dhcp(data)
        except MalformedMessage:
            continue


def altered(at: int, value: bytes) -> bytes:
    data = encode_dhcp(DISCOVER)
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode_dhcp(DISCOVER)[:200], id="short"),
        pytest.param(encode_dhcp(DISCOVER).ljust(MAX_DHCP + 1, b"\0"), id="long"),
        pytest.param(altered(HEAD_SIZE, b"cook"), id="no cookie"),
        pytest.param(altered(0, b"\3"), id="neither request nor reply"),
        pytest.param(altered(2, b"\x08"), id="no MAC address"),
        pytest.param(altered(24, b"\x0a"), id="through a relay"),
        pytest.param(altered(HEAD_SIZE + 4, b"\xff"), id="no kind"),
        pytest.param(altered(HEAD_SIZE + 6, b"\x09"), id="a kind that is none"),
        pytest.param(encode_dhcp(DISCOVER)[: HEAD_SIZE + 4] + b"\x35\x05\x01", id="an option cut off"),
        pytest.param(encode_dhcp(DISCOVER)[: HEAD_SIZE + 4] + b"\x35", id="an option without a size"),
    ],
)
def test_reader_refuses_malformed_message(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_dhcp(data)


def test_reader_takes_option_in_parts() -> None:
    parts = b"\x35\x01\x01" + b"\0" + b"\x32\x02\x0a\x00" + b"\x32\x02\x00\x05"
    message = decode_dhcp(encode_dhcp(DISCOVER)[: HEAD_SIZE + 4] + parts)
    assert message.address(DhcpOption.REQUESTED_ADDRESS) == IPv4Address("10.0.0.5")
    assert message.address(DhcpOption.SERVER) is None
