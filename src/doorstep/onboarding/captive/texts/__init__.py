"""What the board's page says, in each of its languages."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.captive.texts.de import GERMAN
from doorstep.onboarding.captive.texts.en import ENGLISH
from doorstep.onboarding.captive.texts.fr import FRENCH
from doorstep.onboarding.captive.texts.wording import Texts

__all__ = ["LANGUAGES", "Texts", "choose_language"]

LANGUAGES: Final[Mapping[str, Texts]] = {texts.code: texts for texts in (ENGLISH, GERMAN, FRENCH)}
"""The first is the one for everybody else."""

MAX_RANGES: Final = 10
"""Ranges of an Accept-Language header that are looked at."""


def choose_language(accept: str) -> str:
    """Return the code of the language that an Accept-Language header prefers (RFC 9110 §12.5.4)."""
    best, best_weight = next(iter(LANGUAGES)), 0.0
    for wish in accept.split(",")[:MAX_RANGES]:
        range_, _, parameter = wish.strip().lower().partition(";")
        code, weight = range_.strip().split("-")[0], _weight(parameter.strip())
        if code in LANGUAGES and weight > best_weight:
            best, best_weight = code, weight
    return best


def _weight(parameter: str) -> float:
    """Return the weight of a range, 0 where it is malformed: such a wish counts for nothing."""
    if not parameter:
        return 1.0
    name, _, number = parameter.partition("=")
    digits = number.removeprefix("0.").removeprefix("1.")
    if name != "q" or not (digits.isascii() and digits.isdecimal() and len(number) <= len("0.000")):
        return 0.0
    return float(number)
