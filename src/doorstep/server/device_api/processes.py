"""How many processes answer devices, and what each is called.

They listen on one port together, and the kernel hands each new connection to one of them. What they share
is in the database: a nonce is its own proof, and rows are locked there while custody decides.
"""

import os
import sys
from typing import Final

from doorstep.runtime.settings import Settings

__all__ = ["ROLE", "name_of", "processes"]

ROLE: Final = "device-api"

_AT_MOST: Final = 4
"""Then the ledger, which takes one entry after the other, is what they all wait for."""


def processes(settings: Settings) -> int:
    """Return how many processes of the device API run beside each other.

    SQLite has one writer: a second process would only wait for the first, and less fairly than threads do.
    Other systems than Linux don't spread connections over a shared port.
    """
    if settings.embedded_database or sys.platform != "linux":
        return 1
    return min(len(os.sched_getaffinity(0)), _AT_MOST)


def name_of(number: int) -> str:
    """Return what the process with this number, from 1 on, calls itself in heartbeats, logs and files."""
    return ROLE if number == 1 else f"{ROLE}-{number}"
