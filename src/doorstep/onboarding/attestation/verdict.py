"""What the platform makes of an attested device for the account that asks, in plain words."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["RESIDUAL_RISK", "Facts", "Owner", "Sale", "Verdict", "judge"]

RESIDUAL_RISK: Final = (
    "The check proves that a genuine device of this maker answered, not that it is the one in front of you: "
    "somebody nearby could pass the questions on to a genuine device of their own. Go on only if the device "
    "that you touched shows the same pattern as this screen, and compare the serial number with its label."
)
"""What attestation can't exclude; every screen that offers it shows this sentence."""


class Sale(enum.StrEnum):
    """What the ERP said about the device, as far as it is the asking account's business."""

    YOURS = "yours"
    WHOLESALER = "wholesaler"
    UNKNOWN = "unknown"
    """Nobody bought it that we know, or somebody else did: which of them is nobody's business."""


class Owner(enum.StrEnum):
    """Whose the device is, seen from the asking account."""

    NOBODY = "nobody"
    YOURS = "yours"
    ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the records hold."""

    sale: Sale
    sold_elsewhere: bool
    owner: Owner
    blocked: bool
    usable: bool
    """Its life allows an owner: it was not returned, swapped or scrapped."""
    presence: bool
    releases_code: bool
    """Its product gives the label's code to whom the device attested itself for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer."""

    may_set_up: bool
    may_have_code: bool
    sentence: str


def judge(facts: Facts) -> Verdict:
    """Decide: what speaks against comes first; a code is released only for a device that somebody touched."""
    refusal = _refusal(facts)
    if refusal:
        return Verdict(may_set_up=False, may_have_code=False, sentence=refusal)
    may_have_code = facts.releases_code and facts.presence and facts.owner is Owner.NOBODY
    return Verdict(may_set_up=True, may_have_code=may_have_code, sentence=_welcome(facts))


def _refusal(facts: Facts) -> str:
    if facts.blocked:
        return "This device was made by us and is blocked. Ask the maker before you use it."
    if facts.owner is Owner.ANOTHER:
        return "This device was made by us and belongs to somebody else. They must hand it over first."
    if not facts.usable:
        return "This device was made by us and taken out of use. Ask the maker before you use it."
    if facts.sold_elsewhere:
        return "This device was made by us and sold to somebody else. Ask whoever gave it to you."
    return ""


def _welcome(facts: Facts) -> str:
    if facts.owner is Owner.YOURS:
        return "This device was made by us and is yours already."
    return _WELCOMES[facts.sale]


_WELCOMES: Final[Mapping[Sale, str]] = {
    Sale.YOURS: "This device was made by us and sold to you. Nobody owns it yet.",
    Sale.WHOLESALER: "This device was made by us and sold through a dealer. Nobody owns it yet.",
    Sale.UNKNOWN: "This device was made by us. Nobody owns it yet, and we don't know who bought it.",
}
