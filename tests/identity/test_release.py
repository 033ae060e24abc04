import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage, PeerError, VerificationFailed
from doorstep.identity import cose_sign1
from doorstep.identity.certificates import (
    issue_server,
    make_factory_ca,
    make_operations_ca,
    make_root,
)
from doorstep.identity.release import RELEASE_CONTEXT, Release, StaleRelease, WrongRelease, verify
from doorstep.wire import cbor

MADE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = int((MADE + timedelta(days=30)).timestamp())
DEVICE = "binsypko"
GOOD = Release(DEVICE, NOW - 60, NOW + 3600)


def _issuer(role: str, *, name: str = "Maker") -> Issuer:
    key = p256.generate(os.urandom)
    make = make_operations_ca if role == "operations" else make_factory_ca
    return Issuer(make(name, key.public_key, ROOT, now=MADE, serial=2), key)


_ROOT_KEY = p256.generate(os.urandom)
ROOT = Issuer(make_root("Maker", _ROOT_KEY, now=MADE, serial=1), _ROOT_KEY)
OPERATIONS = _issuer("operations")
FACTORY = _issuer("factory")
_SERVER_KEY = p256.generate(os.urandom)
SERVER = Issuer(
    issue_server(OPERATIONS, _SERVER_KEY.public_key, ["maker.example"], now=MADE, serial=3), _SERVER_KEY
)


def taken(
    data: bytes, *, claimed_at: int = NOW - 100, at_least: int = NOW, root: Certificate | None = None
) -> Release:
    return verify(data, root or ROOT.certificate, DEVICE, claimed_at=claimed_at, at_least=at_least)


def packed(payload: cbor.Value, header: dict[int, cbor.Value] | None = None) -> bytes:
    chain: dict[int, cbor.Value] = {33: OPERATIONS.certificate.der}
    return cose_sign1.sign(
        cbor.encode(payload), RELEASE_CONTEXT, OPERATIONS.key.sign, chain if header is None else header
    )


FIELDS: dict[str, cbor.Value] = {"device": DEVICE, "issued": NOW - 60, "expires": NOW + 3600}


def test_device_takes_its_owners_release() -> None:
    assert taken(GOOD.sign(OPERATIONS)) == GOOD
    assert taken(packed(FIELDS)) == GOOD


REFUSED = {
    "for another device": (Release("aaaaaaaa", NOW - 60, NOW + 60).sign(OPERATIONS), WrongRelease),
    "by the factory": (GOOD.sign(FACTORY), WrongRelease),
    "by a server": (GOOD.sign(SERVER), VerificationFailed),
    "by another key": (GOOD.sign(Issuer(OPERATIONS.certificate, _SERVER_KEY)), VerificationFailed),
    "older than the claim": (Release(DEVICE, NOW - 101, NOW + 60).sign(OPERATIONS), StaleRelease),
    "expired": (Release(DEVICE, NOW - 60, NOW).sign(OPERATIONS), StaleRelease),
    "before its signer": (Release(DEVICE, 1, NOW + 60).sign(OPERATIONS), VerificationFailed),
    "without a certificate": (packed(FIELDS, {}), MalformedMessage),
    "with another header": (packed(FIELDS, {33: OPERATIONS.certificate.der, 4: b"kid"}), MalformedMessage),
    "with a text for a certificate": (packed(FIELDS, {33: "x"}), MalformedMessage),
    "with nonsense for a certificate": (packed(FIELDS, {33: b"x"}), MalformedMessage),
    "with another field": (packed(FIELDS | {"more": 1}), MalformedMessage),
    "with a text for a time": (packed(FIELDS | {"issued": "now"}), MalformedMessage),
    "that ends before it begins": (packed(FIELDS | {"expires": NOW - 60}), MalformedMessage),
    "that ends never": (packed(FIELDS | {"expires": 1 << 40}), MalformedMessage),
    "for no device": (packed(FIELDS | {"device": "X"}), MalformedMessage),
    "that is no map": (packed([1]), MalformedMessage),
    "that is nothing": (b"", MalformedMessage),
}


@pytest.mark.parametrize("name", REFUSED)
def test_device_refuses_a_release(name: str) -> None:
    data, error = REFUSED[name]
    with pytest.raises(error):
        taken(data)


def test_device_refuses_the_release_of_another_maker() -> None:
    key = p256.generate(os.urandom)
    with pytest.raises(VerificationFailed):
        taken(GOOD.sign(OPERATIONS), root=make_root("Maker", key, now=MADE, serial=1))


def test_no_changed_byte_changes_what_a_release_says() -> None:
    """One byte may change: the count of unused bits of the certificate's signature means nothing."""
    data, accepted = GOOD.sign(OPERATIONS), 0
    for at in range(len(data)):
        with suppress(PeerError):
            assert taken(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]) == GOOD
            accepted += 1
    assert accepted <= 1


@given(st.binary(max_size=200))
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        taken(data)
