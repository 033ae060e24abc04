"""What is said of one onboarding method: who proves what, what an attacker can still do, what it needs."""

import enum
from dataclasses import dataclass

__all__ = ["Method", "Proof", "Role", "Standing"]


class Standing(enum.Enum):
    """What it takes to use a method."""

    DEFAULT = "on by default"
    CHOICE = "off by default"
    WEAK = "off by default; needs a person who accepts its risk"
    REFUSED = "never on a product"
    DOCUMENTED = "documented only"


class Role(enum.Enum):
    """A side of a method that Doorstep implements."""

    DEVICE = "device"
    CONFIGURATOR = "configurator"


@dataclass(frozen=True, slots=True)
class Proof:
    """A security claim and the test that shows it."""

    claim: str
    test: str
    """``path::name``, from the root of the source tree."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way onto the network; every text is for makers and their customers."""

    key: str
    """As products, commands and files name it; it stays for good."""
    name: str
    standing: Standing
    authenticates: str
    """Who proves what to whom."""
    eavesdropper: str
    active_attacker: str
    label_photo: str
    """What somebody can do who photographed the label."""
    steps: str
    """What the customer does."""
    without_sight: str
    many: str
    """Whether several devices can be set up in one go."""
    app: str
    """What the customer needs besides the device."""
    risk: str
    """One sentence: the most that an attacker can still do."""
    needs: str
    """Radio and software of the device."""
    roles: frozenset[Role]
    asks_for: frozenset[str] = frozenset()
    """Keys of methods of which one must be on as well."""
    excludes: frozenset[str] = frozenset()
    """Keys of methods that must be off, because an attacker would choose the weaker."""
    needs_device_key: bool = False
    """Whether only a device with a P-256 factory key can do it."""
    needs_key_at_factory: bool = False
    """Whether the factory computes part of the label from the private key, which no secure element gives."""

    @property
    def needs_consent(self) -> bool:
        """Tell whether a person must have accepted the risk."""
        return self.standing is Standing.WEAK

    @property
    def may_be_chosen(self) -> bool:
        """Tell whether a product can have it."""
        return self.standing in (Standing.DEFAULT, Standing.CHOICE, Standing.WEAK)
