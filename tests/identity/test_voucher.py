"""Ownership vouchers: what is taken, and every way to be refused."""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.x509 import Issuer
from doorstep.errors import DoorstepError, MalformedMessage, PeerError, VerificationFailed
from doorstep.identity import platform_word
from doorstep.identity.certificates import make_factory_ca, make_operations_ca, make_root
from doorstep.identity.voucher import (
    DEVICES_CAP,
    VOUCHER_CONTEXT,
    ForSomebodyElse,
    StaleVoucher,
    Voucher,
    addressee,
    read,
)
from doorstep.wire import cbor

_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = int((_MADE + timedelta(days=30)).timestamp())
_KEY = p256.generate(os.urandom)
_ROOT = Issuer(make_root("Maker", _KEY, now=_MADE, serial=1), _KEY)
_OPERATIONS = Issuer(make_operations_ca("Maker", _KEY.public_key, _ROOT, now=_MADE, serial=2), _KEY)
_FACTORY = Issuer(make_factory_ca("Maker", _KEY.public_key, _ROOT, now=_MADE, serial=3), _KEY)
_GOOD = Voucher(addressee("Buyer@Example.org "), ("binsypko", "abcdefgh"), _NOW - 60, _NOW + 60)


def _read(data: bytes, *addresses: str, now: int = _NOW) -> Voucher:
    return read(data, [_ROOT.certificate], addresses or ("buyer@example.org",), now)


def test_buyer_reads_their_voucher() -> None:
    assert _read(_GOOD.sign(_OPERATIONS), "other@example.org", "BUYER@example.org") == _GOOD


def test_voucher_names_no_address() -> None:
    assert b"example" not in _GOOD.sign(_OPERATIONS).lower()


@pytest.mark.parametrize(
    ("data", "addresses", "now", "error"),
    [
        (_GOOD.sign(_OPERATIONS), ["thief@example.org"], _NOW, ForSomebodyElse),
        (_GOOD.sign(_OPERATIONS), [], _NOW, ForSomebodyElse),
        (_GOOD.sign(_OPERATIONS), ["buyer@example.org"], _NOW + 60, StaleVoucher),
        (_GOOD.sign(_FACTORY), ["buyer@example.org"], _NOW, VerificationFailed),
        (_GOOD.sign(_OPERATIONS)[:-1] + b"\x00", ["buyer@example.org"], _NOW, VerificationFailed),
        (b"", ["buyer@example.org"], _NOW, MalformedMessage),
    ],
)
def test_voucher_of_others_or_of_strangers_is_refused(
    data: bytes, addresses: list[str], now: int, error: type[DoorstepError]
) -> None:
    with pytest.raises(error):
        read(data, [_ROOT.certificate], addresses, now)


_FIELDS: dict[str, cbor.Value] = {
    "to": _GOOD.to,
    "devices": list(_GOOD.devices),
    "issued": _GOOD.issued,
    "expires": _GOOD.expires,
}


@pytest.mark.parametrize(
    "more",
    [
        {"to": b"short"},
        {"to": "buyer@example.org"},
        {"devices": []},
        {"devices": [7]},
        {"devices": ["binsypko", "binsypko"]},
        {"devices": ["not an id"]},
        {"expires": _NOW - 60},
        {"more": 1},
    ],
)
def test_signed_nonsense_is_refused(more: dict[str, cbor.Value]) -> None:
    with pytest.raises(MalformedMessage):
        _read(platform_word.sign(_FIELDS | more, VOUCHER_CONTEXT, _OPERATIONS))


def test_voucher_has_a_cap() -> None:
    with pytest.raises(MalformedMessage):
        replace(_GOOD, devices=tuple(f"{number:08}".translate(_LETTERS) for number in range(DEVICES_CAP + 1)))


_LETTERS = str.maketrans("0189", "abcd")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(PeerError):
        _read(data)
