"""Which security scheme a session uses: the label pins it, and the device's own word may only raise it."""

import enum
from collections.abc import Mapping
from typing import Any, Final, assert_never

from doorstep.crypto.aead import UncountedGcm
from doorstep.errors import SettingsError
from doorstep.onboarding.failures import DowngradeRefused, OldSecurityRefused
from doorstep.onboarding.label import SEC1, SEC2, SetupLabel
from doorstep.onboarding.protocomm import sec1, sec2
from doorstep.onboarding.protocomm.capabilities import Capabilities
from doorstep.onboarding.protocomm.credentials import Sec1Code, Sec2Verifier
from doorstep.onboarding.protocomm.session import DeviceSession, Handshake, Rng

__all__ = ["RISKS", "Scheme", "choose_scheme", "handshake", "open_device_session"]

PATCH_WITH_COUNTED_NONCES: Final = 1


class Scheme(enum.Enum):
    """What a configurator speaks."""

    SEC1 = "security 1"
    SEC2_PATCH0 = "security 2, first version"
    SEC2 = "security 2"


RISKS: Final[Mapping[Scheme, str]] = {
    Scheme.SEC1: "This device speaks the old security 1: somebody nearby who imitates it once can find out "
    "its code by trying, read the Wi-Fi password, and change what is sent to the device unnoticed.",
    Scheme.SEC2_PATCH0: "This device speaks the first version of security 2, which numbers its messages "
    "alike: somebody who listens and guesses one of them, as the list of networks, can read the others with "
    "the Wi-Fi password in them, and forge more.",
}
"""What an attacker can still do, in a customer's words; a scheme without an entry is safe to use."""


def choose_scheme(label: SetupLabel, offered: Capabilities, *, allow_old: bool) -> Scheme:
    """Return the scheme to use: the label's, or a better one that the device offers.

    ``allow_old`` is a person's consent to `RISKS`. It never lets a device offer less than its label:
    that raises `DowngradeRefused`. A scheme that needs the consent raises `OldSecurityRefused` without.
    """
    scheme = _scheme(label, offered)
    if scheme in RISKS and not allow_old:
        raise OldSecurityRefused(RISKS[scheme])
    return scheme


def handshake(scheme: Scheme, label: SetupLabel, rng: Rng) -> Handshake:
    """Return the configurator's side of the handshake."""
    match scheme:
        case Scheme.SEC1:
            return sec1.handshake_as_configurator(label.pop, rng)
        case Scheme.SEC2_PATCH0:
            return sec2.handshake_as_configurator(label.username, label.pop, rng, UncountedGcm)
        case Scheme.SEC2:
            return sec2.handshake_as_configurator(label.username, label.pop, rng)
        case _:
            assert_never(scheme)


def open_device_session(secret: Sec2Verifier | Sec1Code, rng: Rng) -> DeviceSession[Any]:
    """Return the device's side of sessions for the secret that it holds."""
    match secret:
        case Sec2Verifier():
            return sec2.Sec2Device(secret, rng)
        case Sec1Code():
            return sec1.Sec1Device(secret, rng)
        case _:
            assert_never(secret)


def _scheme(label: SetupLabel, offered: Capabilities) -> Scheme:
    """Decide; a document that is silent on the scheme changes nothing."""
    number = label.security if offered.sec_ver is None else offered.sec_ver
    if number not in (SEC1, SEC2) or number < label.security:
        raise DowngradeRefused(_promise(label), f"security {number}")
    for cap in ("no_sec", "no_pop"):
        if cap in offered.caps:
            raise DowngradeRefused("a code", f"to go without one ({cap})")
    if not label.pop or (number == SEC2 and not label.username):
        raise SettingsError(
            f"The device speaks security {number}, but its label lacks the user name or the code for it.",
            next_step="Ask the maker for what is missing and add it to the label's text.",
        )
    if number == SEC1:
        return Scheme.SEC1
    return Scheme.SEC2 if offered.sec_patch_ver >= PATCH_WITH_COUNTED_NONCES else Scheme.SEC2_PATCH0


def _promise(label: SetupLabel) -> str:
    return f"security {label.security}" if label.security else "a code"
