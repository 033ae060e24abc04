"""Base64url without padding (RFC 7515 section 2): one text for each string of bytes, and no other."""

import base64

from doorstep.errors import MalformedMessage

__all__ = ["NotBase64Url", "decode", "encode"]


class NotBase64Url(MalformedMessage):
    """Text is not base64url, is padded, or has bits over."""


def decode(text: str) -> bytes:
    """Return the bytes; raise `NotBase64Url`. The caller caps the size."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise NotBase64Url("this is not base64url") from error
    if encode(decoded) != text:
        raise NotBase64Url("this base64url is padded or has bits over")
    return decoded


def encode(data: bytes) -> str:
    """Return the text."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
