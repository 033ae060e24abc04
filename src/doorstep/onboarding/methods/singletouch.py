"""Single touch: nothing to read or type on the device; its factory key says which one it is."""

from typing import Final

from doorstep.identity.methods import ONBOARDING_RISKS, OnboardingMethod
from doorstep.onboarding.methods.method import Method, Role, Standing

__all__ = ["SINGLE_TOUCH"]

_BOTH: Final = frozenset(Role)

SINGLE_TOUCH: Final[tuple[Method, ...]] = (
    Method(
        key="sealed-credentials",
        name="Sealed credentials",
        standing=Standing.DEFAULT,
        authenticates="The device is the one whose factory key the platform knows; the customer is who is "
        "logged in there.",
        eavesdropper="Learns nothing: the blob opens with the device's factory key only.",
        active_attacker="Drops or delays the blob; cannot read it, change it or give it to another device. "
        "Within the button's window may seal one of his own and give the device another Wi-Fi, never another "
        "owner. Who steals the device's key later opens what he recorded.",
        label_photo="Learns a serial, which opens nothing.",
        steps="Press the button; name the device in the portal by its serial, order or box; type the "
        "network's password.",
        without_sight="Yes: the serial typed or said, and a touch.",
        many="Yes: one blob a device, all at once.",
        app="The portal's page in any browser; anything may carry the blob.",
        risk=ONBOARDING_RISKS[OnboardingMethod.SEALED_CREDENTIALS],
        needs="A P-256 factory key; any radio or cable.",
        roles=_BOTH,
        needs_device_key=True,
    ),
    Method(
        key="attested-session",
        name="Attested session with presence",
        standing=Standing.CHOICE,
        authenticates="The device signs this conversation with its factory key; its button says which.",
        eavesdropper="Learns nothing.",
        active_attacker="Relays through another genuine device of the same maker while the button's window "
        "is open, and has 3 chances in 216 that it shows the same pattern.",
        label_photo="Opens nothing here.",
        steps="Press the button within two to five minutes; confirm the blink, sound or vibration; choose "
        "the network.",
        without_sight="Yes: a touch, and a sound or vibration to confirm.",
        many="No: a second device in its window ends the attempt, on purpose.",
        app="The portal's page, or the command.",
        risk="While the button's window is open, somebody nearby who has another genuine device of the "
        "maker and relays to it can take the network's password; the confirmation by blink or sound is what "
        "catches it.",
        needs="A P-256 factory key, a button, and a light, a sound or a motor.",
        roles=_BOTH,
        needs_device_key=True,
    ),
)
