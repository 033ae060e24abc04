"""Methods that are Bluetooth's own: BluFi, Improv, and the kinds of pairing below all of them."""

from typing import Final

from doorstep.onboarding.methods.method import Method, Role, Standing

__all__ = ["BLUETOOTH"]

_BOTH: Final = frozenset(Role)
_BLE: Final = "Bluetooth Low Energy."
_SERVICES: Final = frozenset({"protocomm-sec2-ble", "blufi", "improv-ble"})
_DEVICE: Final = frozenset({Role.DEVICE})

_JUST_WORKS, _PASSKEY, _NUMERIC, _OOB = "ble-just-works", "ble-passkey", "ble-numeric", "ble-oob"

BLUETOOTH: Final[tuple[Method, ...]] = (
    Method(
        key="blufi",
        name="BluFi",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything; a key is agreed on with whoever answers.",
        eavesdropper="Learns nothing, where the key is agreed on as we demand.",
        active_attacker="Stands in the middle, reads the password and changes it.",
        label_photo="No label is needed.",
        steps="Choose the device in the app; type the network's password.",
        without_sight="Yes.",
        many="Yes, one connection each.",
        app="Espressif's app, or the command.",
        risk="Somebody nearby who stands between phone and device reads the customer's Wi-Fi password "
        "unnoticed.",
        needs=_BLE,
        roles=_BOTH,
    ),
    Method(
        key="improv-ble",
        name="Improv over Bluetooth",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything; the device's button allows it for a while.",
        eavesdropper="Reads the Wi-Fi password: the format has no encryption.",
        active_attacker="Imitates the device and is given the password.",
        label_photo="No label is needed.",
        steps="Press the device's button; type the network's password in the browser or app.",
        without_sight="Yes: a button and a browser.",
        many="Yes, one button each.",
        app="A browser with Web Bluetooth, Home Assistant, or the command.",
        risk="Everybody in reach of the radio who listens reads the customer's Wi-Fi password.",
        needs="Bluetooth Low Energy and a button.",
        roles=_BOTH,
    ),
    Method(
        key="improv-serial",
        name="Improv over a serial line",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything; who holds the cable is believed.",
        eavesdropper="Would have to listen at the cable or the computer.",
        active_attacker="Must hold the cable.",
        label_photo="No label is needed.",
        steps="Connect the cable; type the network's password in the browser.",
        without_sight="Yes.",
        many="One cable each.",
        app="A browser with Web Serial, or the command.",
        risk="Whoever connects a cable can put the device onto a network of his own, and what listens at "
        "the computer's serial line reads the Wi-Fi password.",
        needs="A serial line.",
        roles=_BOTH,
    ),
    Method(
        key=_JUST_WORKS,
        name="Bluetooth pairing: Just Works",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything.",
        eavesdropper="Learns nothing where both sides have Secure Connections.",
        active_attacker="Stands in the middle unnoticed.",
        label_photo="No label is needed.",
        steps="Confirm the pairing on the phone.",
        without_sight="Yes: one touch.",
        many="Yes.",
        app="The phone's own dialogue.",
        risk="Somebody nearby can stand between phone and device during the pairing and read what follows.",
        needs=_BLE,
        roles=_DEVICE,
        asks_for=_SERVICES,
        excludes=frozenset({_PASSKEY, _NUMERIC, _OOB}),
    ),
    Method(
        key=_PASSKEY,
        name="Bluetooth pairing: passkey",
        standing=Standing.CHOICE,
        authenticates="Both sides prove six digits to each other.",
        eavesdropper="Learns nothing of a passkey that is shown anew each time; reads one that is printed.",
        active_attacker="Has one guess in a million per pairing, where the passkey is new each time.",
        label_photo="With a printed passkey, pairs with the device.",
        steps="Type the six digits that the device shows or its label says.",
        without_sight="Where the device says them.",
        many="One after the other.",
        app="The phone's own dialogue.",
        risk="A passkey that is printed and not new each time is known to whoever watched one pairing.",
        needs="Bluetooth Low Energy and a display, or a printed passkey.",
        roles=_DEVICE,
        asks_for=_SERVICES,
    ),
    Method(
        key=_NUMERIC,
        name="Bluetooth pairing: numeric comparison",
        standing=Standing.CHOICE,
        authenticates="A person sees that both sides show the same six digits.",
        eavesdropper="Learns nothing.",
        active_attacker="Has one chance in a million that the digits agree.",
        label_photo="No label is needed.",
        steps="Compare six digits and confirm on both sides.",
        without_sight="Where both sides say them.",
        many="One after the other.",
        app="The phone's own dialogue.",
        risk="Who confirms without comparing may have paired with somebody in between.",
        needs="Bluetooth Low Energy, a display and a button.",
        roles=_DEVICE,
        asks_for=_SERVICES,
    ),
    Method(
        key=_OOB,
        name="Bluetooth pairing: out-of-band data",
        standing=Standing.CHOICE,
        authenticates="Each side that has the other's out-of-band data from the label or the platform knows "
        "it.",
        eavesdropper="Learns nothing.",
        active_attacker="Learns nothing without the data.",
        label_photo="With data from the label, pairs with the device; data from the platform is not on it.",
        steps="Touch the device's NFC tag, or be logged in to the portal.",
        without_sight="Yes: a touch.",
        many="Yes.",
        app="The portal's page or an app that hands the data on.",
        risk="Whoever has the out-of-band data can pair in place of the customer.",
        needs=_BLE,
        needs_key_at_factory=True,
        roles=_DEVICE,
        asks_for=_SERVICES,
    ),
)
