"""The article's envelope: ``iv,node id,data,mac`` in hex (docs/spec/legacy.md section 3).

The MAC is over what was encrypted, so everything is decrypted before anything can be believed. Hence one way
through the code for every message, whatever is wrong with it, and one answer at its end.
"""

import binascii
import hmac
from collections.abc import Callable
from typing import Final

from doorstep.crypto.unauthenticated import BLOCK_SIZE, cbc_blocks_open, cbc_blocks_seal
from doorstep.errors import MisuseError
from doorstep.messaging.legacy.errors import LegacyRefused
from doorstep.messaging.legacy.keys import LegacyKeys

__all__ = ["MAC_LENGTH", "MAX_DATA", "MAX_NODE", "mac_field", "open_article", "seal_article"]

MAX_NODE: Final = 32  # bytes of a node id, zero-padded to whole blocks
MAX_DATA: Final = 256  # bytes of data, zero-padded to whole blocks
MAC_LENGTH: Final = 20  # bytes, HMAC-SHA1

_FIELDS: Final = 4
_MAX_MESSAGE: Final = 2 * (BLOCK_SIZE + MAX_NODE + MAX_DATA + MAC_LENGTH) + _FIELDS - 1
_NOTHING: Final = (bytes(BLOCK_SIZE), bytes(BLOCK_SIZE), bytes(BLOCK_SIZE), bytes(MAC_LENGTH))
"""Stands for what is no message, which is then decrypted and refused like any other."""


def seal_article(
    keys: LegacyKeys, node_id: bytes, data: bytes, session: bytes, rng: Callable[[int], bytes]
) -> bytes:
    """Return the message; raises MisuseError for what the format can't carry."""
    if len(node_id) > MAX_NODE or len(data) > MAX_DATA or node_id.endswith(b"\0") or data.endswith(b"\0"):
        raise MisuseError(
            f"the article's envelope carries {MAX_DATA} bytes of data and {MAX_NODE} of node id, without"
            " trailing zeros"
        )
    iv = binascii.hexlify(rng(BLOCK_SIZE // 2))
    sealed = (
        cbc_blocks_seal(keys.iv_key, keys.static_iv, iv),
        cbc_blocks_seal(keys.data_key, iv, _padded(node_id)),
        cbc_blocks_seal(keys.data_key, iv, _padded(data)),
        keys.mac(node_id, iv, data, session),
    )
    return b",".join(map(binascii.hexlify, sealed))


def open_article(keys: LegacyKeys, node_id: bytes, session: bytes | None, message: bytes) -> bytes:
    """Return the data of the board ``node_id``, sent under ``session`` (None: no id is good now).

    Raises LegacyRefused, the same for everything.
    """
    fields = _fields(message)
    sealed_iv, sealed_node, sealed_data, mac = fields or _NOTHING
    iv = cbc_blocks_open(keys.iv_key, keys.static_iv, sealed_iv)
    node = cbc_blocks_open(keys.data_key, iv, sealed_node).rstrip(b"\0")
    data = cbc_blocks_open(keys.data_key, iv, sealed_data).rstrip(b"\0")
    is_genuine = hmac.compare_digest(keys.mac(node, iv, data, session or b""), mac)
    is_named = hmac.compare_digest(node, node_id)
    if not (is_genuine & is_named & (fields is not None) & (session is not None)):
        raise LegacyRefused
    return data


def mac_field(message: bytes) -> bytes:
    """Return the MAC that a message claims, empty for what is none: equal ones are repeats."""
    fields = _fields(message)
    return fields[3] if fields else b""


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % BLOCK_SIZE or (0 if text else BLOCK_SIZE))


def _fields(message: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """Return the four fields when each has a length that it may have."""
    if len(message) > _MAX_MESSAGE or message.count(b",") != _FIELDS - 1:
        return None
    try:
        iv, node, data, mac = map(binascii.unhexlify, message.split(b","))
    except ValueError:
        return None
    if (
        len(iv) != BLOCK_SIZE
        or len(mac) != MAC_LENGTH
        or not (_is_whole(node, MAX_NODE) and _is_whole(data, MAX_DATA))
    ):
        return None
    return iv, node, data, mac


def _is_whole(sealed: bytes, most: int) -> bool:
    return 0 < len(sealed) <= most and len(sealed) % BLOCK_SIZE == 0
