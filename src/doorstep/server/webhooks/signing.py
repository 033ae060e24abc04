"""Signatures of the Standard Webhooks specification 1.0.0, symmetric scheme ``v1``."""

import base64
import hmac
from collections.abc import Sequence
from typing import Final

__all__ = ["SECRET_BYTES", "headers", "secret_text"]

SECRET_BYTES: Final = 32
"""The specification allows 24 to 64."""
_PREFIX: Final = "whsec_"


def secret_text(secret: bytes) -> str:
    """Return a secret as receivers' libraries take it."""
    return _PREFIX + base64.b64encode(secret).decode()


def headers(event_id: str, at_s: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """Return the three headers of one attempt; every secret signs, so that a receiver may know either."""
    signed = b".".join([event_id.encode(), str(at_s).encode(), body])
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
