"""Operational certificates of devices: stored, reused, superseded."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.db import connection

from doorstep.crypto.x509 import Certificate
from doorstep.identity.certificates import DEFAULT_OPERATIONAL_LIFETIME
from doorstep.runtime.authority import Authority
from doorstep.server import bulk
from doorstep.server.clock import from_us, to_us
from doorstep.server.fleet.models import Credential

__all__ = ["issue", "keep"]

_KEPT: Final = 2
"""Active certificates of a device: a power cut between two must leave one that the device holds."""

_COLUMNS: Final = {
    "device_id": "bigint",
    "fingerprint": "text",
    "public_key_hash": "text",
    "certificate": "bytea",
    "serial": "text",
    "not_before_us": "bigint",
    "not_after_us": "bigint",
    "state": "text",
    "created_at": "timestamptz",
}
"""Of a new row of `Credential`, with their types."""


class _Active(NamedTuple):
    pk: int
    public_key_hash: str
    not_after_us: int
    certificate: bytes


_ACTIVE_ONES: Final = """
SELECT device_id, id, public_key_hash, not_after_us, certificate FROM credential
WHERE state = 'active' AND device_id = ANY(%s) ORDER BY not_after_us DESC, id DESC"""


def issue(csr: bytes, device_id: str, authority: Authority, now_us: int) -> Certificate:
    """Sign a certificate for the key of a signing request; nothing is stored yet.

    The device's own name is set, whatever the request wishes. Raises MalformedRequest or CertificateRefused.
    """
    return authority.issue_operational(
        csr, device_id=device_id, now=from_us(now_us), lifetime=DEFAULT_OPERATIONAL_LIFETIME
    )


def keep(fresh: Mapping[int, Certificate], now_us: int) -> dict[int, Certificate]:
    """Store fresh certificates, each for the device with this key; return what each device is to use.

    That is an older one where its own key has one that still lives long enough.
    """
    active: dict[int, list[_Active]] = {device: [] for device in fresh}
    for device, *row in bulk.select(_ACTIVE_ONES, fresh):
        active[device].append(_Active(*row))
    kept, new, too_many = {}, [], []
    for device, certificate in fresh.items():
        usable = _usable(certificate, active[device], now_us)
        kept[device] = usable or certificate
        if usable is None:
            new.append(_row(device, certificate, now_us))
            too_many += [row.pk for row in active[device][_KEPT - 1 :]]
    bulk.insert("credential", _COLUMNS, new)
    if too_many:
        Credential.objects.filter(pk__in=too_many).update(state="superseded", ended_us=now_us)
    return kept


def _usable(fresh: Certificate, active: Iterable[_Active], now_us: int) -> Certificate | None:
    key_hash = _key_hash(fresh)
    enough_us = now_us + (to_us(fresh.not_after) - now_us) // 3
    for row in active:
        if row.public_key_hash == key_hash and row.not_after_us > enough_us:
            return Certificate(bytes(row.certificate))
    return None


def _row(device: int, certificate: Certificate, now_us: int) -> list[Any]:
    return [
        device,
        certificate.fingerprint,
        _key_hash(certificate),
        certificate.der,
        f"{certificate.serial:x}",
        to_us(certificate.not_before),
        to_us(certificate.not_after),
        "active",
        connection.ops.adapt_datetimefield_value(from_us(now_us)),
    ]


def _key_hash(certificate: Certificate) -> str:
    return hashlib.sha256(certificate.public_key.spki).hexdigest()
