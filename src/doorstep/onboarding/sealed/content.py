"""What is inside a sealed blob: networks to try, the registration order, the owner's release.

Deterministic CBOR ``{1: [[ssid, passphrase], …], ? 2: [token, server, alias], ? 3: release}``, padded with
80 00 … to a multiple of 64 bytes, so that its length tells little of the password's.
"""

from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.failures import MalformedBlob
from doorstep.wire import cbor

__all__ = ["CONTENT_CAP", "MAX_NETWORKS", "PADDING", "RELEASE_CAP", "SealedContent"]

MAX_NETWORKS: Final = 4
"""Networks in one blob; the device tries them in their order."""

PADDING: Final = 64
"""The padded content's length is a multiple of it."""

RELEASE_CAP: Final = 1024
"""Bytes of a release."""

CONTENT_CAP: Final = 2688
"""Bytes of the padded content: what the largest networks, order and release need, rounded up."""

_NETWORKS, _ORDER, _RELEASE = 1, 2, 3
_MARK: Final = b"\x80"


@dataclass(frozen=True, slots=True)
class SealedContent:
    """Raises MisuseError for no network or too many, one with details, and what cannot be a release."""

    networks: tuple[NetworkCredentials, ...]
    order: RegistrationOrder | None = None
    release: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Refuse what no device would read."""
        if not 1 <= len(self.networks) <= MAX_NETWORKS:
            raise MisuseError(
                f"sealed credentials hold 1 to {MAX_NETWORKS} networks, not {len(self.networks)}",
                next_step="Name the networks that the device shall try first.",
            )
        for network in self.networks:
            network.check_plain("A sealed blob")
        if len(self.release) > RELEASE_CAP:
            raise MisuseError(f"a release has at most {RELEASE_CAP} bytes")

    def encode(self) -> bytes:
        """Return the padded bytes; access point and channel are left out, because the device finds them."""
        fields: dict[int, cbor.Value] = {
            _NETWORKS: [[network.ssid, network.passphrase] for network in self.networks]
        }
        if self.order is not None:
            fields[_ORDER] = [self.order.token, self.order.server, self.order.alias]
        if self.release:
            fields[_RELEASE] = self.release
        marked = cbor.encode(fields) + _MARK
        return marked + bytes(-len(marked) % PADDING)

    @classmethod
    def decode(cls, data: bytes) -> "SealedContent":
        """Read padded bytes, all checked once; raises MalformedBlob, which repeats nothing of them."""
        try:
            return _content(cbor.decode(_unpadded(data), max_bytes=CONTENT_CAP))
        except (MalformedMessage, MisuseError) as error:
            if isinstance(error, MalformedBlob):
                raise
            raise MalformedBlob("their content holds a value that cannot be") from None


def _unpadded(data: bytes) -> bytes:
    body = data.rstrip(b"\0")
    short = len(data) - len(body) < PADDING
    if len(data) % PADDING or not short or len(data) > CONTENT_CAP or body[-1:] != _MARK:
        raise MalformedBlob("their content is not padded")
    return body[:-1]


def _content(value: cbor.Value) -> SealedContent:
    if not isinstance(value, dict) or not value.keys() <= {_NETWORKS, _ORDER, _RELEASE}:
        raise MalformedBlob("their content is not a map of networks, order and release")
    networks = value.get(_NETWORKS)
    if not isinstance(networks, list):
        raise MalformedBlob("their content names no networks")
    order = _order(value[_ORDER]) if _ORDER in value else None
    release = _release(value[_RELEASE]) if _RELEASE in value else b""
    return SealedContent(tuple(_network(one) for one in networks), order, release)


def _network(value: cbor.Value) -> NetworkCredentials:
    match value:
        case [bytes(ssid), bytes(passphrase)]:
            return NetworkCredentials(ssid, passphrase)
        case _:
            raise MalformedBlob("a network is its name and its password")


def _order(value: cbor.Value) -> RegistrationOrder:
    match value:
        case [bytes(token), str(server), str(alias)]:
            return RegistrationOrder(token, server, alias)
        case _:
            raise MalformedBlob("an order is token, server and name")


def _release(value: cbor.Value) -> bytes:
    if not isinstance(value, bytes) or not value:
        raise MalformedBlob("a release is bytes")
    return value
