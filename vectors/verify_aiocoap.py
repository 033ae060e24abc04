"""Derives every key and nonce with PyPI ``aiocoap``'s OSCORE code: a stranger to Doorstep.

``python verify_aiocoap.py sealed.json sealed-variants.json``, by an interpreter that has aiocoap. Prints one
line for each sender's keys that agree.
"""

import json
import sys
from pathlib import Path
from typing import Any

from aiocoap import oscore


class Context(oscore.SecurityContextUtils):  # type: ignore[misc]  # a stranger's class
    """A security context from the values of a vector."""

    def __init__(self, algorithm: int, epoch: int, sender: bytes, recipient: bytes) -> None:
        """``sender`` and ``recipient`` are sender ids."""
        self.alg_aead = next(one for one in oscore.algorithms.values() if one.value == algorithm)
        self.hashfun = oscore.hashfunctions["sha256"]
        self.id_context = epoch.to_bytes(max(1, (epoch.bit_length() + 7) // 8), "big")
        self.sender_id, self.recipient_id = sender, recipient


def agree(name: str, context: Context, secret: str, expected: dict[str, str], sequence: int = 0) -> None:
    """Stop unless key and nonce come out as expected."""
    context.derive_keys(b"", bytes.fromhex(secret))
    number = sequence.to_bytes(max(1, (sequence.bit_length() + 7) // 8), "big")
    nonce = context._construct_nonce(number, context.sender_id, context.alg_aead)  # noqa: SLF001 - nothing else
    if (context.sender_key.hex(), nonce.hex()) != (expected["key"], expected["nonce"]):
        sys.exit(f"{name}: aiocoap derives other keys")
    print(name)


def schedule(row: dict[str, Any]) -> None:
    """Check both directions of one epoch."""
    kid = bytes.fromhex(row["kid"])
    for way, sender, recipient in (("up", kid, b""), ("down", b"", kid)):
        expected = row[way] | {"nonce": row[way]["base_iv"]}
        agree(
            f"{way} {row['epoch']}",
            Context(10, row["epoch"], sender, recipient),
            row["master_secret"],
            expected,
        )


def message(row: dict[str, Any], algorithms: dict[str, int]) -> None:
    """Check one message's keys, then open it."""
    kid = bytes.fromhex(row["kid"])
    context = Context(algorithms[row["variant"]], row["epoch"], kid, b"")
    agree(row["name"], context, row["master_secret"], row, row["sequence"])
    tag = context.alg_aead.tag_bytes
    sealed = bytes.fromhex(row["compact"])[-(len(row["plaintext"]) // 2 + tag) :]
    opened = context.alg_aead.decrypt(
        sealed, bytes.fromhex(row["aad"]), context.sender_key, bytes.fromhex(row["nonce"])
    )
    if opened.hex() != row["plaintext"]:
        sys.exit(f"{row['name']}: aiocoap opens another plaintext")


def main() -> None:
    """Check both files."""
    usual, variants = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    for row in usual["schedule"]:
        schedule(row)
    algorithms = {row["name"]: row["algorithm"] for row in variants["variants"]}
    for row in variants["messages"]:
        message(row, algorithms)


main()
