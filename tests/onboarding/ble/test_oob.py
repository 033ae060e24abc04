import pytest
from bumble.crypto.cryptography import EccKey
from bumble.smp import OobContext
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.bluetooth import confirm_key
from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.ble.oob import OobData, OobSecret
from tests.onboarding.helpers import counted_rng

SECRET = OobSecret.generate(counted_rng(b"oob"))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def test_commitment_agrees_with_another_stack() -> None:
    theirs = OobContext(EccKey.from_private_key_bytes(SECRET.scalar), SECRET.random[::-1]).share()
    assert (SECRET.share().confirm[::-1], SECRET.share().random[::-1]) == (theirs.c, theirs.r)


def test_commitment_follows_key_and_random() -> None:
    assert len(confirm_key(SECRET.scalar, SECRET.random)) == 16
    assert confirm_key(SECRET.scalar, bytes(16)) != confirm_key(SECRET.scalar, SECRET.random)


@given(st.binary(min_size=32, max_size=32))
def test_text_returns_the_data(octets: bytes) -> None:
    data = OobData(octets[:16], octets[16:])
    text = data.text()
    assert OobData.parse(f" {text[:26].lower()}\n{text[26:]} ") == data


BAD_TEXTS = {
    "short": SECRET.share().text()[:-1],
    "long": SECRET.share().text() + "A",
    "foreign letter": "1" + SECRET.share().text()[1:],
    "bits at the end": "A" * 51 + "B",
    "letter of another alphabet": "Ä" + SECRET.share().text()[1:],
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        OobData.parse(text)


def test_secrets_stay_out_of_sight() -> None:
    assert SECRET.scalar.hex() not in repr(SECRET)
    assert repr(SECRET.share()) == "OobData()"
    with pytest.raises(MalformedMessage):
        OobData(bytes(15), bytes(16))


@pytest.mark.parametrize(
    ("scalar", "random"),
    [
        (bytes(32), bytes(16)),
        (ORDER.to_bytes(32), bytes(16)),
        (b"\x01" * 31, bytes(16)),
        (b"\x01" * 32, bytes(15)),
    ],
)
def test_impossible_secret_is_refused(scalar: bytes, random: bytes) -> None:
    with pytest.raises(SettingsError):
        OobSecret(scalar, random)


def test_generator_draws_again_where_a_number_is_no_key() -> None:
    drawn = iter([bytes(32), b"\xff" * 32, b"\x07" * 32, b"\x08" * 16])
    assert OobSecret.generate(lambda _size: next(drawn)) == OobSecret(b"\x07" * 32, b"\x08" * 16)


def test_secret_follows_from_the_factory_key() -> None:
    one, other = p256.generate(counted_rng(b"one")), p256.generate(counted_rng(b"other"))
    assert OobSecret.of(one) == OobSecret.of(one)
    assert OobSecret.of(one) != OobSecret.of(other)
