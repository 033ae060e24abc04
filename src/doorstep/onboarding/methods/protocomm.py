"""Protocomm: the code on the label secures a session; access point, BLE and console carry it."""

from dataclasses import replace
from typing import Final

from doorstep.identity.methods import ONBOARDING_RISKS, OnboardingMethod
from doorstep.onboarding.methods.method import Method, Role, Standing

__all__ = ["PROTOCOMM"]

_BOTH: Final = frozenset(Role)
_STEPS: Final = (
    "Scan the label's code, touch it by NFC, or type or say it; choose the network; type its password."
)

_SEC2: Final = Method(
    key="protocomm-sec2",
    name="Protocomm security 2 over the device's access point",
    standing=Standing.DEFAULT,
    authenticates="Both sides prove the code to each other (SRP-6a), without sending it.",
    eavesdropper="Learns nothing.",
    active_attacker="Has one guess at a 65-bit code per try; five wrong ones cost a growing wait.",
    label_photo="Sets the device up, from nearby, until it has a network.",
    steps=_STEPS,
    without_sight="Yes: the code as NFC tag, in large or raised print, or read out; typed or said to the "
    "phone.",
    many="Yes: `doorstep provision --labels`.",
    app="Official provisioning apps, or the command.",
    risk=ONBOARDING_RISKS[OnboardingMethod.PROTOCOMM_SEC2],
    needs="Wi-Fi with an access point of its own.",
    roles=_BOTH,
)

_SEC1: Final = Method(
    key="protocomm-sec1",
    name="Protocomm security 1, for boards that cannot do better",
    standing=Standing.WEAK,
    authenticates="Both sides prove the code, by a test that can be repeated at home.",
    eavesdropper="Learns nothing.",
    active_attacker="Imitates the device once and finds a short code by trying; changes messages unseen.",
    label_photo="Sets the device up, from nearby, until it has a network.",
    steps=_STEPS,
    without_sight="As security 2.",
    many="Yes: `doorstep provision --labels`.",
    app="Official provisioning apps, or the command.",
    risk="Somebody nearby who imitates the device once can find a short code by trying, read the customer's "
    "Wi-Fi password, and change what is sent to the device unnoticed.",
    needs="Wi-Fi with an access point of its own, or BLE, or a cable.",
    roles=_BOTH,
    excludes=frozenset({"protocomm-sec2", "protocomm-sec2-ble"}),
)

PROTOCOMM: Final[tuple[Method, ...]] = (
    _SEC2,
    replace(
        _SEC2,
        key="protocomm-sec2-ble",
        name="Protocomm security 2 over Bluetooth",
        standing=Standing.CHOICE,
        app="Official provisioning apps, the portal's page in a browser with Web Bluetooth, or the command.",
        needs="Bluetooth Low Energy.",
    ),
    replace(
        _SEC1,
        key="protocomm-console",
        name="Protocomm security 1 over a console line",
        standing=Standing.CHOICE,
        eavesdropper="Would have to listen at the cable.",
        active_attacker="Must hold the cable; then as security 1 over the air.",
        many="One cable each.",
        app="The command.",
        risk="Whoever holds the cable or the computer at its end finds a short code, and sets the device up.",
        needs="A serial line.",
        excludes=frozenset(),
    ),
    _SEC1,
    replace(
        _SEC1,
        key="protocomm-sec0",
        name="Protocomm security 0",
        standing=Standing.REFUSED,
        authenticates="Nobody proves anything.",
        eavesdropper="Reads the Wi-Fi password.",
        active_attacker="Does what he likes.",
        label_photo="No label is needed.",
        steps="None for customers: it is the simulator's and the tests'.",
        without_sight="Not for customers.",
        many="Not for customers.",
        app="The tests.",
        risk="Everybody nearby reads the customer's Wi-Fi password.",
        excludes=frozenset(),
    ),
)
