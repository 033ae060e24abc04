"""Verifies an exported ledger with nothing of Doorstep: FILE, the platform's public key, a kept anchor."""

import base64
import hashlib
import json
import sys
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(path: str, platform: str, anchor: str = "") -> None:
    """Follow the entries; stop at the first that is not what was written."""
    keys = {"": Ed25519PublicKey.from_public_bytes(bytes.fromhex(platform))}
    number, previous, anchored = 0, bytes(32), not anchor
    with Path(path).open(encoding="ascii") as lines:
        for line in lines:
            entry = json.loads(line)
            body = base64.b64decode(entry["body"])
            digest, said = hashlib.sha256(body).digest(), cbor2.loads(body)
            number += 1
            signer, adds_key = said["actor"].partition("@")[2], said["kind"] == "key_added"
            if said["number"] != number or said["previous"] != previous or (signer and adds_key):
                sys.exit(f"entry {number} is not in its place")
            try:
                keys[signer].verify(base64.b64decode(entry["signature"]), digest)
            except (KeyError, InvalidSignature):
                sys.exit(f"entry {number} is not signed by its actor's key")
            if adds_key:
                raw = bytes.fromhex(said["detail"]["key"])
                keys[str(said["detail"]["organisation"])] = Ed25519PublicKey.from_public_bytes(raw)
            previous, anchored = digest, anchored or anchor == f"{number}:{digest.hex()}"
    if not anchored:
        sys.exit("the anchored entry is gone")
    print(f"{number} entries hold")


verify(*sys.argv[1:])
