"""What a sender announces in frame lengths, whichever version it speaks."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from doorstep.onboarding.network import NetworkCredentials

__all__ = [
    "ACK_PORTS",
    "DEVICE_PORT",
    "MAX_OVERHEAD",
    "MIN_OVERHEAD",
    "Announcement",
    "leader",
]

DEVICE_PORT: Final = 7001
"""UDP port that the datagrams go to; nobody needs to listen there."""
ACK_PORTS: Final = (18266, 28266, 38266, 48266)
"""UDP ports that a sender may wait on for the device's answer; version 1 knows the first only."""
MIN_OVERHEAD: Final = 60
"""Bytes of a frame beside the UDP payload: 802.11 head, LLC, IPv4 and UDP, in the open."""
MAX_OVERHEAD: Final = 140
"""The same with every head and cipher that there is, and room to spare."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A network, what came along, and where the sender waits; ``phone`` is empty where it did not say."""

    network: NetworkCredentials
    reserved: bytes = field(default=b"", repr=False)
    phone: str = ""
    port: int = ACK_PORTS[0]


def leader(votes: Counter[int]) -> int | None:
    """Return the value with more votes than any other, `None` where there is no such."""
    first_two = votes.most_common(2)
    if not first_two or (len(first_two) > 1 and first_two[0][1] == first_two[1][1]):
        return None
    return first_two[0][0]
