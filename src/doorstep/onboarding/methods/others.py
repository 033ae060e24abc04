"""Methods of the radio's own makers: WPS, Wi-Fi Easy Connect, packet lengths, and Apple's."""

from typing import Final

from doorstep.onboarding.methods.method import Method, Role, Standing

__all__ = ["OTHERS"]

_BOTH: Final = frozenset(Role)
_WPS: Final = "Wi-Fi through wpa_supplicant; a router with WPS, which WPA3 excludes."

OTHERS: Final[tuple[Method, ...]] = (
    Method(
        key="wps-button",
        name="WPS push button",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything; two buttons within two minutes.",
        eavesdropper="Learns nothing.",
        active_attacker="Presses too within the two minutes, and gets the password or gives the device his "
        "network.",
        label_photo="No label is needed.",
        steps="Press the router's button and the device's.",
        without_sight="Yes: two buttons.",
        many="No: a second device in the window ends both, as the standard wants.",
        app="None.",
        risk="Somebody nearby who joins in while both buttons are pressed gets the customer's Wi-Fi "
        "password, or puts the device onto a network of his own.",
        needs=_WPS,
        roles=_BOTH,
    ),
    Method(
        key="wps-pin",
        name="WPS PIN",
        standing=Standing.WEAK,
        authenticates="Both sides prove an eight-digit PIN in two halves.",
        eavesdropper="Learns nothing from a sound implementation.",
        active_attacker="Finds the PIN in at most 11,000 tries; of routers with poor randomness, offline at "
        "once.",
        label_photo="Sets the device up, or imitates it, with the PIN.",
        steps="Type the device's PIN into the router's page.",
        without_sight="Hardly: the router's page decides.",
        many="No.",
        app="The router's page.",
        risk="The PIN falls in two halves: 11,000 tries at most find it, and then give away the customer's "
        "Wi-Fi password.",
        needs=_WPS,
        roles=_BOTH,
    ),
    Method(
        key="dpp",
        name="Wi-Fi Easy Connect (DPP)",
        standing=Standing.CHOICE,
        authenticates="The device, by the public key in its QR code; the configurator to nobody.",
        eavesdropper="Learns nothing.",
        active_attacker="Learns nothing; may offer the device a network of his own first.",
        label_photo="Cannot imitate the device; may give it a network of his own first.",
        steps="Scan the code with the phone's own Wi-Fi settings, or paste it into the command.",
        without_sight="The code as NFC tag or text; scanning it needs help.",
        many="Yes: the configurator takes one code after the other.",
        app="None on Android 10 or newer; the command elsewhere.",
        risk="Whoever scans the label first can put the device onto a network of his own; the claim policy "
        "still decides who owns it.",
        needs="Wi-Fi through wpa_supplicant with DPP.",
        needs_device_key=True,
        needs_key_at_factory=True,
        roles=_BOTH,
    ),
    Method(
        key="esptouch-v1",
        name="ESP-Touch version 1 (SmartConfig)",
        standing=Standing.WEAK,
        authenticates="Nobody proves anything.",
        eavesdropper="Reads network and password out of the lengths of packets, also through WPA2.",
        active_attacker="Gives the device any network.",
        label_photo="No label is needed.",
        steps="Type the network's password into the app; the device listens.",
        without_sight="Yes.",
        many="In theory; who was set up is told unreliably.",
        app="The command, or Espressif's app.",
        risk="Everybody in reach of the radio reads the customer's Wi-Fi password out of the lengths of "
        "packets.",
        needs="2.4 GHz Wi-Fi that can listen to all packets.",
        roles=_BOTH,
    ),
    Method(
        key="esptouch-v2",
        name="ESP-Touch version 2",
        standing=Standing.WEAK,
        authenticates="Both sides have a 16-byte AES key, often one for a whole product.",
        eavesdropper="Without the key learns nothing of the password; with it, everything.",
        active_attacker="Records and sends it again; with the key, gives the device any network.",
        label_photo="With the key on the label, reads the password.",
        steps="Type the network's password, and the key from the label, into the app.",
        without_sight="Yes, where the key can be had as text.",
        many="In theory; who was set up is told unreliably.",
        app="The command, or Espressif's app.",
        risk="Whoever has the key, which many products share, reads the customer's Wi-Fi password out of "
        "the air, also later from a recording.",
        needs="2.4 GHz Wi-Fi that can listen to all packets.",
        roles=_BOTH,
    ),
    Method(
        key="apple-wac",
        name="Apple's wireless accessory configuration (WAC)",
        standing=Standing.DOCUMENTED,
        authenticates="The device, by the signature of Apple's authentication chip.",
        eavesdropper="Learns nothing.",
        active_attacker="Relays through a genuine device.",
        label_photo="No label is needed.",
        steps="Choose the device in the phone's Wi-Fi settings.",
        without_sight="Yes: the phone's own settings.",
        many="One after the other.",
        app="None on an iPhone; impossible elsewhere.",
        risk="Another genuine device nearby can be set up in place of this one.",
        needs="A licence of Apple's MFi programme and its authentication chip on each board.",
        roles=frozenset(),
    ),
)
