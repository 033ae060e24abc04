"""A name server that answers every name with the board, so that a phone's probes reach its page (RFC 1035).

It answers one question of class IN in a datagram of at most 512 bytes, never a response, so that nobody can
make two of them talk to each other.
"""

from ipaddress import IPv4Address
from typing import Final

__all__ = ["MAX_QUERY", "answer"]

MAX_QUERY: Final = 512
"""Bytes of a datagram without extensions (RFC 1035 §4.2.1)."""
TTL_S: Final = 5
"""Short: the phone must forget these answers when it is back in its own network."""

HEADER: Final = 12
MAX_NAME: Final = 255
MAX_NAME_LABEL: Final = 63
TYPE_A: Final = 1
CLASS_IN: Final = 1
RESPONSE, OPCODE, RECURSION_DESIRED = 0x8000, 0x7800, 0x0100
AUTHORITATIVE: Final = 0x0400
NO_SUCH_NAME: Final = 3

UNANSWERED: Final = frozenset(
    {
        b"use-application-dns.net",  # Firefox asks before it goes around us by DNS over HTTPS
        b"mask.icloud.com",  # Apple devices ask before they go around us by Private Relay
        b"mask-h2.icloud.com",
    }
)
"""Names whose absence tells a system to use the network's own name server."""


def answer(query: bytes, board: IPv4Address) -> bytes | None:
    """Return the reply to a datagram, None to what deserves none.

    Names have the board's address, and no record of another type.
    """
    if not HEADER < len(query) <= MAX_QUERY:
        return None
    flags = int.from_bytes(query[2:4])
    if flags & (RESPONSE | OPCODE) or query[4:6] != b"\x00\x01":
        return None
    question = _question(query)
    if question is None:
        return None
    name, kind, end = question
    missing = name in UNANSWERED
    found = kind == TYPE_A and not missing
    reply_flags = RESPONSE | AUTHORITATIVE | (flags & RECURSION_DESIRED) | (NO_SUCH_NAME if missing else 0)
    counts = b"\x00\x01" + found.to_bytes(2) + bytes(4)
    reply = query[:2] + reply_flags.to_bytes(2) + counts + query[HEADER:end]
    return reply + _record(board) if found else reply


def _question(query: bytes) -> tuple[bytes, int, int] | None:
    """Return the name in lower case, the type and where the question ends; None on what is none of ours."""
    labels, at = [], HEADER
    while at < len(query) and (size := query[at]):
        if size > MAX_NAME_LABEL or at - HEADER + size > MAX_NAME:
            return None
        labels.append(query[at + 1 : at + 1 + size])
        at += 1 + size
    end = at + 5
    if end > len(query) or int.from_bytes(query[end - 2 : end]) != CLASS_IN:
        return None
    return b".".join(labels).lower(), int.from_bytes(query[at + 1 : at + 3]), end


def _record(board: IPv4Address) -> bytes:
    pointer_to_question = b"\xc0\x0c"
    fixed = TYPE_A.to_bytes(2) + CLASS_IN.to_bytes(2) + TTL_S.to_bytes(4)
    return pointer_to_question + fixed + len(board.packed).to_bytes(2) + board.packed
