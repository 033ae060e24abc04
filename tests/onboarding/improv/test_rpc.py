import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.onboarding.improv.rpc import Command, Result, Rpc, checked, put_strings, read_strings, unchecked

STRINGS = st.lists(st.binary(max_size=60), max_size=4).map(tuple)


@given(STRINGS)
def test_result_comes_back(strings: tuple[bytes, ...]) -> None:
    result = Result(Command.SCAN, strings)
    assert Result.decode(unchecked(checked(result.octets()))) == result


def test_command_has_the_bytes_of_the_specification() -> None:
    body = put_strings((b"MyWirelessAP", b"mysecurepassword"))
    assert checked(Rpc(Command.SETTINGS, body).octets()) == (
        b"\x01\x1e\x0cMyWirelessAP\x10mysecurepassword" + bytes((0xC0,))
    )


BAD_RPC = {"nothing": b"", "a head cut": b"\1", "longer": b"\1\0x", "shorter": b"\1\2x"}


@pytest.mark.parametrize("octets", BAD_RPC.values(), ids=BAD_RPC)
def test_reader_refuses_a_command(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Rpc.decode(octets)


@pytest.mark.parametrize("body", [b"\1", b"\5home", b"\0\3ab"])
def test_reader_refuses_cut_strings(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_strings(body)


def test_writer_refuses_strings_that_do_not_fit() -> None:
    assert len(put_strings((b"x" * 254,))) == 255
    with pytest.raises(MalformedMessage):
        put_strings((b"x" * 255,))


@pytest.mark.parametrize("octets", [b"", b"\1", b"\1\0\2"])
def test_reader_refuses_a_sum(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        unchecked(octets)
