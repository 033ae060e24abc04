"""EDHOC (RFC 9528) with static Diffie-Hellman keys on both sides (method 3, cipher suite 2: P-256, AES-CCM).

Each side knows the other's key beforehand and names it by reference. The credential of a key is a CWT claims
set (RFC 9528 §3.5.2) with the name of its owner. Needs the extra ``doorstep[edhoc]``.
"""

from typing import Any, Final

import lakers

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.errors import MisuseError, VerificationFailed

__all__ = ["SECRET_LENGTH", "ExchangeFailed", "Initiator", "Responder"]

SECRET_LENGTH: Final = 32
"""Bytes that both sides get."""

_LABEL: Final = 0
"""Exporter label of a master secret (RFC 9528 §10.1); our context is not empty, as that of OSCORE is."""
_NAME_CAP: Final = 23
_INITIATOR, _RESPONDER = b"\x2b", b"\x0a"
"""Key ids: who speaks is clear from who spoke first."""


class ExchangeFailed(VerificationFailed):
    """A message of the exchange is not what this peer with this key would have sent."""


class Initiator:
    """The side that speaks first; good for one exchange."""

    def __init__(self, key: PrivateKey, name: str, peer: PublicKey, peer_name: str) -> None:
        self._key = _scalar(key)
        self._mine = _credential(name, key.public_key, _INITIATOR)
        self._theirs = lakers.Credential(_credential(peer_name, peer, _RESPONDER))
        self._exchange: Any = lakers.EdhocInitiator()

    def begin(self) -> bytes:
        """Return the first message."""
        return bytes(self._exchange.prepare_message_1(c_i=None))

    def finish(self, message_2: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Return the third message and the secret bound to ``context``; raise ExchangeFailed."""
        try:
            self._exchange.parse_message_2(message_2)
            self._exchange.verify_message_2(self._key, self._mine, self._theirs)
            message_3, _ = self._exchange.prepare_message_3(lakers.CredentialTransfer.ByReference, None)
            self._exchange.completed_without_message_4()
            secret = self._exchange.edhoc_exporter(_LABEL, context, SECRET_LENGTH)
        except Exception as error:
            raise ExchangeFailed("the second message of the exchange does not hold") from error
        return bytes(message_3), bytes(secret)


class Responder:
    """The side that answers; good for one exchange."""

    def __init__(self, key: PrivateKey, name: str, peer: PublicKey, peer_name: str) -> None:
        self._theirs = lakers.Credential(_credential(peer_name, peer, _INITIATOR))
        mine = _credential(name, key.public_key, _RESPONDER)
        self._exchange: Any = lakers.EdhocResponder(_scalar(key), mine)

    def answer(self, message_1: bytes) -> bytes:
        """Return the second message; raise ExchangeFailed."""
        try:
            self._exchange.process_message_1(message_1)
            return bytes(self._exchange.prepare_message_2(lakers.CredentialTransfer.ByReference, None, None))
        except Exception as error:
            raise ExchangeFailed("the first message of the exchange does not hold") from error

    def finish(self, message_3: bytes, context: bytes) -> bytes:
        """Return the secret bound to ``context``; raise ExchangeFailed."""
        try:
            self._exchange.parse_message_3(message_3)
            self._exchange.verify_message_3(self._theirs)
            self._exchange.completed_without_message_4()
            return bytes(self._exchange.edhoc_exporter(_LABEL, context, SECRET_LENGTH))
        except Exception as error:
            raise ExchangeFailed("the third message of the exchange does not hold") from error


def _scalar(key: PrivateKey) -> bytes:
    return key.key.private_numbers().private_value.to_bytes(32, "big")


def _credential(name: str, key: PublicKey, kid: bytes) -> bytes:
    """Build ``{2: name, 8: {1: {1: 2, 2: kid, -1: 1, -2: x, -3: y}}}``."""
    text = name.encode()
    if len(text) > _NAME_CAP:
        raise MisuseError(f"a name in an exchange has at most {_NAME_CAP} bytes")
    x, y = key.point[1:33], key.point[33:]
    head = b"\xa2\x02" + bytes((0x60 | len(text),)) + text
    return (
        head + b"\x08\xa1\x01\xa5\x01\x02\x02\x41" + kid + b"\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
    )
