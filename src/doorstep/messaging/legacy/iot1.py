"""The envelope ``iot1-aessha1`` of PyPI iot-message 1.2: JSON, sealed whole (docs/spec/legacy.md section 4).

No session id is in its MAC. As in `article` one way through the code, and one answer at its end.
"""

import binascii
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from doorstep.crypto.unauthenticated import BLOCK_SIZE, cbc_blocks_open, cbc_blocks_seal
from doorstep.errors import MisuseError
from doorstep.messaging.legacy.article import MAC_LENGTH
from doorstep.messaging.legacy.errors import LegacyRefused
from doorstep.messaging.legacy.keys import LegacyKeys

__all__ = ["MAX_BODY", "mac_field", "open_iot1", "seal_iot1"]

MAX_BODY: Final = 2_032  # bytes of the inner JSON text, which gets at least one byte of padding

_MAX_MESSAGE: Final = 8_192
_EVENT: Final = "message.aessha1"
_FIELDS: Final = 3
_NOTHING: Final = (bytes(BLOCK_SIZE), bytes(BLOCK_SIZE), bytes(MAC_LENGTH))

_Fields = tuple[bytes, bytes, bytes]


def seal_iot1(keys: LegacyKeys, node_id: bytes, body: bytes, rng: Callable[[int], bytes]) -> bytes:
    """Return the message that carries ``body``, JSON text; raises MisuseError when it is too long."""
    if len(body) > MAX_BODY or body.strip(b"\0") != body:
        raise MisuseError(f"an iot1 message carries {MAX_BODY} bytes, without zeros at its ends")
    iv = binascii.hexlify(rng(BLOCK_SIZE // 2))
    sealed = (
        cbc_blocks_seal(keys.iv_key, keys.static_iv, iv),
        cbc_blocks_seal(keys.data_key, iv, body + bytes(BLOCK_SIZE - len(body) % BLOCK_SIZE)),
        keys.mac(iv, body),
    )
    name = node_id.decode()
    outer = {
        "protocol": "iot:1",
        "node": name,
        "chip_id": name,
        "event": _EVENT,
        "parameters": [part.hex() for part in sealed],
        "response": "",
        "targets": ["ALL"],
    }
    return json.dumps(outer).encode()


def open_iot1(keys: LegacyKeys, node_id: bytes, message: bytes) -> bytes:
    """Return the inner JSON text of the board ``node_id``; raises LegacyRefused, the same for everything."""
    fields = _fields(message)
    sealed_iv, sealed_body, mac = fields or _NOTHING
    iv = cbc_blocks_open(keys.iv_key, keys.static_iv, sealed_iv)
    body = cbc_blocks_open(keys.data_key, iv, sealed_body).strip(b"\0")
    is_genuine = hmac.compare_digest(keys.mac(iv, body), mac)
    # Only then is the text looked at: how long that takes would tell about what was decrypted.
    if not (is_genuine & (fields is not None)) or _chip_id(body) != node_id:
        raise LegacyRefused
    return body


def mac_field(message: bytes) -> bytes:
    """Return the MAC that a message claims, empty for what is none: equal ones are repeats."""
    fields = _fields(message)
    return fields[2] if fields else b""


def _fields(message: bytes) -> _Fields | None:
    """Return the three parameters when each has a length that it may have."""
    outer = _object(message) if len(message) <= _MAX_MESSAGE else {}
    parameters = outer.get("parameters")
    if outer.get("event") != _EVENT or not isinstance(parameters, list) or len(parameters) != _FIELDS:
        return None
    try:
        iv, body, mac = (binascii.unhexlify(text) for text in parameters)
    except (ValueError, TypeError):
        return None
    if len(iv) != BLOCK_SIZE or len(mac) != MAC_LENGTH:
        return None
    if not 0 < len(body) <= MAX_BODY + BLOCK_SIZE or len(body) % BLOCK_SIZE:
        return None
    return iv, body, mac


def _chip_id(body: bytes) -> bytes:
    """Return who an inner message says it is from; it may be noise."""
    name = _object(body).get("chip_id")
    return name.encode("utf-8", "replace") if isinstance(name, str) else b""


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
