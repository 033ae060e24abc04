"""The set-up label: the QR code's text that phone apps and `doorstep provision` read."""

import enum
import json
import re
from dataclasses import dataclass, field
from typing import Any

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.protocomm.credentials import USERNAME

__all__ = ["MAX_LABEL", "SEC1", "SEC2", "SetupLabel", "Transport"]

MAX_LABEL = 1024
MAX_NAME = 32
MAX_SECRET = 64
VERSION = "v1"
SEC1, SEC2 = 1, 2
REQUIRED = {"ver", "name", "transport"}
KEYS = REQUIRED | {"username", "pop", "security", "password", "network", "fingerprint", "oob"}
FINGERPRINT = re.compile("[0-9a-f]{64}")


class Transport(enum.Enum):
    """How the device is reached."""

    SOFTAP = "softap"
    BLE = "ble"


@dataclass(frozen=True, slots=True)
class SetupLabel:
    """What a label pins: name, scheme, user name and code.

    ``password`` is the access point's key; ``fingerprint`` is the SHA-256 of the set-up server's certificate
    in 64 lower-case hexadecimal digits: a device whose label has it is spoken to over HTTPS alone. ``oob`` is
    the out-of-band data of its Bluetooth pairing, as `OobData.text`.
    """

    name: str
    username: str
    pop: str = field(repr=False)
    transport: Transport = Transport.SOFTAP
    security: int = SEC2
    password: str = field(default="", repr=False)
    network: str = "wifi"
    fingerprint: str = ""
    oob: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Check what no label may lack."""
        if not 1 <= len(self.name.encode()) <= MAX_NAME:
            raise SettingsError(f"A device's set-up name has 1 to {MAX_NAME} bytes.")
        if self.security not in (0, SEC1, SEC2) or self.network not in ("wifi", "thread"):
            raise SettingsError("A label names security 0, 1 or 2 and the network wifi or thread.")
        if self.security == SEC2 and not (self.username and self.pop):
            raise SettingsError(
                "The label promises security 2 but lacks the user name or the code.",
                next_step="Print the label with both, or ask the maker for the missing one.",
            )
        if self.security == SEC1 and not self.pop:
            raise SettingsError(
                "The label promises security 1 but lacks the code, without which it protects nothing.",
                next_step="Print the label with the code, or ask the maker for it.",
            )
        if max(len(self.username), len(self.pop), len(self.password), len(self.oob)) > MAX_SECRET:
            raise SettingsError(f"Nothing on a label is longer than {MAX_SECRET} characters.")

        if self.fingerprint and not FINGERPRINT.fullmatch(self.fingerprint):
            raise SettingsError("A label's fingerprint has 64 lower-case hexadecimal digits.")

    def encode(self) -> str:
        """Return the QR text; scheme and user name always stand in it, because apps guess differently."""
        values: dict[str, Any] = {
            "ver": VERSION,
            "name": self.name,
            "username": self.username,
            "pop": self.pop,
        }
        values |= {"transport": self.transport.value, "security": self.security}
        if self.password:
            values["password"] = self.password
        values["network"] = self.network
        if self.fingerprint:
            values["fingerprint"] = self.fingerprint
        if self.oob:
            values["oob"] = self.oob
        return json.dumps(values, separators=(",", ":"), ensure_ascii=True)

    def encode_wifi(self) -> str:
        """Return the QR text by which a phone's camera joins the device's access point (``WIFI:``)."""
        kind = f"T:WPA;P:{_escaped(self.password)};" if self.password else "T:nopass;"
        return f"WIFI:{kind}S:{_escaped(self.name)};;"

    @classmethod
    def typed(cls, code: str) -> "SetupLabel":
        """Return what our own label pins, from its printed set-up code."""
        return cls(name=USERNAME, username=USERNAME, pop="".join(code.lower().split()))

    @classmethod
    def decode(cls, text: str) -> "SetupLabel":
        """Read a QR text; raises `MalformedMessage` on no label, `SettingsError` on a useless one."""
        values = _read(text)
        try:
            transport = Transport(values["transport"])
        except ValueError:
            raise MalformedMessage(f"the label's transport {values['transport'][:16]!r} is unknown") from None
        return cls(
            name=values["name"],
            username=values.get("username", ""),
            pop=values.get("pop", ""),
            transport=transport,
            security=values.get("security", SEC2),
            password=values.get("password", ""),
            network=values.get("network", "wifi"),
            fingerprint=values.get("fingerprint", ""),
            oob=values.get("oob", ""),
        )


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in '\\;,:"' else char for char in text)


def _read(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text) if len(text) <= MAX_LABEL else None
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise MalformedMessage(
            "the label's text is not a set-up code", next_step="Scan the code with 'ver' and 'name' in it."
        )
    if unknown := values.keys() - KEYS:
        raise MalformedMessage(f"the label has an unknown entry {min(unknown)[:16]!r}")
    if missing := REQUIRED - values.keys():
        raise MalformedMessage(f"the label lacks {min(missing)!r}")
    for key, value in values.items():
        if type(value) is not (int if key == "security" else str):
            raise MalformedMessage(f"the label's entry {key!r} has the wrong type")
    if values["ver"] != VERSION:
        raise MalformedMessage(f"the label has version {values['ver'][:8]!r}, not {VERSION!r}")
    return values
