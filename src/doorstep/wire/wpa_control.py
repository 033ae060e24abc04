r"""The text that wpa_supplicant and hostapd speak on their control sockets: replies, events, escaped names.

A command is one datagram, its reply another. A datagram that begins with ``<level>`` is an event. Names of
networks are octets: they go in as hexadecimal digits and come out escaped as C's ``printf`` would (``\xff``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.wire.provisioning.scan import MAX_SSID, AuthMode, ScanEntry

__all__ = [
    "MAX_DATAGRAM",
    "ControlEvent",
    "channel_of",
    "decode_bss",
    "decode_event",
    "decode_fields",
    "decode_reply",
    "is_event",
    "unescape",
]

MAX_DATAGRAM: Final = 8192
"""Longer ones are refused; wpa_supplicant's own buffer holds 4096."""

MAX_LINES: Final = 256
MAX_FIELDS: Final = 64

_EVENT: Final = re.compile(r"<([0-7])>(\S+)(?: +(.*))?", re.DOTALL)
_FIELD: Final = re.compile(r'(?:^|[\s\[])([A-Za-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*?)(?=\]?(?:\s|$)))')
_ESCAPE: Final = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.|$)", re.DOTALL)
_LETTERS: Final = {b"\\": b"\\", b'"': b'"', b"e": b"\x1b", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_BSSID: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """Something happened; ``fields`` are the ``key=value`` pairs of its text, quotes and escapes undone."""

    name: str
    text: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold keys of networks, as after WPS or DPP."""


def is_event(datagram: bytes) -> bool:
    """Tell an event from a reply; no reply begins with ``<``."""
    return datagram.startswith(b"<")


def decode_event(datagram: bytes) -> ControlEvent:
    """Read an event; raises MalformedMessage."""
    found = _EVENT.fullmatch(_text(datagram).rstrip("\n"))
    if found is None:
        raise MalformedMessage("wpa_supplicant sent an event without a level or a name")
    text = found[3] or ""
    pairs = _FIELD.findall(text)
    if len(pairs) > MAX_FIELDS:
        raise MalformedMessage(f"wpa_supplicant sent an event with more than {MAX_FIELDS} fields")
    fields = {key: _plain(quoted) if quoted else bare for key, quoted, bare in pairs}
    return ControlEvent(found[2], text, fields)


def decode_reply(datagram: bytes) -> str:
    """Read a reply, without the line end; octets that are no UTF-8 stay as surrogates."""
    return _text(datagram).rstrip("\n")


def decode_fields(reply: str) -> dict[str, str]:
    """Read a reply of ``key=value`` lines, such as that to ``STATUS``; raises MalformedMessage."""
    lines = reply.split("\n") if reply else []
    if len(lines) > MAX_LINES:
        raise MalformedMessage(f"wpa_supplicant's reply has more than {MAX_LINES} lines")
    fields: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or not key:
            raise MalformedMessage("wpa_supplicant's reply has a line that is no key=value")
        fields[key] = value
    return fields


def decode_bss(reply: str) -> tuple[str, ScanEntry]:
    """Read the reply to ``BSS``: its number, to ask for the next one by, and the network heard."""
    fields = decode_fields(reply)
    try:
        number, bssid = fields["id"], fields["bssid"]
        frequency, level = int(fields["freq"]), int(fields["level"])
        ssid, flags = unescape(fields["ssid"]), fields["flags"]
    except (KeyError, ValueError) as error:
        raise MalformedMessage("wpa_supplicant described a network without its address or signal") from error
    if not (number.isascii() and number.isdecimal()) or not _BSSID.fullmatch(bssid) or len(ssid) > MAX_SSID:
        raise MalformedMessage("wpa_supplicant described a network that cannot exist")
    octets = bytes.fromhex(bssid.replace(":", ""))
    return number, ScanEntry(ssid, channel_of(frequency), level, octets, _auth(flags))


def unescape(text: str) -> bytes:
    r"""Return the octets of a name as wpa_supplicant prints it: ``\\``, ``\"``, ``\e \n \r \t``, ``\xNN``."""

    def octet(found: "re.Match[bytes]") -> bytes:
        escape = found[1]
        if escape[:1] == b"x" and len(escape) > 1:
            return bytes.fromhex(escape[1:].decode("ascii"))
        if escape not in _LETTERS:
            raise MalformedMessage("wpa_supplicant escaped a name in a way that it never does")
        return _LETTERS[escape]

    return _ESCAPE.sub(octet, text.encode("utf-8", errors="surrogateescape"))


def channel_of(frequency: int) -> int:
    """Return the channel of a frequency in MHz, 0 for one that Wi-Fi does not use."""
    if frequency == 2484:  # noqa: PLR2004 - Japan's channel 14 stands alone
        return 14
    for first, last, base in ((2412, 2472, 2407), (5955, 7115, 5950), (5160, 5885, 5000)):
        if first <= frequency <= last:
            return (frequency - base) // 5
    return 0


def _auth(flags: str) -> AuthMode:
    sae, psk = "SAE" in flags, "PSK" in flags
    if "EAP" in flags:
        return AuthMode.WPA2_ENTERPRISE
    if sae:
        return AuthMode.WPA2_WPA3 if psk else AuthMode.WPA3
    if psk:
        old, new = "[WPA-" in flags, "[WPA2-" in flags or "[RSN-" in flags
        return AuthMode.WPA_WPA2 if old and new else AuthMode.WPA if old else AuthMode.WPA2
    if "WEP" in flags:
        return AuthMode.WEP
    return AuthMode.OTHER if "WPA" in flags or "RSN" in flags or "OWE" in flags else AuthMode.OPEN


def _plain(quoted: str) -> str:
    return unescape(quoted).decode("utf-8", errors="surrogateescape")


def _text(datagram: bytes) -> str:
    if len(datagram) > MAX_DATAGRAM:
        raise MalformedMessage(f"wpa_supplicant sent more than {MAX_DATAGRAM} bytes at once")
    return datagram.decode("utf-8", errors="surrogateescape")
