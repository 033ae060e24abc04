"""The variants of the sealed profile (docs/spec/sealed.md section 9); a device has one for life."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.messaging.keys import CCM_8, CCM_16, Suite

__all__ = [
    "RATCHET_8",
    "RATCHET_16",
    "SESSION_LENGTH",
    "STATIC_8",
    "STATIC_16",
    "VARIANTS",
    "Variant",
]

SESSION_LENGTH: Final = 8  # random bytes that name a session of a static device


@dataclass(frozen=True, slots=True)
class Variant:
    """How a device seals."""

    name: str
    """As products, provisioning files and tables say it."""
    suite: Suite
    session_length: int = 0
    """Bytes behind the epoch in a message's header; 0 for a device that keeps its epoch in flash."""

    @property
    def is_static(self) -> bool:
        """The device writes nothing: its root stays, and each boot is a session of random keys."""
        return self.session_length > 0


RATCHET_8: Final = Variant("ratchet-8", CCM_8)
RATCHET_16: Final = Variant("ratchet-16", CCM_16)
STATIC_8: Final = Variant("static-8", CCM_8, SESSION_LENGTH)
STATIC_16: Final = Variant("static-16", CCM_16, SESSION_LENGTH)

VARIANTS: Final[Mapping[str, Variant]] = {
    variant.name: variant for variant in (RATCHET_8, RATCHET_16, STATIC_8, STATIC_16)
}
"""By name."""
