"""Keys of this deployment that custody needs, derived from its key file."""

from functools import cache

from django.conf import settings

from doorstep.crypto.ed25519 import SigningKey

__all__ = ["claim_code_pepper", "ledger_key"]


@cache
def ledger_key() -> SigningKey:
    """Return the key that signs the custody ledger."""
    return SigningKey.from_seed(settings.KEY_FILE.derive("ledger"))


def claim_code_pepper() -> bytes:
    """Return the key of claim code hashes: without it the table of hashes can't be searched for codes."""
    pepper: bytes = settings.KEY_FILE.derive("claim-code")
    return pepper
