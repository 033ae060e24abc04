"""Signing secrets: drawn here, kept wrapped by the key file."""

import os

from django.conf import settings

from doorstep.server.audit.notes import describe
from doorstep.server.webhooks.models import WebhookEndpoint
from doorstep.server.webhooks.signing import SECRET_BYTES

__all__ = ["new_secret", "rotate_secret", "signing_secrets"]

_OVERLAP_US = 24 * 3600 * 1_000_000
"""For so long both secrets sign."""


def new_secret(organisation: int, number: int) -> tuple[bytes, bytes]:
    """Return a fresh secret for an organisation's endpoint, and the same wrapped."""
    secret = os.urandom(SECRET_BYTES)
    return secret, settings.KEY_FILE.wrap(secret, _context(organisation, number))


def rotate_secret(endpoint: WebhookEndpoint, now_us: int) -> bytes:
    """Give an endpoint a new secret, which is returned; for a day the one before signs, too."""
    secret, wrapped = new_secret(endpoint.organisation_id, endpoint.number)
    endpoint.old_secret, endpoint.secret = endpoint.secret, wrapped
    endpoint.old_until_us = now_us + _OVERLAP_US
    describe({}, {f"webhook {endpoint.number} secret": "another one"})
    endpoint.save(update_fields=["secret", "old_secret", "old_until_us"])
    return secret


def signing_secrets(endpoint: WebhookEndpoint, now_us: int) -> list[bytes]:
    """Return the secrets that sign now, the newest first."""
    wrapped = [endpoint.secret]
    if endpoint.old_secret is not None and now_us < endpoint.old_until_us:
        wrapped.append(endpoint.old_secret)
    context = _context(endpoint.organisation_id, endpoint.number)
    return [settings.KEY_FILE.unwrap(bytes(one), context) for one in wrapped]


def _context(organisation: int, number: int) -> str:
    return f"webhook/{organisation}/{number}"
