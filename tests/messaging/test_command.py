import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.messaging.command import (
    MAX_BODY,
    MAX_DETAIL,
    MAX_EXPIRY_S,
    Acknowledgement,
    Command,
    Outcome,
)
from doorstep.messaging.envelope import MAX_PLAINTEXT

ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"


@given(st.binary(min_size=8, max_size=8), st.integers(0, MAX_EXPIRY_S), st.binary(max_size=100))
def test_device_reads_the_command_that_the_platform_wrote(name: bytes, expires_s: int, body: bytes) -> None:
    command = Command(name, expires_s, body)
    assert Command.decode(command.encode()) == command


def test_command_stands_on_the_wire_as_the_page_says() -> None:
    assert Command(ID, 0x65000000, b"body").encode() == ID + b"\x65\x00\x00\x00body"
    assert Acknowledgement(ID, Outcome.REFUSED, b"no").encode() == ID + b"\x02no"


def test_largest_command_fits_a_message() -> None:
    assert len(Command(ID, 0, bytes(MAX_BODY)).encode()) == MAX_PLAINTEXT


@pytest.mark.parametrize("plaintext", [b"", ID, ID + b"\0\0\0"])
def test_device_refuses_a_command_cut_short(plaintext: bytes) -> None:
    with pytest.raises(MalformedMessage, match="at least 12"):
        Command.decode(plaintext)


@pytest.mark.parametrize(
    "command",
    [
        Command(ID[:7], 0, b""),
        Command(ID, -1, b""),
        Command(ID, MAX_EXPIRY_S + 1, b""),
        Command(ID, 0, bytes(MAX_BODY + 1)),
    ],
)
def test_platform_refuses_to_write_what_no_device_reads(command: Command) -> None:
    with pytest.raises(MisuseError):
        command.encode()


@pytest.mark.parametrize(("expires_s", "expired"), [(0, False), (100, True), (101, True), (102, False)])
def test_command_expires_at_its_second(expires_s: int, *, expired: bool) -> None:
    assert Command(ID, expires_s, b"").expired(101.0) is expired


@given(st.sampled_from(Outcome), st.binary(max_size=MAX_DETAIL))
def test_platform_reads_the_answer_that_the_device_wrote(outcome: Outcome, detail: bytes) -> None:
    answer = Acknowledgement(ID, outcome, detail)
    assert Acknowledgement.decode(answer.encode()) == answer


def test_device_cuts_a_detail_that_is_too_long() -> None:
    answer = Acknowledgement(ID, Outcome.DONE, bytes(MAX_DETAIL + 1))
    assert Acknowledgement.decode(answer.encode()).detail == bytes(MAX_DETAIL)


def test_device_refuses_to_answer_without_an_id() -> None:
    with pytest.raises(MisuseError):
        Acknowledgement(ID[:3], Outcome.DONE).encode()


@pytest.mark.parametrize(
    "plaintext", [b"", ID, ID + b"\x04", ID + b"\xff", ID + b"\0" + bytes(MAX_DETAIL + 1), b"{}"]
)
def test_platform_refuses_what_is_no_answer(plaintext: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Acknowledgement.decode(plaintext)
