from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.onboarding.captive.dns import MAX_QUERY, answer

BOARD = IPv4Address("192.168.4.1")
HEADER = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"


def query(name: str, kind: int = 1, header: bytes = HEADER, klass: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return header + labels + b"\0" + kind.to_bytes(2) + klass.to_bytes(2)


@pytest.mark.parametrize(
    "name", ["captive.apple.com", "a", "", "CONNECTIVITYCHECK.gstatic.com", "x." * 60 + "y"]
)
def test_server_answers_every_name_with_the_board(name: str) -> None:
    asked = query(name)
    reply = answer(asked, BOARD)
    assert reply is not None
    assert reply[:2] == b"\xab\xcd"
    assert reply[2:4] == b"\x85\x00"  # a response, authoritative, recursion wanted as asked
    assert reply[4:12] == b"\0\1\0\1\0\0\0\0"
    assert reply[12 : len(asked)] == asked[12:]
    assert reply[len(asked) :] == b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\x04" + BOARD.packed


@pytest.mark.parametrize("kind", [28, 65, 12, 255], ids=["AAAA", "HTTPS", "PTR", "ANY"])
def test_server_has_no_records_of_other_types(kind: int) -> None:
    reply = answer(query("captive.apple.com", kind), BOARD)
    assert reply is not None
    assert reply[3] & 0x0F == 0
    assert reply[6:8] == b"\0\0"


@pytest.mark.parametrize("name", ["use-application-dns.net", "MASK.icloud.com", "mask-h2.icloud.com"])
def test_server_denies_names_that_lead_around_it(name: str) -> None:
    reply = answer(query(name), BOARD)
    assert reply is not None
    assert reply[3] & 0x0F == 3
    assert reply[6:8] == b"\0\0"


def test_server_ignores_what_follows_the_question() -> None:
    opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    reply = answer(query("a.example", header=HEADER[:10] + b"\0\1") + opt, BOARD)
    assert reply is not None
    assert reply[10:12] == b"\0\0"
    assert opt not in reply


UNANSWERED = {
    "nothing": b"",
    "header alone": HEADER,
    "too long": query("a") + bytes(MAX_QUERY),
    "a response": query("a", header=b"\xab\xcd\x81\x00" + HEADER[4:]),
    "an update": query("a", header=b"\xab\xcd\x28\x00" + HEADER[4:]),
    "no question": query("a", header=HEADER[:4] + bytes(8)),
    "two questions": query("a", header=HEADER[:4] + b"\0\2" + HEADER[6:]),
    "a pointer": HEADER + b"\xc0\x0c\0\1\0\1",
    "an endless name": HEADER + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1",
    "a name cut off": HEADER + b"\x05abc",
    "no type": HEADER + b"\x01a\0",
    "another class": query("a", klass=3),
}


@pytest.mark.parametrize("datagram", UNANSWERED.values(), ids=UNANSWERED)
def test_server_leaves_odd_datagrams_unanswered(datagram: bytes) -> None:
    assert answer(datagram, BOARD) is None


@given(st.binary(max_size=600))
def test_server_survives_any_datagram_and_never_answers_itself(datagram: bytes) -> None:
    reply = answer(datagram, BOARD)
    if reply is not None:
        assert len(reply) <= len(datagram) + 16
        assert answer(reply, BOARD) is None
