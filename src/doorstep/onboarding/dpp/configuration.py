"""What the configuration protocol carries: the enrollee's request and the configuration object (§4.4)."""

import base64
import binascii
import enum
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.dpp.connector import jwk, key_name, sign_connector
from doorstep.onboarding.network import MAX_PASSPHRASE, NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.wire import base64url, jsontext

__all__ = ["Akm", "Configuration", "EnrolleeRequest", "decode_network", "decode_order"]

MAX_OBJECT: Final = 4096
MAX_NAME: Final = 64
TECHNOLOGY: Final = "infra"
ORDER: Final = "doorstep"
PSK_ROUNDS: Final = 4096
PSK_SIZE: Final = 32


class Akm(enum.Enum):
    """How the device is to authenticate to the network."""

    PSK = "psk"
    """WPA2 with the password."""
    SAE = "sae"
    """WPA3 with the password."""
    PSK_SAE = "psk+sae"
    """Either, whatever the access point speaks."""
    DPP = "dpp"
    """A connector, no password: for access points of the same configurator."""


@dataclass(frozen=True, slots=True)
class EnrolleeRequest:
    """What the device says of itself; ``role`` is ``sta``, ``ap`` or ``configurator``."""

    name: str
    role: str = "sta"

    def encode(self) -> bytes:
        """Return the JSON."""
        return _dump({"name": self.name, "wi-fi_tech": TECHNOLOGY, "netRole": self.role})

    @classmethod
    def decode(cls, text: bytes) -> "EnrolleeRequest":
        """Read the JSON; raises `MalformedMessage`. Entries of later versions are skipped."""
        values = _load(text)
        name, role = _text(values, "name"), _text(values, "netRole")
        if _text(values, "wi-fi_tech") != TECHNOLOGY:
            raise MalformedMessage("the device asks for another kind of network than Wi-Fi's infrastructure")
        shown = "".join(char if char.isprintable() else " " for char in name)
        return cls(shown[:MAX_NAME], role)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The network that devices get; raises `SettingsError` on one that Easy Connect cannot carry."""

    network: NetworkCredentials
    akm: Akm = Akm.PSK_SAE
    signer: PrivateKey | None = field(default=None, repr=False)
    """The configurator's signing key, for `Akm.DPP`."""
    order: RegistrationOrder | None = None
    """Ours: what a device of Doorstep's registers with; others skip it."""

    def __post_init__(self) -> None:
        """Check that the parts fit."""
        if not self.network.ssid:
            raise SettingsError("Easy Connect names the network, so it cannot have an empty name.")
        self.network.check_plain("Easy Connect")
        if (self.akm is Akm.DPP) != (self.signer is not None):
            raise SettingsError("A signing key and the way of joining dpp need each other.")
        if self.akm is not Akm.DPP and not self.network.passphrase:
            raise SettingsError(
                "Easy Connect carries no open network.",
                next_step="Give the network a password, or set the device up another way.",
            )
        if self.akm is Akm.SAE and _password(self.network) is None:
            raise SettingsError(
                "WPA3 needs the password itself, as text.", next_step="Give the password, not its key."
            )

    def encode(self, holder: PublicKey) -> bytes:
        """Return the configuration object for the enrollee whose protocol key is ``holder``."""
        found: dict[str, Any] = {"wi-fi_tech": TECHNOLOGY, "discovery": _discovery(self.network.ssid)}
        found["cred"] = self._credentials(holder)
        if self.order is not None:
            token = base64url.encode(self.order.token)
            found[ORDER] = {"token": token, "server": self.order.server, "alias": self.order.alias}
        return _dump(found)

    def _credentials(self, holder: PublicKey) -> dict[str, Any]:
        if self.signer is not None:
            csign = jwk(self.signer.public_key) | {"kid": key_name(self.signer.public_key)}
            return {
                "akm": self.akm.value,
                "signedConnector": sign_connector(self.signer, holder),
                "csign": csign,
            }
        password = _password(self.network)
        if password is not None:
            return {"akm": self.akm.value, "pass": password}
        return {"akm": Akm.PSK.value, "psk_hex": _psk(self.network).hex()}


def decode_network(text: bytes) -> NetworkCredentials:
    """Read a configuration object with a password; raises `MalformedMessage` or `SettingsError`."""
    values = _load(text)
    found, cred = values.get("discovery"), values.get("cred")
    if values.get("wi-fi_tech") != TECHNOLOGY or not isinstance(found, dict) or not isinstance(cred, dict):
        raise MalformedMessage("an Easy Connect configuration lacks its network or its credentials")
    if _text(cred, "akm") not in {akm.value for akm in Akm} - {Akm.DPP.value}:
        raise SettingsError("The configuration is for a way of joining that this device does not know.")
    passphrase = _text(cred, "pass") if "pass" in cred else _text(cred, "psk_hex")
    return NetworkCredentials(_ssid(found), passphrase.encode())


def decode_order(text: bytes) -> RegistrationOrder | None:
    """Read the registration order of a configuration object; raises `MalformedMessage` or `SettingsError`."""
    order = _load(text).get(ORDER)
    if order is None:
        return None
    if not isinstance(order, dict):
        raise MalformedMessage("an Easy Connect configuration has a broken registration order")
    token = _octets(_text(order, "token"))
    return RegistrationOrder(token, _text(order, "server"), _text(order, "alias"))


def _discovery(ssid: bytes) -> dict[str, str]:
    text = _as_text(ssid)
    if text is not None:
        return {"ssid": text}
    return {"ssid64": base64url.encode(ssid)}


def _ssid(found: dict[str, Any]) -> bytes:
    if "ssid64" in found:
        return _octets(_text(found, "ssid64"))
    return _text(found, "ssid").encode()


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise MalformedMessage("an Easy Connect configuration has a broken network name or token") from None


def _password(network: NetworkCredentials) -> str | None:
    """Return the password as text, None where it is a key or no text."""
    return _as_text(network.passphrase) if len(network.passphrase) <= MAX_PASSPHRASE else None


def _psk(network: NetworkCredentials) -> bytes:
    """Return the key of WPA2 (IEEE 802.11 §J.4.1)."""
    if len(network.passphrase) > MAX_PASSPHRASE:
        return bytes.fromhex(network.passphrase.decode("ascii"))
    return hashlib.pbkdf2_hmac("sha1", network.passphrase, network.ssid, PSK_ROUNDS, PSK_SIZE)


def _as_text(octets: bytes) -> str | None:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _load(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_OBJECT:
        raise MalformedMessage(f"an Easy Connect object has more than {MAX_OBJECT} bytes")
    return jsontext.decode(text, dict[str, Any])


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise MalformedMessage(f"an Easy Connect object has no {key!r}")
    return value
