"""Which Bluetooth pairing a product demands, and whether what came out of one is enough.

The flag that asks for protection against somebody in between does not force it: two boards without
screen and keys still agree on Just Works. Only the key that results says how it was made.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import SettingsError
from doorstep.onboarding.ble.oob import OobSecret

__all__ = [
    "KINDS",
    "IoCapability",
    "KeyQuality",
    "Paired",
    "PairingEvent",
    "PairingFailed",
    "PairingKind",
    "PairingPolicy",
    "PairingTooWeak",
    "judge_pairing",
    "new_passkey",
    "policy_of",
]

MAX_PASSKEY: Final = 999_999
DRAW: Final = 4
"""Random bytes for one passkey."""


class PairingKind(enum.Enum):
    """What a product demands of its connections; protocomm protects its own messages with any of them."""

    NONE = "none"
    """Nothing is paired; security 2 alone protects the set-up."""
    JUST_WORKS = "just works"
    """Encrypted against listeners; whoever stands in between reads and changes all."""
    PASSKEY = "passkey"
    """The board shows six digits, the person types them into the phone."""
    NUMERIC_COMPARISON = "numeric comparison"
    """Both show six digits, the person says on both that they are the same."""
    OUT_OF_BAND = "out of band"
    """The phone knows the board's key from its label, or from the platform that has attested it."""


class IoCapability(enum.Enum):
    """What a person can see and do on a board or a phone (Core, Vol 3, Part H, §2.3.2)."""

    NOTHING = "NoInputNoOutput"
    DISPLAY = "DisplayOnly"
    DISPLAY_AND_BUTTON = "DisplayYesNo"
    KEYBOARD = "KeyboardOnly"
    DISPLAY_AND_KEYBOARD = "KeyboardDisplay"


AUTHENTICATED: Final = frozenset(
    {PairingKind.PASSKEY, PairingKind.NUMERIC_COMPARISON, PairingKind.OUT_OF_BAND}
)
SHOWN_AS: Final[Mapping[PairingKind, IoCapability]] = {
    PairingKind.NONE: IoCapability.NOTHING,
    PairingKind.JUST_WORKS: IoCapability.NOTHING,
    PairingKind.PASSKEY: IoCapability.DISPLAY,
    PairingKind.NUMERIC_COMPARISON: IoCapability.DISPLAY_AND_BUTTON,
    PairingKind.OUT_OF_BAND: IoCapability.NOTHING,
}
"""What the board claims to have, so that the phone chooses the product's kind and no other."""
HAVE: Final[Mapping[PairingKind, frozenset[IoCapability]]] = {
    PairingKind.PASSKEY: frozenset(
        {IoCapability.DISPLAY, IoCapability.DISPLAY_AND_BUTTON, IoCapability.DISPLAY_AND_KEYBOARD}
    ),
    PairingKind.NUMERIC_COMPARISON: frozenset(
        {IoCapability.DISPLAY_AND_BUTTON, IoCapability.DISPLAY_AND_KEYBOARD}
    ),
}
"""What the board must have for a kind; the others need nothing."""


KINDS: Final[Mapping[str, PairingKind]] = {
    "ble-oob": PairingKind.OUT_OF_BAND,
    "ble-numeric": PairingKind.NUMERIC_COMPARISON,
    "ble-passkey": PairingKind.PASSKEY,
    "ble-just-works": PairingKind.JUST_WORKS,
}
"""Which onboarding method of a product demands which kind, the strongest first."""


