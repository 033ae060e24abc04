"""Secrets at rest behind one port: a key file today, a KMS or PKCS#11 token behind the same methods."""

import hmac
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from doorstep.crypto.wrapping import KEY_BYTES, NONCE_BYTES, unwrap, wrap
from doorstep.errors import MisuseError, UnavailableError
from doorstep.runtime.state import write_private

__all__ = ["KeyFile"]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The platform's wrapping key. Every other secret is wrapped by it or derived from it."""

    _key: bytes = field(repr=False)
    _rng: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    @classmethod
    def open(cls, path: Path) -> "KeyFile":
        """Read the key file, or make it (0600) at first start; refuse one that others may read."""
        if not path.exists():
            _refuse_lost(path)
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise MisuseError(f"key file {path} is readable by others", next_step=f"Run: chmod 600 {path}")
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise MisuseError(f"key file {path} is damaged", next_step="Restore it from your backup.")
        return cls(key)

    def wrap(self, secret: bytes, context: str) -> bytes:
        """Wrap a secret for storage; ``context`` names its row and use, and must be given again to unwrap."""
        return wrap(self._derived("wrapping"), secret, context=context.encode(), nonce=self._rng(NONCE_BYTES))

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Return what ``wrap`` took, or raise VerificationFailed."""
        return unwrap(self._derived("wrapping"), wrapped, context=context.encode())

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that belong to one purpose of this deployment and to no other."""
        return self._derived(f"derived/{purpose}")

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._key, b"doorstep v1 " + purpose.encode(), "sha256")


def _refuse_lost(path: Path) -> None:
    """Refuse to make a new key beside what the lost one wrapped: nothing of it could be read again."""
    if any((path.parent / "ca").glob("*")):
        raise MisuseError(
            f"key file {path} is gone, and the platform's secrets were wrapped by it",
            next_step="Restore it from your backup, together with the database and the ca folder.",
        )


def _make(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        write_private(fresh, os.urandom(KEY_BYTES))
        # Of two first starts at the same moment one makes the key, and both work with it.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    except OSError as error:
        raise UnavailableError(
            f"key file {path} can't be made: {error.strerror}",
            next_step="Check the disk's free space and the state folder.",
        ) from error
