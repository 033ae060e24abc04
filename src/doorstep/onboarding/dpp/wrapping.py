"""Building and opening frames whose attributes end with wrapped data: what it is bound to differs by kind."""

from collections.abc import Sequence

from doorstep.crypto.siv import open_siv, seal_siv
from doorstep.wire.dpp import ActionFrame, Attribute, Attributes, FrameType, encode_attributes

__all__ = ["Items", "open_frame", "open_items", "open_query", "wrap_frame", "wrap_items", "wrap_query"]

Items = Sequence[tuple[Attribute, bytes]]


def wrap_frame(kind: FrameType, clear: Items, key: bytes, secret: Items) -> ActionFrame:
    """Return the frame: ``clear`` as it is, ``secret`` wrapped and bound to the header and ``clear``."""
    head = encode_attributes(clear)
    header = ActionFrame(kind, b"").header
    return ActionFrame(kind, head + encode_attributes([_wrapped(key, secret, (header, head))]))


def open_frame(frame: ActionFrame, attributes: Attributes, key: bytes) -> Attributes:
    """Return what was wrapped; raises `MalformedMessage` or `VerificationFailed`."""
    return _opened(attributes, key, (frame.header, attributes.before_wrapped))


def wrap_query(clear: Items, key: bytes, secret: Items) -> bytes:
    """Return a GAS query: ``secret`` is bound to ``clear`` alone."""
    head = encode_attributes(clear)
    return head + encode_attributes([_wrapped(key, secret, (head,))])


def open_query(attributes: Attributes, key: bytes) -> Attributes:
    """Return what was wrapped in a GAS response; raises `MalformedMessage` or `VerificationFailed`."""
    return _opened(attributes, key, (attributes.before_wrapped,))


def wrap_items(key: bytes, secret: Items) -> tuple[Attribute, bytes]:
    """Return the wrapped attribute, bound to nothing else."""
    return _wrapped(key, secret, ())


def open_items(attributes: Attributes, key: bytes) -> Attributes:
    """Return what was wrapped by `wrap_items`; raises `MalformedMessage` or `VerificationFailed`."""
    return _opened(attributes, key, ())


def _wrapped(key: bytes, secret: Items, bound: Sequence[bytes]) -> tuple[Attribute, bytes]:
    return Attribute.WRAPPED_DATA, seal_siv(key, encode_attributes(secret), bound)


def _opened(attributes: Attributes, key: bytes, bound: Sequence[bytes]) -> Attributes:
    return Attributes.decode(open_siv(key, attributes.get(Attribute.WRAPPED_DATA), bound))
