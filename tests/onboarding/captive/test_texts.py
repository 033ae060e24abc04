import dataclasses
import string

import pytest

from doorstep.onboarding.captive.texts import LANGUAGES, choose_language
from doorstep.onboarding.captive.texts.wording import Texts
from doorstep.onboarding.steps import Step

WISHES = {
    "": "en",
    "*": "en",
    "de": "de",
    "de-AT,de;q=0.9,en;q=0.8": "de",
    "fr-CH, fr;q=0.9, en;q=0.8": "fr",
    "en;q=0.5, fr;q=0.7": "fr",
    "FR": "fr",
    "es, pt": "en",
    "es, de;q=0.1": "de",
    "de;q=0": "en",
    "de;q=1.5x, fr;q=0.2": "fr",
    "de;q=-1": "en",
    "de;q=٣": "en",
    "de;x=1": "en",
    "de;q=0.0000001": "en",
    ",,;q=1,": "en",
    ",".join(["es"] * 10 + ["de"]): "en",
    "fr;q=1": "fr",
}


@pytest.mark.parametrize(("wish", "code"), WISHES.items())
def test_page_takes_the_language_that_the_browser_prefers(wish: str, code: str) -> None:
    assert choose_language(wish) == code


@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=LANGUAGES)
def test_language_says_everything_with_the_same_values_in_it(texts: Texts) -> None:
    english = LANGUAGES["en"]
    for field in dataclasses.fields(Texts):
        if field.name == "steps":
            continue
        said, meant = getattr(texts, field.name), getattr(english, field.name)
        for one, other in zip(*(v if isinstance(v, tuple) else (v,) for v in (said, meant)), strict=True):
            assert one.strip() == one
            assert one
            assert _values(one) == _values(other), field.name


@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=LANGUAGES)
def test_language_has_each_step_and_its_advice(texts: Texts) -> None:
    assert set(texts.steps) == set(Step)
    for step, (sentence, advice) in texts.steps.items():
        assert sentence
        assert bool(advice) == bool(step.next_step)


def _values(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