@dataclass(frozen=True, slots=True)
class PairingPolicy:
    """A product's demand and what its board has; raises `SettingsError` where they contradict each other."""

    kind: PairingKind = PairingKind.NONE
    board: IoCapability = IoCapability.NOTHING
    oob: OobSecret | None = None
    """The board's own, from its factory."""

    def __post_init__(self) -> None:
        """Refuse what could only fail, or pass for more than it is, once it is in a customer's hands."""
        needed = HAVE.get(self.kind)
        if needed is not None and self.board not in needed:
            raise SettingsError(
                f"The product demands pairing by {self.kind.value}, but its board has {self.board.value}.",
                next_step="Choose a pairing that the board's screen and buttons allow.",
            )
        if self.kind is PairingKind.OUT_OF_BAND and self.oob is None:
            raise SettingsError(
                "The product demands out-of-band pairing, but the board holds no secret for it.",
                next_step="Make the board's out-of-band secret in the factory and print its data.",
            )
        if self.kind is not PairingKind.OUT_OF_BAND and self.oob is not None:
            raise SettingsError(
                f"The board holds an out-of-band secret, but the product demands {self.kind.value}.",
                next_step="Demand out-of-band pairing, or leave the secret out.",
            )

    @property
    def shown_as(self) -> IoCapability:
        """What the board tells phones that it has."""
        return SHOWN_AS[self.kind]

    @property
    def demands_key(self) -> bool:
        """Tell whether a connection must be encrypted."""
        return self.kind is not PairingKind.NONE

    @property
    def demands_authenticated_key(self) -> bool:
        """Tell whether the key must prove that nobody stood in between."""
        return self.kind in AUTHENTICATED


@dataclass(frozen=True, slots=True)
class KeyQuality:
    """What is known of the key that a pairing made, from the key itself and from no flag."""

    authenticated: bool
    secure_connections: bool
    """Made by Diffie-Hellman; the older pairing's six digits are found by whoever listened."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A phone has paired as the product demands."""

    quality: KeyQuality

    @property
    def sentence(self) -> str:
        """Say what happened."""
        return "A phone has paired with the device."


@dataclass(frozen=True, slots=True)
class PairingTooWeak:
    """A phone has paired with less than the product demands; it was hung up on and its key thrown away."""

    demanded: PairingKind
    quality: KeyQuality

    @property
    def sentence(self) -> str:
        """Say what happened and what to do next."""
        return (
            f"A phone has paired without the {self.demanded.value} that this product demands: refused. "
            "Forget the device in the phone's Bluetooth settings and pair again; if the phone never asks, "
            "somebody may stand in between."
        )


@dataclass(frozen=True, slots=True)
class PairingFailed:
    """A pairing did not come to an end: wrong digits, a no, or a phone that cannot do what is demanded."""

    demanded: PairingKind

    @property
    def sentence(self) -> str:
        """Say what happened and what to do next."""
        return "A phone could not pair with the device. Check the digits, or the label, and try again."


def policy_of(methods: Iterable[str], board: IoCapability, oob: OobSecret | None = None) -> PairingPolicy:
    """Return the policy of a product's onboarding methods, the strongest of them that the board can keep.

    Without a method of pairing nothing is paired. Raises `SettingsError` where the board can keep none.
    """
    asked = set(methods)
    wanted = [kind for method, kind in KINDS.items() if method in asked]
    for kind in wanted:
        if board in HAVE.get(kind, {board}) and (kind is not PairingKind.OUT_OF_BAND or oob is not None):
            return PairingPolicy(kind, board, oob if kind is PairingKind.OUT_OF_BAND else None)
    return PairingPolicy(wanted[0] if wanted else PairingKind.NONE, board)


PairingEvent = Paired | PairingTooWeak | PairingFailed


def judge_pairing(policy: PairingPolicy, quality: KeyQuality) -> Paired | PairingTooWeak:
    """Decide by the key alone whether a phone that has paired may stay."""
    good = quality.authenticated and quality.secure_connections
    if policy.demands_authenticated_key and not good:
        return PairingTooWeak(policy.kind, quality)
    return Paired(quality)


def new_passkey(rng: Callable[[int], bytes]) -> int:
    """Draw a passkey of six digits, never 0; a fresh one each time, because each try tells a bit of it."""
    limit = 2 ** (8 * DRAW) // MAX_PASSKEY * MAX_PASSKEY
    drawn = int.from_bytes(rng(DRAW))
    while drawn >= limit:
        drawn = int.from_bytes(rng(DRAW))
    return drawn % MAX_PASSKEY + 1
