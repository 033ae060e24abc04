"""A chip maker of the tests: its CAs, its manifest signer and manifests in the form of the real ones."""

import base64
import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, CertificateSpec, DistinguishedName, Issuer, issue, issue_root
from doorstep.wire import base64url

__all__ = ["PROVISIONED", "Chip", "ChipMaker", "manifest_of", "resigned", "unchanged"]

PROVISIONED = dt.datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=dt.UTC)
"""When the elements got their keys."""

_YEAR = dt.timedelta(days=365)
_COUNTER = itertools.count(1)

Change = Callable[[dict[str, Any]], object]


def unchanged(_: dict[str, Any]) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Chip:
    """A secure element; here, unlike in life, its key can be read."""

    unique_id: str
    key: PrivateKey = field(repr=False)
    certificate: Certificate


class ChipMaker:
    """Whoever makes elements: ``Root``, ``Signer`` below it, and a manifest signer beside them."""

    def __init__(self, seed: int = 0x51) -> None:
        keys = (p256.generate(_source(seed + at)) for at in range(3))
        self.root = _authority("Root CA", next(keys), None)
        self.signer = _authority("Signer 0001", next(keys), self.root)
        key = next(keys)
        self.log = Issuer(issue_root(_spec("Log Signer 001", key, life=_YEAR), key), key)

    @property
    def bundle(self) -> bytes:
        """What the operator puts into the file of signers."""
        return self.log.certificate.pem + self.root.certificate.pem

    def chip(self, number: int = 1) -> Chip:
        """Make an element, always the same one for a number."""
        key = p256.generate(_source(number & 0xFF | 0x100, number))
        unique_id = f"0123{number:012x}ee"
        certificate = issue(_spec(f"sn{unique_id.upper()}", key, is_ca=False, life=28 * _YEAR), self.signer)
        return Chip(unique_id, key, certificate)

    def payload(self, chip: Chip) -> dict[str, Any]:
        """Say of an element what the chip maker says."""
        point = chip.key.public_key.point
        chain = (chip.certificate, self.signer.certificate)
        key = {
            "kid": "0",
            "kty": "EC",
            "crv": "P-256",
            "x": base64url.encode(point[1:33]),
            "y": base64url.encode(point[33:]),
            "x5c": [base64.b64encode(one.der).decode() for one in chain],
        }
        return {
            "version": 1,
            "model": "ATECC608B",
            "partNumber": "ATECC608B-TNGTLS",
            "provisioningTimestamp": PROVISIONED.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "uniqueId": chip.unique_id,
            "publicKeySet": {"keys": [key, key | {"kid": "1", "x5c": []}, {"kid": "2", "kty": "oct"}]},
        }

    def entry(
        self,
        chip: Chip,
        *,
        payload: Change = unchanged,
        header: Change = unchanged,
        signer: Issuer | None = None,
    ) -> dict[str, Any]:
        """Sign an entry after changing what it says."""
        said, by = self.payload(chip), signer or self.log
        payload(said)
        protected = {
            "alg": "ES256",
            "typ": "JWT",
            "kid": "TCnpnzYB8M3CO776ByPJ2yX3KYo",
            "x5t#S256": base64url.encode(bytes.fromhex(by.certificate.fingerprint)),
        }
        header(protected)
        return resigned(
            {
                "payload": _encoded(said),
                "protected": _encoded(protected),
                "header": {"uniqueId": chip.unique_id},
            },
            by.key,
        )


def resigned(entry: dict[str, Any], key: PrivateKey) -> dict[str, Any]:
    """Sign an entry, whatever it holds."""
    signed = f"{entry['protected']}.{entry['payload']}".encode()
    return entry | {"signature": base64url.encode(key.sign(signed))}


def manifest_of(entries: Iterable[Any]) -> bytes:
    """Write a manifest."""
    return json.dumps([*entries], indent=2).encode()


def _encoded(value: dict[str, Any]) -> str:
    return base64url.encode(json.dumps(value).encode())


def _source(seed: int, number: int = 0) -> Callable[[int], bytes]:
    stream = seed.to_bytes(4) + number.to_bytes(8)
    return lambda size: (stream * size)[:size]


def _authority(name: str, key: PrivateKey, parent: Issuer | None) -> Issuer:
    spec = _spec(name, key, is_ca=True, life=30 * _YEAR)
    return Issuer(issue(spec, parent) if parent else issue_root(spec, key), key)


def _spec(name: str, key: PrivateKey, *, life: dt.timedelta, is_ca: bool = False) -> CertificateSpec:
    return CertificateSpec(
        subject=DistinguishedName(name, organization="Chip Maker Inc"),
        public_key=key.public_key,
        serial=next(_COUNTER),
        not_before=PROVISIONED.replace(hour=0) - dt.timedelta(days=30),
        not_after=PROVISIONED + life,
        path_length=2 if is_ca else None,
    )
