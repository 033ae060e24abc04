import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.protocomm.console import (
    MAX_REPLY_LINE,
    MAX_REQUEST_LINE,
    ConsoleRequest,
    Lines,
    Refused,
    decode_reply,
    decode_request,
    encode_refusal,
    encode_reply,
    encode_request,
)
from doorstep.wire.provisioning.common import MAX_MESSAGE
from doorstep.wire.provisioning.config import SetConfig, encode_config
from doorstep.wire.provisioning.session import Sec1Command0, Sec1Command1, Sec2Command0, encode_session


def test_request_is_endpoint_session_and_hex() -> None:
    line = encode_request(ConsoleRequest("prov-session", 7, b"\x52\xff"))
    assert line == b"prov-session 7 52ff\n"
    assert decode_request(line[:-1]) == ConsoleRequest("prov-session", 7, b"\x52\xff")


HIGHEST = 2**32 - 1
FITS = {
    "first of security 1": ("prov-session", encode_session(Sec1Command0(b"\x01" * 32))),
    "proof of security 1": ("prov-session", encode_session(Sec1Command1(b"\x01" * 32))),
    "longest network": ("prov-config", encode_config(SetConfig(b"s" * 32, b"p" * 64, b"\x02" * 6, 233))),
}


@pytest.mark.parametrize(("endpoint", "body"), FITS.values(), ids=FITS)
def test_security_1_and_every_network_fit_into_a_line(endpoint: str, body: bytes) -> None:
    assert len(encode_request(ConsoleRequest(endpoint, HIGHEST, body))) <= MAX_REQUEST_LINE


def test_security_2_does_not_fit_into_a_line() -> None:
    body = encode_session(Sec2Command0(b"doorstep", b"\x01" * 384))
    with pytest.raises(SettingsError, match="does not fit"):
        encode_request(ConsoleRequest("prov-session", 0, body))


BAD_REQUESTS = {
    "empty": b"",
    "no body": b"prov-session 1",
    "empty body": b"prov-session 1 ",
    "half an octet": b"prov-session 1 5",
    "no hex": b"prov-session 1 zz",
    "no session": b"prov-session 52",
    "negative session": b"prov-session -1 52",
    "session of 33 bits": b"prov-session 4294967296 52",
    "padded session": b"prov-session 01 52",
    "two spaces": b"prov-session  1 52",
    "endpoint with a path": b"../x 1 52",
    "four words": b"prov-session 1 52 52",
    "octets above ASCII": b"prov-session \xb2 52",
    "longer than the buffer": b"prov-session 1 " + b"52" * 121,
}


@pytest.mark.parametrize("line", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_device_refuses_malformed_line(line: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(line)


def test_reply_of_the_longest_message_comes_back() -> None:
    body = b"\xab" * MAX_MESSAGE
    line = encode_reply(body)
    assert len(line) == MAX_REPLY_LINE
    assert decode_reply(line[:-1]) == body


def test_refusal_is_one_clean_line() -> None:
    line = encode_refusal("No.\nReally\x1b[31m " + "x" * 300)
    assert line.count(b"\n") == 1
    refused = decode_reply(line[:-1])
    assert isinstance(refused, Refused)
    assert refused.sentence.startswith("No. Really [31m xxx")
    assert len(refused.sentence) == 200
    assert decode_reply(b"! \xff\x07") == Refused("\ufffd ")


LOG = {
    "log": b"I (312) wifi: connected",
    "prompt": b"> ",
    "half an octet": b"abc",
    "too long": b"ab" * (MAX_MESSAGE + 1),
}


@pytest.mark.parametrize("line", LOG.values(), ids=LOG)
def test_configurator_takes_log_for_no_reply(line: bytes) -> None:
    assert decode_reply(line) is None


LINES = st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: not {10, 13} & set(line)), max_size=6)


@given(LINES, st.data())
def test_lines_come_out_whole_however_they_arrive(sent: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(line + data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])) for line in sent)
    lines, got = Lines(64), []
    while octets:
        cut = data.draw(st.integers(1, len(octets)))
        got.extend(lines.feed(octets[:cut]))
        octets = octets[cut:]
    assert got == sent


@pytest.mark.parametrize("pieces", [1, 7, 4000])
def test_line_longer_than_the_buffer_comes_out_too_long_and_costs_no_memory(pieces: int) -> None:
    lines, endless = Lines(MAX_REQUEST_LINE), b"5" * 4000
    for at in range(0, len(endless), pieces):
        assert lines.feed(endless[at : at + pieces]) == []
        assert len(lines._begun) <= MAX_REQUEST_LINE
    cut, good = lines.feed(b"\nprov-ctrl 1 0801\n")
    with pytest.raises(MalformedMessage):
        decode_request(cut)
    assert decode_request(good).endpoint == "prov-ctrl"


@given(st.binary(max_size=300))
def test_decoders_give_a_value_or_the_documented_error(line: bytes) -> None:
    decode_reply(line)
    try:
        request = decode_request(line)
    except MalformedMessage:
        return
    assert decode_request(encode_request(request)[:-1]) == request
