"""A sealed blob: a header that anybody may read, and the content for one device alone.

```
version 1 ‖ kid 5 ‖ nonce 16 ‖ expires 4 ‖ enc 65 ‖ ciphertext     (bytes; expires in seconds since 1970)
```

The first 26 bytes are the header, and all of them are associated data. `docs/spec/onboarding-sealed.md` is
normative.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from doorstep.crypto import hpke
from doorstep.crypto.hpke import ENC_LENGTH, TAG_LENGTH, Agree
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MisuseError
from doorstep.identity.ids import KID_LENGTH, device_id_of, kid_of
from doorstep.onboarding.sealed.content import CONTENT_CAP, PADDING, SealedContent
from doorstep.onboarding.sealed.failures import MalformedBlob
from doorstep.wire import base64url

__all__ = ["BLOB_CAP", "INFO", "NONCE_LENGTH", "TEXT_CAP", "VERSION", "SealedBlob", "read_blob", "seal"]

VERSION: Final = 1
INFO: Final = b"doorstep sealed credentials 1"
"""The ``info`` of HPKE: no key made for anything else opens a blob, nor the other way round."""

NONCE_LENGTH: Final = 16
_TIME_LENGTH: Final = 4
_HEADER: Final = 1 + KID_LENGTH + NONCE_LENGTH + _TIME_LENGTH
_SMALLEST: Final = _HEADER + ENC_LENGTH + PADDING + TAG_LENGTH

BLOB_CAP: Final = _HEADER + ENC_LENGTH + CONTENT_CAP + TAG_LENGTH
"""Bytes of a blob."""

TEXT_CAP: Final = 2 * BLOB_CAP
"""Characters of a blob as text, with the blanks and line breaks that people add."""

_BLANKS: Final = re.compile(rb"[ \t\r\n]+")
_ALPHABET: Final = re.compile(rb"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class SealedBlob:
    """Nothing of it is verified before it is opened."""

    device_id: str
    nonce: bytes
    expires: int
    """Seconds since 1970; from then on the device refuses it."""
    enc: bytes
    ciphertext: bytes

    @property
    def header(self) -> bytes:
        """The readable part, which is sealed in as associated data."""
        return _header(self.device_id, self.nonce, self.expires)

    def encode(self) -> bytes:
        """Return the bytes that a carrier takes."""
        return self.header + self.enc + self.ciphertext

    def to_text(self) -> str:
        """Return base64url without padding, for a URL's fragment, a QR code, a file or a message."""
        return base64url.encode(self.encode())

    def open(self, key: PublicKey, agree: Agree) -> SealedContent:
        """Return the content; raises VerificationFailed or MalformedMessage."""
        return SealedContent.decode(
            hpke.open_sealed(key, agree, INFO, self.header, self.enc, self.ciphertext)
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read bytes; raises MalformedBlob."""
        if not _SMALLEST <= len(data) <= BLOB_CAP or (len(data) - _SMALLEST) % PADDING:
            raise MalformedBlob(f"{len(data)} bytes are no length that they can have")
        if data[0] != VERSION:
            raise MalformedBlob(f"their version is {data[0]}, and only {VERSION} is known here")
        kid, rest = data[1 : 1 + KID_LENGTH], data[1 + KID_LENGTH :]
        nonce, time, body = rest[:NONCE_LENGTH], rest[NONCE_LENGTH:][:_TIME_LENGTH], data[_HEADER:]
        expires = int.from_bytes(time, "big")
        return cls(device_id_of(kid), nonce, expires, body[:ENC_LENGTH], body[ENC_LENGTH:])


def read_blob(data: bytes) -> SealedBlob:
    """Read a blob as a carrier brought it, bytes or text: the first byte tells them apart.

    Blanks and line breaks in text are skipped. Raises MalformedBlob.
    """
    if data[:1] == bytes((VERSION,)):
        return SealedBlob.decode(data)
    if len(data) > TEXT_CAP:
        raise MalformedBlob(f"{len(data)} characters are more than the {TEXT_CAP} that a text may have")
    text = _BLANKS.sub(b"", data)
    if _ALPHABET.fullmatch(text) is None or len(text) % 4 == 1:
        raise MalformedBlob("they are neither bytes of version 1 nor base64url")
    try:
        decoded = base64url.decode(text.decode("ascii"))
    except base64url.NotBase64Url:
        raise MalformedBlob("the text was cut or mistyped at its end") from None
    return SealedBlob.decode(decoded)


def seal(
    device_id: str,
    key: PublicKey,
    content: SealedContent,
    *,
    expires: int,
    rng: Callable[[int], bytes],
) -> SealedBlob:
    """Seal content for one device, whose factory key the platform recorded; ``rng`` gives random bytes."""
    if not 0 <= expires < 1 << 8 * _TIME_LENGTH:
        raise MisuseError("the moment when a blob expires is in seconds since 1970")
    nonce = rng(NONCE_LENGTH)
    header = _header(device_id, nonce, expires)
    enc, ciphertext = hpke.seal(key, INFO, header, content.encode(), rng=rng)
    return SealedBlob(device_id, nonce, expires, enc, ciphertext)


def _header(device_id: str, nonce: bytes, expires: int) -> bytes:
    return bytes((VERSION,)) + kid_of(device_id) + nonce + expires.to_bytes(_TIME_LENGTH, "big")
