import os
from datetime import UTC, datetime

import pytest

from doorstep.crypto import p256
from doorstep.crypto.x509 import CertificateRefused, Issuer
from doorstep.errors import MalformedMessage
from doorstep.identity import platform_word
from doorstep.identity.certificates import make_operations_ca, make_root
from doorstep.identity.exchange_key import EXCHANGE_CONTEXT, sign, verify
from doorstep.wire import cbor

MADE = datetime(2026, 1, 1, tzinfo=UTC)
ISSUED = int(MADE.timestamp())


def maker() -> tuple[Issuer, Issuer]:
    root_key, key = p256.generate(os.urandom), p256.generate(os.urandom)
    root = Issuer(make_root("Maker", root_key, now=MADE, serial=1), root_key)
    return root, Issuer(make_operations_ca("Maker", key.public_key, root, now=MADE, serial=2), key)


ROOT, OPERATIONS = maker()
KEY = p256.generate(os.urandom).public_key


def test_device_takes_the_platforms_key() -> None:
    assert verify(sign(KEY, OPERATIONS, issued=ISSUED), [ROOT.certificate]).spki == KEY.spki


def test_device_refuses_a_strangers_key() -> None:
    _, stranger = maker()
    with pytest.raises(CertificateRefused):
        verify(sign(KEY, stranger, issued=ISSUED), [ROOT.certificate])


BAD: dict[str, dict[str, cbor.Value]] = {
    "no key": {"issued": ISSUED},
    "no second": {"key": KEY.compressed},
    "negative": {"issued": -1, "key": KEY.compressed},
    "something more": {"issued": ISSUED, "key": KEY.compressed, "more": 1},
    "no point": {"issued": ISSUED, "key": b"\x02" + b"\xff" * 32},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_device_refuses_what_is_no_key(fields: dict[str, cbor.Value]) -> None:
    with pytest.raises(MalformedMessage):
        verify(platform_word.sign(fields, EXCHANGE_CONTEXT, OPERATIONS), [ROOT.certificate])
