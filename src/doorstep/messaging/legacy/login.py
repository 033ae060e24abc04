"""The password with which a legacy board logs in: sent in the clear, so it is worth nothing but the log-in.

The dot makes it no CONNECT proof, which is base64url.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Final

__all__ = ["PREFIX", "new_password", "password_hash"]

PREFIX: Final = "legacy."
_BYTES: Final = 18


def new_password(rng: Callable[[int], bytes]) -> str:
    """Return a password for one board."""
    return PREFIX + base64.urlsafe_b64encode(rng(_BYTES)).decode()


def password_hash(password: str) -> str:
    """Return what is stored of it, hex: 144 random bits need no slow hash."""
    return hashlib.sha256(password.encode()).hexdigest()
