import base64
import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.p256 import generate
from doorstep.errors import MalformedMessage
from doorstep.onboarding.dpp.uri import MAX_CHANNELS, MAX_INFO, MAX_URI, BootstrapUri, MalformedUri
from tests.onboarding.helpers import counted_rng

KEY = generate(counted_rng(b"label")).public_key
K = base64.b64encode(bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + KEY.compressed)
TEXT = f"DPP:C:81/1,115/36;M:5254005828e5;I:kettle 7;V:2;K:{K.decode()};;"
LABEL = BootstrapUri(KEY, bytes.fromhex("5254005828e5"), "kettle 7", ((81, 1), (115, 36)))
NOTE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";"), max_size=MAX_INFO
)

labels = st.builds(
    BootstrapUri,
    st.just(KEY),
    st.one_of(st.just(b""), st.binary(min_size=6, max_size=6)),
    NOTE,
    st.lists(st.tuples(st.integers(1, 255), st.integers(1, 255)), max_size=10).map(tuple),
    st.integers(1, 9),
)


def test_label_has_the_text_of_the_specification() -> None:
    assert LABEL.encode() == TEXT
    assert BootstrapUri.decode(TEXT) == LABEL


@given(labels)
def test_label_survives_its_text(label: BootstrapUri) -> None:
    assert BootstrapUri.decode(label.encode()) == label


@given(st.one_of(st.text(max_size=200), st.text(max_size=200).map(lambda text: f"DPP:{text};;")))
def test_reader_answers_any_text_with_a_label_or_a_documented_error(text: str) -> None:
    with suppress(MalformedMessage):
        assert BootstrapUri.decode(text).encode()


def test_reader_takes_what_other_makers_write() -> None:
    label = BootstrapUri.decode(f"DPP:K:{K.decode()};M:0200DEADBEEF;B:3F;Z:later;;")
    assert (label.mac, label.version, label.channels) == (bytes.fromhex("0200deadbeef"), 1, ())
    assert BootstrapUri.decode(f"DPP:C:81/1,6,11;K:{K.decode()};;").channels == ((81, 1), (81, 6), (81, 11))


def test_label_calls_its_key_by_hash() -> None:
    der = base64.b64decode(K)
    assert LABEL.key_hash == hashlib.sha256(der).digest()
    assert LABEL.chirp_hash == hashlib.sha256(b"chirp" + der).digest()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begin with DPP:"),
        (TEXT[:-1], "end with ;;"),
        (TEXT.replace("DPP:", "dpp:"), "begin with DPP:"),
        ("DPP:" + "I:" + "x" * MAX_URI + ";;", "longer than 512"),
        ("DPP:V:2;;", "no key"),
        (TEXT.replace("V:2;", "V:2;V:2;"), "repeated"),
        (TEXT.replace("V:2;", ";"), "broken"),
        (TEXT.replace("kettle", "kéttle"), "broken"),
        ("DPP:" + "".join(f"{chr(65 + number)}:;" for number in range(17)) + ";", "too many"),
        (TEXT.replace("5254005828e5", "5254005828"), "12 hexadecimal digits"),
        (TEXT.replace("81/1", "81-1"), "channels is broken"),
        (TEXT.replace("81/1,115/36", "1"), "cannot exist"),
        (TEXT.replace("81/1,115/36", "81/256"), "cannot exist"),
        (TEXT.replace("81/1", ",".join(["81/1"] * MAX_CHANNELS)), "more than 30"),
        (TEXT.replace("V:2", "V:0"), "one digit"),
        (TEXT.replace("V:2", "V:x"), "one digit"),
        (TEXT.replace("kettle", "x" * MAX_INFO), "longer than 128"),
        (TEXT.replace("K:MD", "K:M!"), "not base64"),
        (TEXT.replace("K:MDkw", "K:MDkx"), "compressed P-256"),
        (TEXT.replace(K.decode(), base64.b64encode(KEY.spki).decode()), "compressed P-256"),
        (TEXT.replace(K.decode(), base64.b64encode(base64.b64decode(K)[:-1]).decode()), "not a public key"),
    ],
)
def test_reader_refuses(text: str, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        BootstrapUri.decode(text)


def test_label_refuses_an_address_of_another_size() -> None:
    with pytest.raises(MalformedUri, match="6 bytes"):
        BootstrapUri(KEY, b"12345")
