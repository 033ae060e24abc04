"""Forms of the board's page: strict decoding into octets, every field with its cap."""

from collections.abc import Mapping
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.wire.provisioning.delivery import MAX_SERVER, MAX_TOKEN
from doorstep.wire.provisioning.scan import MAX_SSID

__all__ = ["FIELDS", "FORM_TYPE", "MAX_FORM", "decode_form", "decode_ssid", "shown"]

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MAX_FORM: Final = 4096
"""Bytes of a form as sent; a field's cap counts the octets that it stands for."""
MAX_PASSPHRASE: Final = 64

FIELDS: Final[Mapping[str, int]] = {
    "key": 32,  # the visit's own form key
    "ssid": 2 * MAX_SSID,  # hexadecimal; empty stands for the name typed by hand
    "name": MAX_SSID,
    "password": MAX_PASSPHRASE,
    "code": 64,
    "token": MAX_TOKEN,
    "server": MAX_SERVER,
    "view": 5,
    "lang": 2,
    "stay": 1,
}
"""Every field of every form, and the most octets of its value."""

_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


def decode_form(data: bytes) -> dict[str, bytes]:
    """Return a query's or a form's values as octets; raises `MalformedMessage` on anything odd."""
    if len(data) > MAX_FORM:
        raise MalformedMessage(f"a form has at most {MAX_FORM} bytes")
    values: dict[str, bytes] = {}
    for pair in data.split(b"&") if data else ():
        raw_name, _, raw = pair.partition(b"=")
        name = _octets(raw_name).decode("latin-1")
        if name not in FIELDS or name in values:
            raise MalformedMessage(f"the form has a field {name[:16]!r} that is unknown or given twice")
        value = _octets(raw)
        if len(value) > FIELDS[name]:
            raise MalformedMessage(f"the field {name!r} has more than {FIELDS[name]} bytes")
        values[name] = value
    return values


def decode_ssid(value: bytes) -> bytes:
    """Return the octets of a network's name from its hexadecimal digits."""
    if len(value) % 2 or not _HEX.issuperset(value):
        raise MalformedMessage("the network's name is not in hexadecimal digits")
    return bytes.fromhex(value.decode("ascii"))


def shown(ssid: bytes) -> str:
    """Return a network's name for a screen: what has no shape stands as an escape."""
    text = ssid.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _octets(raw: bytes) -> bytes:
    head, *rest = raw.replace(b"+", b" ").split(b"%")
    for part in rest:
        if len(part) < 2 or not _HEX.issuperset(part[:2]):  # noqa: PLR2004 - two digits an octet
            raise MalformedMessage("the form has a percent sign without two hexadecimal digits")
    return head + b"".join(bytes.fromhex(part[:2].decode("ascii")) + part[2:] for part in rest)
