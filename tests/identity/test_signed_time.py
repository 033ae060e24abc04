import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, CertificateRefused, Issuer
from doorstep.errors import MalformedMessage, PeerError
from doorstep.identity import platform_word
from doorstep.identity.certificates import make_factory_ca, make_operations_ca, make_root
from doorstep.identity.signed_time import TIME_CONTEXT, SignedTime, StaleTime, verify
from doorstep.wire import cbor

MADE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = int((MADE + timedelta(days=30)).timestamp())
NONCE = bytes(range(32))
_KEY = p256.generate(os.urandom)
ROOT = Issuer(make_root("Maker", _KEY, now=MADE, serial=1), _KEY)


def issuer(role: str, root: Issuer = ROOT) -> Issuer:
    key = p256.generate(os.urandom)
    make = make_operations_ca if role == "operations" else make_factory_ca
    return Issuer(make("Maker", key.public_key, root, now=MADE, serial=2), key)


OPERATIONS = issuer("operations")


def taken(
    data: bytes, *, nonce: bytes = NONCE, at_least: int = 0, roots: tuple[Certificate, ...] = ()
) -> int:
    return verify(data, roots or (ROOT.certificate,), nonce, at_least=at_least)


def test_board_takes_the_time_that_answers_its_nonce() -> None:
    assert taken(SignedTime(NONCE, NOW).sign(OPERATIONS)) == NOW


def test_board_takes_the_time_under_any_root_that_it_trusts() -> None:
    key = p256.generate(os.urandom)
    other = Issuer(make_root("Other", key, now=MADE, serial=1), key)
    both = (other.certificate, ROOT.certificate)
    assert taken(SignedTime(NONCE, NOW).sign(OPERATIONS), roots=both) == NOW
    assert taken(SignedTime(NONCE, NOW).sign(issuer("operations", other)), roots=both) == NOW
    with pytest.raises(CertificateRefused):
        taken(SignedTime(NONCE, NOW).sign(issuer("operations", other)))


def test_board_refuses_a_replayed_time() -> None:
    with pytest.raises(StaleTime):
        taken(SignedTime(NONCE, NOW).sign(OPERATIONS), nonce=bytes(32))


def test_board_refuses_a_time_that_is_past_for_it() -> None:
    assert taken(SignedTime(NONCE, NOW).sign(OPERATIONS), at_least=NOW) == NOW
    with pytest.raises(StaleTime):
        taken(SignedTime(NONCE, NOW).sign(OPERATIONS), at_least=NOW + 1)


def test_board_refuses_a_time_by_the_factory() -> None:
    with pytest.raises(platform_word.WrongSigner):
        taken(SignedTime(NONCE, NOW).sign(issuer("factory")))


def test_board_refuses_a_time_at_which_the_signer_was_not_valid() -> None:
    for wrong in (int(MADE.timestamp()) - 10 * 86_400, NOW + 4000 * 86_400):
        with pytest.raises(CertificateRefused):
            taken(SignedTime(NONCE, wrong).sign(OPERATIONS))


def test_nobody_signs_without_a_root_to_trust() -> None:
    word = platform_word.read(SignedTime(NONCE, NOW).sign(OPERATIONS), max_bytes=1024)
    with pytest.raises(CertificateRefused):
        platform_word.verify(word, (), TIME_CONTEXT, issued=NOW)


BAD: dict[str, dict[str, cbor.Value]] = {
    "no nonce": {"time": NOW},
    "short nonce": {"nonce": bytes(15), "time": NOW},
    "long nonce": {"nonce": bytes(65), "time": NOW},
    "negative": {"nonce": NONCE, "time": -1},
    "beyond 9999": {"nonce": NONCE, "time": 253_402_300_800},
    "text": {"nonce": NONCE, "time": "now"},
    "something more": {"nonce": NONCE, "time": NOW, "more": 1},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_board_refuses_what_is_no_time(fields: dict[str, cbor.Value]) -> None:
    with pytest.raises(MalformedMessage):
        taken(platform_word.sign(fields, TIME_CONTEXT, OPERATIONS))


@given(st.binary(max_size=200))
def test_board_refuses_noise_with_the_documented_errors(noise: bytes) -> None:
    with pytest.raises(PeerError):
        taken(noise)
