"""How a device proves who it is, how far that can be trusted and what an attacker can still do."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ASSURANCE", "MADE_IDENTITIES", "Assurance", "AssuranceLevel", "IdentityMethod"]


class IdentityMethod(enum.Enum):
    """The maker's choice per product; any of them can be combined with a claim code and a button."""

    HARDWARE_ID = "hardware_id"
    """The device names its MAC or chip id."""
    CLAIM_CODE = "claim_code"
    """The customer types the scratch-off code."""
    SYMMETRIC_KEY = "symmetric_key"
    """The device seals messages with its 32-byte root key."""
    CERTIFICATE = "certificate"
    """The device signs with its P-256 key and shows its IDevID (IEEE 802.1AR)."""
    SECURE_ELEMENT = "secure_element"
    """A chip signs with a key that cannot be read out."""


MADE_IDENTITIES: Final = (
    IdentityMethod.CERTIFICATE,
    IdentityMethod.SYMMETRIC_KEY,
    IdentityMethod.SECURE_ELEMENT,
)
"""What ``doorstep factory batch`` can put into a device."""


class AssuranceLevel(enum.IntEnum):
    """How much a successful proof is worth; higher is better."""

    NONE = 0
    """Nothing is proved: whoever knows the name can use it."""
    BEARER = 1
    """Somebody holds a secret that was printed once; it proves nothing about the device itself."""
    DEVICE_KEY = 2
    """The device holds a key of its own, in memory that an attacker with the board can read."""
    HARDWARE_KEY = 3
    """The key never leaves its chip."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """One row of the table that the wizard, the portal and the documentation show."""

    level: AssuranceLevel
    device_holds: str
    proved_by: str
    residual_risk: str


ASSURANCE: Final[Mapping[IdentityMethod, Assurance]] = {
    IdentityMethod.HARDWARE_ID: Assurance(
        AssuranceLevel.NONE,
        device_holds="a MAC address or chip id only",
        proved_by="nothing; an allow-list, a block-list, rate limits and a watched first use narrow the door",
        residual_risk="Anyone who sees or guesses the address can pose as the device, from anywhere: "
        "addresses are printed, broadcast in the clear and follow each other in number.",
    ),
    IdentityMethod.CLAIM_CODE: Assurance(
        AssuranceLevel.BEARER,
        device_holds="nothing",
        proved_by="the customer, who types the scratch-off code once",
        residual_risk="Whoever scratches the label first, in the warehouse or the shop, can claim the "
        "device; the code says nothing about which device later sends data.",
    ),
    IdentityMethod.SYMMETRIC_KEY: Assurance(
        AssuranceLevel.DEVICE_KEY,
        device_holds="a 32-byte root key from the factory",
        proved_by="a sealed message",
        residual_risk="Whoever opens this device and reads its flash can copy this one device; the platform "
        "holds the same key, so a break-in there reaches every device.",
    ),
    IdentityMethod.CERTIFICATE: Assurance(
        AssuranceLevel.DEVICE_KEY,
        device_holds="a P-256 private key and its IDevID certificate",
        proved_by="a signature, or mutual TLS",
        residual_risk="Whoever opens this device and reads its flash can copy this one device; "
        "flash encryption makes that harder, not impossible.",
    ),
    IdentityMethod.SECURE_ELEMENT: Assurance(
        AssuranceLevel.HARDWARE_KEY,
        device_holds="a key inside a secure element and the chip maker's signed manifest",
        proved_by="a signature by a key that never leaves the chip",
        residual_risk="The chip can be unsoldered and used on another board, and code running on the device "
        "can ask it to sign; the key itself cannot be copied.",
    ),
}
"""Every method with its level and, in plain words, what an attacker can still do."""
