"""The Easy Connect label: the bootstrapping URI that a QR code or an NFC tag holds (specification §5.2.1).

``DPP:C:81/6;M:020000000001;I:name;V:2;K:<base64 of the public key>;;`` It holds nothing secret: who
photographs it learns a public key.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage

__all__ = ["MAX_URI", "BootstrapUri", "MalformedUri", "key_hash"]

MAX_URI: Final = 512
MAX_INFO: Final = 128
MAX_CHANNELS: Final = 30
MAX_FIELDS: Final = 16
MAX_CHANNEL_NUMBER: Final = 255
MAC_SIZE: Final = 6
VERSION: Final = 2
SPKI_PREFIX: Final = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
"""DER of a SubjectPublicKeyInfo up to its compressed P-256 point."""
PREFIX: Final = "DPP:"
CHANNEL: Final = re.compile(r"(?:([0-9]{1,3})/)?([0-9]{1,3})")
FIELD: Final = re.compile(r"([A-Z]):([\x20-\x3a\x3c-\x7e]*);")


class MalformedUri(MalformedMessage):
    """Text is not an Easy Connect label."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"This is not an Easy Connect code: {what}.",
            next_step="Scan the code that begins with DPP: once more, in good light.",
        )


@dataclass(frozen=True, slots=True)
class BootstrapUri:
    """What a label says; ``channels`` are pairs of global operating class and channel number."""

    key: PublicKey
    mac: bytes = b""
    info: str = ""
    channels: tuple[tuple[int, int], ...] = ()
    version: int = VERSION

    def __post_init__(self) -> None:
        """Check what no label can have."""
        if len(self.mac) not in (0, MAC_SIZE):
            raise MalformedUri(f"an address has {MAC_SIZE} bytes")
        if len(self.info) > MAX_INFO or not re.fullmatch(r"[\x20-\x3a\x3c-\x7e]*", self.info):
            raise MalformedUri(f"its note is longer than {MAX_INFO} characters or has other than plain ones")
        if not 1 <= self.version <= 9:  # noqa: PLR2004 - one digit
            raise MalformedUri("its version is not one digit")
        if len(self.channels) > MAX_CHANNELS:
            raise MalformedUri(f"it names more than {MAX_CHANNELS} channels")
        if any(not 1 <= number <= MAX_CHANNEL_NUMBER for pair in self.channels for number in pair):
            raise MalformedUri("it names a channel that cannot exist")

    def encode(self) -> str:
        """Return the text, in the order of the specification."""
        channels = ",".join(f"{kind}/{channel}" for kind, channel in self.channels)
        fields = [("C", channels), ("M", self.mac.hex()), ("I", self.info)]
        text = "".join(f"{name}:{value};" for name, value in fields if value)
        key = base64.b64encode(SPKI_PREFIX + self.key.compressed).decode()
        return f"{PREFIX}{text}V:{self.version};K:{key};;"

    @classmethod
    def decode(cls, text: str) -> "BootstrapUri":
        """Read a label's text; raises `MalformedUri`. Fields of later versions are skipped."""
        fields = _fields(text)
        if "K" not in fields:
            raise MalformedUri("it has no key")
        version = fields.get("V", "1")
        return cls(
            key=_key(fields["K"]),
            mac=_mac(fields.get("M", "")),
            info=fields.get("I", ""),
            channels=_channels(fields.get("C", "")),
            version=int(version) if re.fullmatch("[0-9]", version) else 0,
        )

    @property
    def key_hash(self) -> bytes:
        """What frames call the key by, 32 bytes."""
        return key_hash(self.key)

    @property
    def chirp_hash(self) -> bytes:
        """What a device calls itself by while it asks for a configurator, 32 bytes (§6.2.1)."""
        return key_hash(self.key, b"chirp")


def key_hash(key: PublicKey, prefix: bytes = b"") -> bytes:
    """Return the SHA-256 of ``prefix`` and the key's DER with a compressed point."""
    return hashlib.sha256(prefix + SPKI_PREFIX + key.compressed).digest()


def _fields(text: str) -> dict[str, str]:
    if len(text) > MAX_URI:
        raise MalformedUri(f"it is longer than {MAX_URI} characters")
    if not text.startswith(PREFIX) or not text.endswith(";;"):
        raise MalformedUri("it does not begin with DPP: or does not end with ;;")
    fields: dict[str, str] = {}
    at, end = len(PREFIX), len(text) - 1
    while at < end:
        found = FIELD.match(text, at, end)
        if found is None or found[1] in fields or len(fields) == MAX_FIELDS:
            raise MalformedUri("it has a broken or repeated part, or too many")
        fields[found[1]] = found[2]
        at = found.end()
    return fields


def _key(value: str) -> PublicKey:
    try:
        der = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise MalformedUri("its key is not base64") from None
    if not der.startswith(SPKI_PREFIX) or base64.b64encode(der).decode() != value:
        raise MalformedUri("its key is not a compressed P-256 key")
    return PublicKey.from_point(der[len(SPKI_PREFIX) :])


def _mac(value: str) -> bytes:
    if value and not re.fullmatch(r"[0-9A-Fa-f]{12}", value):
        raise MalformedUri("its address is not 12 hexadecimal digits")
    return bytes.fromhex(value)


def _channels(value: str) -> tuple[tuple[int, int], ...]:
    """Read ``81/1,6,115/36``: an operating class holds for the channels that follow it."""
    channels: list[tuple[int, int]] = []
    kind = 0
    for part in value.split(",") if value else ():
        found = CHANNEL.fullmatch(part)
        if found is None:
            raise MalformedUri("its list of channels is broken")
        kind = int(found[1]) if found[1] else kind
        channels.append((kind, int(found[2])))
    return tuple(channels)
