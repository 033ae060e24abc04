"""The PIN: eight digits for people who type it, on a label or on the device's own screen.

It is the password of protocomm's SRP-6a under a user name of its own. Whoever listens learns nothing to
search; whoever asks the device gets one guess at a time, at the pace of `SHORT_CODE`. Eight digits are
26 bits: whoever reads the verifier out of the device's memory can search the PIN, so it opens the set-up and
nothing else.
"""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final

from doorstep.crypto.srp6a import make_verifier
from doorstep.errors import SettingsError
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.guesses import LONG_CODE, SHORT_CODE, GuessBook, GuessPolicy
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm.credentials import Sec1Code, Sec2Credentials, Sec2Verifier, generate

__all__ = ["PIN_USERNAME", "CodeJudge", "guess_policy", "make_pin", "pin_label", "read_pin"]

PIN_USERNAME: Final = "pin"
PIN_DIGITS: Final = 8
_PINS: Final = 10**PIN_DIGITS
_EVEN: Final = (1 << 32) // _PINS * _PINS
"""Numbers below it give every PIN equally often."""


def make_pin(rng: Callable[[int], bytes]) -> Sec2Credentials:
    """Make a PIN and the device's half of it; ``pop`` is the eight digits."""
    return generate(rng, PIN_USERNAME, _draw)


def read_pin(text: str) -> str:
    """Return the digits of a PIN as typed, with blanks and hyphens in it; raises `SettingsError`."""
    digits = "".join(text.split()).replace("-", "")
    if len(digits) != PIN_DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise SettingsError(
            f"A PIN has {PIN_DIGITS} digits.", next_step="Type the PIN from the label or the device's screen."
        )
    return digits


def pin_label(text: str) -> SetupLabel:
    """Return what a device with a PIN pins, from the PIN as typed: security 2, the PIN as its code."""
    return SetupLabel(name=PIN_USERNAME, username=PIN_USERNAME, pop=read_pin(text))


def guess_policy(secret: Sec2Verifier | Sec1Code) -> GuessPolicy:
    """Return how fast a device's code may be guessed: a PIN slowly."""
    is_pin = isinstance(secret, Sec2Verifier) and secret.username == PIN_USERNAME
    return SHORT_CODE if is_pin else LONG_CODE


class CodeJudge:
    """Checks a code that a person typed into a form under TLS, against the verifier."""

    def __init__(self, secret: Sec2Verifier, guesses: GuessBook) -> None:
        self._secret = secret
        self._guesses = guesses

    def check(self, code: bytes, now: float) -> None:
        """Raise `WrongCode` or `TooManyGuesses`; a wrong code counts, like one in a handshake."""
        self._guesses.check(now)
        typed = b"".join(code.lower().split())
        verifier = make_verifier(self._secret.username.encode(), typed, self._secret.salt)
        if not compare_digest(verifier, self._secret.verifier):
            self._guesses.count(now)
            raise WrongCode
        self._guesses.clear()


def _draw(rng: Callable[[int], bytes]) -> str:
    while (number := int.from_bytes(rng(4))) >= _EVEN:
        pass
    return f"{number % _PINS:0{PIN_DIGITS}}"
