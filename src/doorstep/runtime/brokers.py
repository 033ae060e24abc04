"""What every shell that talks to a broker must know alike: addresses, users, subjects, stream and consumers.

There are two brokers, ``secure`` (mTLS devices) and ``plain`` (sealed traffic only), each with its own
durable stream. A message on topic ``d/<device>/up/<channel>`` becomes the subject
``u.<partition>.<device>.<channel>``; everything of one device lies in one partition, so in order.
"""

import enum
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings

__all__ = [
    "CONTROL_SUBJECT",
    "DEVICES_ACCOUNT",
    "DOWNLINK_SUBJECT",
    "DOWN_CHANNELS",
    "PARTITIONS",
    "STREAM",
    "UP_CHANNELS",
    "Broker",
    "Link",
    "User",
    "consumer_name",
    "link",
    "partition_of",
    "password_of",
]

STREAM: Final = "$MQTT_msgs"
"""The broker's own stream: the one thing that is written before a publish is acknowledged."""

CONTROL_SUBJECT: Final = "doorstep.control"
"""Anything published here makes the authorizer look for open revocations at once."""

DOWNLINK_SUBJECT: Final = "doorstep.downlink"
"""Anything published here makes the role ``downlink`` look into its queue at once."""

DEVICES_ACCOUNT: Final = "IOT"
"""NATS account in which devices and ingest live."""

PARTITIONS: Final = 4
"""Ingest can be split over so many workers. Changing it needs empty streams."""

UP_CHANNELS: Final = ("data", "state", "event", "ack")
"""What a device may publish on."""

DOWN_CHANNELS: Final = ("cmd", "config", "keys")
"""What the platform sends down on."""

_FNV_OFFSET: Final = 2166136261
_FNV_PRIME: Final = 16777619


class Broker(enum.StrEnum):
    """One of the two brokers, by its name in tables, files and settings."""

    SECURE = "secure"  # mutual TLS: the certificate says who
    PLAIN = "plain"  # no TLS: a sealed one-time proof says who


class User(enum.StrEnum):
    """Our own users of a broker; every other connection is judged by the authorizer."""

    INGEST = "ingest"  # reads the stream; in the devices' account
    AUTH = "auth"  # answers the broker's questions about devices
    SYS = "sys"  # closes connections, hears that they ended
    BRIDGE = "bridge"  # an operator's Mosquitto that carries its devices' messages, over mTLS alone


@dataclass(frozen=True, slots=True)
class Link:
    """How one of our users reaches one broker."""

    host: str
    port: int
    user: User
    password: str = field(repr=False)

    @property
    def address(self) -> str:
        """Without credentials, so it may be shown."""
        return f"nats://{self.host}:{self.port}"


def link(settings: Settings, key_file: KeyFile, broker: Broker, user: User) -> Link:
    """Return the way to a broker, embedded or the operator's own."""
    url, port = {
        Broker.SECURE: (settings.nats_secure_url, settings.nats_secure_port),
        Broker.PLAIN: (settings.nats_plain_url, settings.nats_plain_port),
    }[broker]
    parts = urlsplit(url or f"nats://127.0.0.1:{port}")
    return Link(parts.hostname or "127.0.0.1", parts.port or 4222, user, password_of(key_file, user))


def password_of(key_file: KeyFile, user: User) -> str:
    """Return a service user's password."""
    return key_file.derive(f"nats/{user}").hex()


def consumer_name(partition: int) -> str:
    """Return the durable consumer of one partition."""
    return f"ingest-{partition}"


def partition_of(device_id: str) -> int:
    """Return the partition as the broker computes it: FNV-1a (32 bit) of the token."""
    digest = _FNV_OFFSET
    for byte in device_id.encode():
        digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return digest % PARTITIONS
