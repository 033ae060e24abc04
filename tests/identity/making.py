"""A maker's authorities and one device, made once for the tests of this package."""

import datetime as dt
import itertools
from dataclasses import dataclass

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.identity import certificates

__all__ = ["DEVICE_ID", "NOW", "Pki", "make_pki"]

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
DEVICE_ID = "abcdefgh"


@dataclass(frozen=True)
class Pki:
    root: Issuer
    factory: Issuer
    operations: Issuer
    device_key: PrivateKey
    idevid: Certificate


def make_pki() -> Pki:
    serials = itertools.count(1)
    root_key, factory_key, operations_key, device_key = (
        p256.generate(lambda count, seed=seed: bytes([seed]) * count)  # type: ignore[misc]
        for seed in range(0x41, 0x45)
    )
    root = Issuer(certificates.make_root("Example GmbH", root_key, now=NOW, serial=next(serials)), root_key)
    factory = certificates.make_factory_ca(
        "Example GmbH", factory_key.public_key, root, now=NOW, serial=next(serials)
    )
    operations = certificates.make_operations_ca(
        "Example GmbH", operations_key.public_key, root, now=NOW, serial=next(serials)
    )
    idevid = certificates.issue_idevid(
        Issuer(factory, factory_key),
        device_key.public_key,
        device_id=DEVICE_ID,
        device_serial="SN-1",
        now=NOW,
        serial=next(serials),
    )
    return Pki(root, Issuer(factory, factory_key), Issuer(operations, operations_key), device_key, idevid)
