"""A platform in memory: what a gateway's session reaches, with the real openers behind it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import aiomqtt

from doorstep.device.mqtt import Session
from doorstep.identity.ids import kid_of
from doorstep.messaging.errors import Rejected
from doorstep.messaging.opener import Opener
from doorstep.messaging.state import SealedState

__all__ = ["Platform"]

Row = tuple[str, int, int]
"""Device, epoch and sequence number: what the table of messages is unique by."""


@dataclass
class Platform:
    """Opens and stores what arrives, as ingest does; its session takes the place of MQTT alone."""

    roots: dict[str, bytes]
    now_us: int = 0
    stored: list[Row] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    not_children: set[str] = field(default_factory=set)
    answers: int | None = None
    """So many publishes are still acknowledged before the session breaks; None: all."""
    pace_s: float = 0.0

    def __post_init__(self) -> None:
        self._openers = {
            device: Opener(kid_of(device), SealedState.first(root)) for device, root in self.roots.items()
        }

    @property
    def session(self) -> Session:
        return cast("Session", self)

    async def subscribe_to(self, topic_filter: str) -> bool:
        await asyncio.sleep(0)
        device = topic_filter.split("/")[1]
        self.asked.append(device)
        return device in self.roots and device not in self.not_children

    async def publish(self, topic: str, message: bytes) -> None:
        _, device, _, channel = topic.split("/")
        self.take(device, channel, message)
        await asyncio.sleep(self.pace_s)
        if self.answers is not None:
            self.answers -= 1
            if self.answers < 0:
                raise aiomqtt.MqttError("the line broke before the acknowledgement")

    def take(self, device: str, channel: str, message: bytes) -> None:
        try:
            epoch, sequence, _ = self._openers[device].open(message, f"up/{channel}".encode(), self.now_us)
        except Rejected as error:
            self.refused.append((device, error.reason))
        else:
            self.stored.append((device, epoch, sequence))

    def of(self, device: str) -> list[tuple[int, int]]:
        return [(epoch, sequence) for name, epoch, sequence in self.stored if name == device]

    def reasons(self) -> set[str]:
        return {reason for _, reason in self.refused}


def roots_of(devices: Iterable[str]) -> dict[str, bytes]:
    """Return a root for each device, told apart by its place."""
    return {device: bytes((index,)) * 32 for index, device in enumerate(devices)}
