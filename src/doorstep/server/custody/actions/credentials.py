"""Operational certificates of devices: stored, reused, superseded."""

import hashlib
from typing import Final

from doorstep.crypto.x509 import Certificate
from doorstep.identity.certificates import DEFAULT_OPERATIONAL_LIFETIME
from doorstep.runtime.authority import Authority
from doorstep.server.clock import from_us, to_us
from doorstep.server.fleet.models import Credential, Device

__all__ = ["issue", "keep"]

_KEPT: Final = 2
"""Active certificates of a device: a power cut between two must leave one that the device holds."""


def issue(csr: bytes, device_id: str, authority: Authority, now_us: int) -> Certificate:
    """Sign a certificate for the key of a signing request; nothing is stored yet.

    The device's own name is set, whatever the request wishes. Raises MalformedRequest or CertificateRefused.
    """
    return authority.issue_operational(
        csr, device_id=device_id, now=from_us(now_us), lifetime=DEFAULT_OPERATIONAL_LIFETIME
    )


def keep(device: Device, fresh: Certificate, now_us: int) -> Certificate:
    """Store a fresh certificate, or return the one that this key has and that still lives long enough."""
    key_hash = hashlib.sha256(fresh.public_key.spki).hexdigest()
    active = list(device.credentials.filter(state="active").order_by("-not_after_us", "-pk"))
    enough_us = now_us + (to_us(fresh.not_after) - now_us) // 3
    for row in active:
        if row.public_key_hash == key_hash and row.not_after_us > enough_us:
            return Certificate(bytes(row.certificate))
    Credential.objects.create(
        device=device,
        fingerprint=fresh.fingerprint,
        public_key_hash=key_hash,
        certificate=fresh.der,
        serial=f"{fresh.serial:x}",
        not_before_us=to_us(fresh.not_before),
        not_after_us=to_us(fresh.not_after),
    )
    too_many = [row.pk for row in active[_KEPT - 1 :]]
    if too_many:
        Credential.objects.filter(pk__in=too_many).update(state="superseded", ended_us=now_us)
    return fresh
