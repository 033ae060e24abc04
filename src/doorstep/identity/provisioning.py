"""The provisioning file: everything the factory puts into one device, as JSON.

The factory writes it and the device reads it; the format is theirs together. It holds the device's private
key and root key, so it goes into the device, mode 0600, and nowhere else. Binary values are base64.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

import msgspec

from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.errors import MalformedMessage
from doorstep.identity.ids import check_device_id, check_product_key, check_serial, parse_hardware_id
from doorstep.identity.methods import OnboardingMethod
from doorstep.wire import jsontext

__all__ = [
    "METHODS_CAP",
    "METHODS_OF_OLD_FILES",
    "PROVISIONING_CAP",
    "ROOT_KEY_LENGTH",
    "MalformedProvisioning",
    "Provisioning",
    "SealedVariant",
    "Servers",
    "SetupVerifier",
]

PROVISIONING_CAP: Final = 16_384
"""Bytes of a provisioning file."""

ROOT_KEY_LENGTH: Final = 32
"""Bytes of the root key of sealed messages."""

METHODS_CAP: Final = 64
"""Onboarding methods in a file."""

METHODS_OF_OLD_FILES: Final[tuple[str, ...]] = (
    OnboardingMethod.PROTOCOMM_SEC2.value,
    OnboardingMethod.SEALED_CREDENTIALS.value,
)
"""What a file without ``onboarding`` means: the secure ones."""

SealedVariant = Literal["ratchet-8", "ratchet-16", "static-8", "static-16"]
"""The variants of docs/spec/sealed.md section 9."""

_METHOD: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class MalformedProvisioning(MalformedMessage):
    """Text is not a provisioning file."""


@dataclass(frozen=True, slots=True)
class SetupVerifier:
    """What the device needs for protocomm: for security 2 never the code itself."""

    service_name: str
    """Name of its access point or BLE advertisement, as the label says."""
    username: str
    salt: bytes = field(repr=False)
    verifier: bytes = field(repr=False)
    code: str | None = field(default=None, repr=False)
    """The code, only for security 1 (``protocomm-sec1``, ``protocomm-console``), which cannot do without."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the device finds its maker's platform."""

    device_api: str
    mqtt_host: str
    mqtt_tls_port: int
    mqtt_plain_port: int


@dataclass(frozen=True, slots=True)
class Provisioning:
    """One device's identity, secrets and servers."""

    device_id: str
    serial: str
    product: str
    hardware_id: str | None
    private_key: str = field(repr=False)
    """PEM PKCS#8 of the factory key; empty where that is in a secure element, or where there is none."""
    certificate_chain: str
    """PEM: the IDevID, then the factory CA; empty where the root key is the identity."""
    trust_anchor: str
    """PEM: the maker's device root CA."""
    root_key: bytes = field(repr=False)
    setup: SetupVerifier
    servers: Servers
    version: Literal[1] = 1
    onboarding: tuple[str, ...] = METHODS_OF_OLD_FILES
    """Keys of the onboarding methods that the device opens, and no others."""
    identity: Literal["certificate", "symmetric_key", "secure_element"] = "certificate"
    """Whether the device signs with a factory key, has no key but its root, or signs by its element."""
    sealed: SealedVariant = "ratchet-8"
    """How the device seals (docs/spec/sealed.md section 9)."""

    def to_json(self) -> bytes:
        """Return the file's content."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a file and check that every part is usable and nothing unknown is there.

        Raises `MalformedMessage`, without repeating any value.
        """
        if len(data) > PROVISIONING_CAP:
            raise MalformedProvisioning(f"a provisioning file has at most {PROVISIONING_CAP} bytes")
        try:
            made = jsontext.decode(data, cls)
            known = msgspec.json.decode(msgspec.json.encode(made)) == _with_newer_fields(data)
        except jsontext.NotJson as error:
            raise MalformedProvisioning(f"this is not a provisioning file: {error}") from error
        if not known:
            raise MalformedProvisioning("a provisioning file has no other fields than the factory writes")
        _check(made)
        return made


def _with_newer_fields(data: bytes) -> Any:
    """Return what a file says, with the fields that the first ones did not have."""
    given = jsontext.decode(data, dict[str, Any])
    setup = {"code": None} | given["setup"]
    newer = {"onboarding": list(METHODS_OF_OLD_FILES), "identity": "certificate", "sealed": "ratchet-8"}
    return newer | given | {"setup": setup}


def _check(made: Provisioning) -> None:
    if not 1 <= len(made.onboarding) <= METHODS_CAP or len(set(made.onboarding)) != len(made.onboarding):
        raise MalformedProvisioning(f"a device has 1 to {METHODS_CAP} onboarding methods, each once")
    if not all(map(_METHOD.fullmatch, made.onboarding)):
        raise MalformedProvisioning("an onboarding method's key has small letters, digits and dashes")
    check_device_id(made.device_id)
    check_serial(made.serial)
    check_product_key(made.product)
    if made.hardware_id is not None:
        parse_hardware_id(made.hardware_id)
    if len(made.root_key) != ROOT_KEY_LENGTH:
        raise MalformedProvisioning(f"a root key has {ROOT_KEY_LENGTH} bytes")
    Certificate.from_pem(made.trust_anchor.encode())
    if made.identity == "symmetric_key":
        if made.private_key or made.certificate_chain:
            raise MalformedProvisioning("a device whose identity is its root key has no factory key")
        return
    idevid = load_chain(made.certificate_chain.encode())[0]
    _check_key(made, idevid)
    if made.device_id != idevid.common_name:
        raise MalformedProvisioning("the IDevID belongs to another device")


def _check_key(made: Provisioning, idevid: Certificate) -> None:
    if made.identity == "secure_element":
        if made.private_key or made.hardware_id is None:
            raise MalformedProvisioning("a secure element has a serial number and gives its key to nobody")
    elif PrivateKey.from_pkcs8(made.private_key.encode()).public_key.spki != idevid.public_key.spki:
        raise MalformedProvisioning("the private key is not the IDevID's")
