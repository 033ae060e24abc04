"""What somebody can bring to show that a device is theirs, and what each piece is worth."""

import enum
from typing import Final

__all__ = ["Evidence", "Strength"]


class Strength(enum.IntEnum):
    """How hard a piece of evidence is to come by for somebody who should not have it."""

    WEAK = 1
    """Many people know it. It never decides alone."""
    FAIR = 2
    """Whoever had the box or the moment in hand has it."""
    STRONG = 3
    """It takes the device itself, or a record that the claimant can't write."""


class Evidence(enum.StrEnum):
    """Kinds of evidence, by the names that policies use."""

    DEVICE_KEY = "device_key"
    """The device signed this claim with its factory key."""
    SETUP_SESSION = "setup_session"
    """The claim's token was carried into the device in its Wi-Fi set-up session, or the claimant typed the
    code that the device showed while it waited."""
    PRESENCE = "presence"
    """Somebody pressed the device's button in the window."""
    LABEL_CODE = "label_code"
    """The claimant typed the scratch-off code, and nobody had used it before."""
    SALE = "sale"
    """The ERP sold this serial to this customer, or to a wholesaler that released it to them."""
    EMAIL = "email"
    """The customer address that the ERP knows confirmed the claim."""
    ORDER_REF = "order_ref"
    """The claimant knows the order's number."""
    VOUCHER = "voucher"
    """An ownership voucher names the claimant's key."""
    STAFF = "staff"
    """The maker's staff looked at the case and vouch for the claimant."""

    @property
    def strength(self) -> Strength:
        """What it is worth."""
        return _STRENGTH[self]

    @property
    def sentence(self) -> str:
        """How to bring it, in words for the claimant."""
        return _SENTENCE[self]


_STRENGTH: Final = {
    Evidence.DEVICE_KEY: Strength.STRONG,
    Evidence.SETUP_SESSION: Strength.FAIR,
    Evidence.PRESENCE: Strength.FAIR,
    Evidence.LABEL_CODE: Strength.FAIR,
    Evidence.SALE: Strength.STRONG,
    Evidence.EMAIL: Strength.FAIR,
    Evidence.ORDER_REF: Strength.WEAK,
    Evidence.VOUCHER: Strength.STRONG,
    Evidence.STAFF: Strength.STRONG,
}

_SENTENCE: Final = {
    Evidence.DEVICE_KEY: "the device itself registers",
    Evidence.SETUP_SESSION: "you set the device up with a token from your account",
    Evidence.PRESENCE: "somebody presses the button on the device",
    Evidence.LABEL_CODE: "you type the unused scratch-off code from its label",
    Evidence.SALE: "the seller's records name you as its buyer",
    Evidence.EMAIL: "the address that the seller knows confirms by e-mail",
    Evidence.ORDER_REF: "you give the number of the order",
    Evidence.VOUCHER: "an ownership voucher names you",
    Evidence.STAFF: "the maker's staff confirm that it is yours",
}
