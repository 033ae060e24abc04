"""What a board's radio needs for pairing: the product's demand, a screen with a button, somebody to tell."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from doorstep.device.setup.gatt import Security
from doorstep.onboarding.attestation.phone import ENDPOINT as ATTESTATION
from doorstep.onboarding.ble.pairing import PairingEvent, PairingKind, PairingPolicy

__all__ = ["BlankScreen", "BoardPairing", "PairingScreen"]


class PairingScreen(Protocol):
    """Six digits and a button for yes; a board that never needs them has a `BlankScreen`."""

    def show(self, digits: str) -> None:
        """Show six digits until the next `clear`."""

    def clear(self) -> None:
        """Show nothing any more."""

    async def agree(self) -> bool:
        """Wait until the person says whether the phone shows the same digits."""
        ...


class BlankScreen:
    """A board without a screen; it never agrees to anything."""

    def show(self, digits: str) -> None:
        """Show nothing."""
        del digits

    def clear(self) -> None:
        """Show nothing."""

    async def agree(self) -> bool:
        """Say no: nobody has seen the digits."""
        return False


@dataclass(frozen=True, slots=True)
class BoardPairing:
    """How a `GattHost` pairs; ``rng`` returns that many unpredictable bytes."""

    policy: PairingPolicy = field(default_factory=PairingPolicy)
    screen: PairingScreen = field(default_factory=BlankScreen)
    notify: Callable[[PairingEvent], None] = lambda _event: None
    rng: Callable[[int], bytes] = os.urandom

    @property
    def security(self) -> Security:
        """What a door behind this asks of its characteristics."""
        if self.policy.demands_authenticated_key:
            return Security.AUTHENTICATED
        return Security.ENCRYPTED if self.policy.demands_key else Security.OPEN

    @property
    def before(self) -> frozenset[str]:
        """Endpoints that a phone may ask before it has paired.

        With out-of-band pairing the attestation, for which the platform tells the data to pair by. It is
        signed and holds no secret.
        """
        by_platform = self.policy.kind is PairingKind.OUT_OF_BAND
        return frozenset({ATTESTATION}) if by_platform else frozenset()
