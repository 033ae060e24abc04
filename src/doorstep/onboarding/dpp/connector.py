"""The DPP connector: a network's membership card, signed by its configurator (specification §4.2).

It lets a device join an access point of the same configurator without any passphrase (AKM ``dpp``).
"""

import hashlib
import json
from typing import Final

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.wire import base64url

__all__ = ["jwk", "key_name", "sign_connector"]

COORDINATE: Final = 32


def sign_connector(signer: PrivateKey, holder: PublicKey) -> str:
    """Return the connector of a station whose protocol key is ``holder``, as a compact JWS."""
    header = {"typ": "dppCon", "kid": key_name(signer.public_key), "alg": "ES256"}
    card = {"groups": [{"groupId": "*", "netRole": "sta"}], "netAccessKey": jwk(holder)}
    text = f"{base64url.encode(_json(header))}.{base64url.encode(_json(card))}"
    return f"{text}.{base64url.encode(signer.sign(text.encode()))}"


def jwk(key: PublicKey) -> dict[str, str]:
    """Return a public key as JSON (RFC 7518 §6.2)."""
    x, y = key.point[1 : 1 + COORDINATE], key.point[1 + COORDINATE :]
    return {"kty": "EC", "crv": "P-256", "x": base64url.encode(x), "y": base64url.encode(y)}


def key_name(key: PublicKey) -> str:
    """Return the name that connectors call their signing key by."""
    return base64url.encode(hashlib.sha256(key.point).digest())


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
