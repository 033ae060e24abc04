"""The rules of the advice: what damage asks for, what a chip can carry, what the platform does today."""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.situation import Chip, Damage

__all__ = ["AVAILABLE", "NEEDS", "ONBOARDING_RISKS", "REACHES", "OnboardingMethod", "name_of"]


class OnboardingMethod(enum.StrEnum):
    """How the device gets onto the customer's network."""

    MICRO_AP = "micro-ap"
    """The device's own access point with WPA2 and a page."""
    PROTOCOMM_SEC2 = "protocomm-sec2"
    """Protocomm with security 2 over the device's access point; the label's code starts it."""
    SEALED_CREDENTIALS = "sealed-credentials"
    """One touch: the network's password encrypted to the device's factory key; nothing to read."""


AVAILABLE: Final = frozenset(
    {
        IdentityMethod.SYMMETRIC_KEY,
        IdentityMethod.CERTIFICATE,
        IdentityMethod.SECURE_ELEMENT,
        *OnboardingMethod,
    }
)
"""What the platform does today; everything else is shown as not yet there."""

NEEDS: Final[Mapping[Damage, tuple[IdentityMethod, str]]] = {
    Damage.NUISANCE: (
        IdentityMethod.HARDWARE_ID,
        "If nobody gains by an attack, an allow-list of hardware ids and a block-list suffice.",
    ),
    Damage.SERVICE: (
        IdentityMethod.CLAIM_CODE,
        "If it is about who may use the service, a code that only the box holds ties buyer and device.",
    ),
    Damage.DATA: (
        IdentityMethod.SYMMETRIC_KEY,
        "Data that must not be read or forged needs a key in each device, which no code on paper gives.",
    ),
    Damage.CONTROL: (
        IdentityMethod.CERTIFICATE,
        (
            "What switches things needs a key that only the device holds, so that a break-in at the platform "
            "does not give away every device."
        ),
    ),
    Damage.SAFETY: (
        IdentityMethod.SECURE_ELEMENT,
        "Where people can be hurt, nobody may copy a device by reading its memory.",
    ),
}
"""Damage → the weakest method that answers to it, and why."""

REACHES: Final[Mapping[Chip, tuple[IdentityMethod, str]]] = {
    Chip.NO_CRYPTO: (IdentityMethod.CLAIM_CODE, "a chip without cryptography can't hold a key to any use"),
    Chip.AES: (IdentityMethod.SYMMETRIC_KEY, "a chip with AES alone can seal messages but not sign"),
    Chip.TLS: (IdentityMethod.SECURE_ELEMENT, "the chip can sign, and a secure element can be added"),
    Chip.SECURE_ELEMENT: (IdentityMethod.SECURE_ELEMENT, "the secure element is on the board"),
}
"""Chip → the strongest method it can carry, and why."""

ONBOARDING_RISKS: Final[Mapping[OnboardingMethod, str]] = {
    OnboardingMethod.MICRO_AP: "Whoever has the label's password can listen to the set-up and read the "
    "customer's Wi-Fi password.",
    OnboardingMethod.PROTOCOMM_SEC2: "Whoever photographed the label and stands near the device while it "
    "waits for a network can set it up; the claim policy still decides who owns it.",
    OnboardingMethod.SEALED_CREDENTIALS: "Who names another device's serial seals the Wi-Fi password "
    "for that one, and gives it to whoever holds it.",
}


def name_of(method: enum.Enum) -> str:
    """Write a method as people do: ``hardware_id`` becomes ``hardware id``."""
    return str(method.value).replace("_", " ")
