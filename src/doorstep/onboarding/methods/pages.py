"""A page that the device itself serves: no app; its access point is the way to it."""

from typing import Final

from doorstep.identity.methods import ONBOARDING_RISKS, OnboardingMethod
from doorstep.onboarding.methods.method import Method, Role, Standing

__all__ = ["PAGES"]

_BOTH: Final = frozenset(Role)
_NEEDS: Final = "Wi-Fi with an access point of its own."

PAGES: Final[tuple[Method, ...]] = (
    Method(
        key="micro-ap",
        name="The device's page on its own WPA2 access point",
        standing=Standing.WEAK,
        authenticates="Both sides have the access point's key from the label.",
        eavesdropper="With the label's key and a recorded join, reads the Wi-Fi password; without it, "
        "nothing.",
        active_attacker="With the label's key, imitates the device and gets the password.",
        label_photo="Opens everything, until the device has a network.",
        steps="Join the device's Wi-Fi with the key on the label; fill in the page that opens.",
        without_sight="Yes: the page works by screen reader; the key as QR code, NFC tag or text.",
        many="No: one after the other.",
        app="None: any phone or laptop.",
        risk=ONBOARDING_RISKS[OnboardingMethod.MICRO_AP],
        needs=_NEEDS,
        roles=frozenset({Role.DEVICE}),
        excludes=frozenset({"micro-ap-open"}),
    ),
    Method(
        key="micro-ap-open",
        name="The device's page on an open access point, without a PIN",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything.",
        eavesdropper="Reads the Wi-Fi password.",
        active_attacker="Opens an access point of the same name and is given the password.",
        label_photo="No label is needed.",
        steps="Join the device's Wi-Fi; fill in the page that opens.",
        without_sight="Yes: the page works by screen reader.",
        many="No: one after the other.",
        app="None: any phone or laptop.",
        risk="Everybody nearby reads the customer's Wi-Fi password; use the PIN page instead.",
        needs=_NEEDS,
        roles=frozenset({Role.DEVICE}),
        excludes=frozenset({"micro-ap", "pin"}),
    ),
    Method(
        key="pin",
        name="PIN on an open access point",
        standing=Standing.CHOICE,
        authenticates="Both sides prove the PIN to each other (a PAKE), without sending it.",
        eavesdropper="Learns nothing.",
        active_attacker="Has one guess at the PIN per try; five wrong ones cost a growing wait. Before the "
        "page is loaded he can serve a false one that asks for the password.",
        label_photo="Sets the device up, from nearby, until it has a network.",
        steps="Join the device's Wi-Fi; type the PIN from the label, choose the network, type its password.",
        without_sight="Yes: the page works by screen reader; a PIN is digits that can be read out.",
        many="No: one after the other.",
        app="None with JavaScript in the browser; the command otherwise.",
        risk="The page itself comes over an open network: somebody nearby who imitates the access point can "
        "show a false page that asks for the Wi-Fi password.",
        needs=_NEEDS,
        roles=_BOTH,
        excludes=frozenset({"micro-ap-open", "protocomm-sec1"}),
    ),
    Method(
        key="https-pinned",
        name="HTTPS server on the device, pinned",
        standing=Standing.CHOICE,
        authenticates="The device, by the certificate's fingerprint on the label or the maker's CA; nobody "
        "to the device.",
        eavesdropper="Learns nothing.",
        active_attacker="Is noticed by whoever pins; a browser shows the same warning for him as for the "
        "device.",
        label_photo="Learns a fingerprint, which opens nothing.",
        steps="Join the device's Wi-Fi; the command compares the fingerprint; choose the network.",
        without_sight="With the command yes; a browser's certificate warning is confusing.",
        many="Yes: the command, one address each.",
        app="The command; a browser with a warning to be accepted.",
        risk="Who clicks the browser's warning away without comparing the fingerprint may talk to an "
        "imitation; and anybody nearby can set the device up while it waits.",
        needs="Wi-Fi with an access point of its own, and room for TLS.",
        needs_device_key=True,
        roles=_BOTH,
    ),
)
