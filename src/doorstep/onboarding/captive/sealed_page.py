"""The page for what the portal sealed: its script hands the text over, whatever the air."""

from html import escape

from doorstep.onboarding.captive.markup import Frame, button, word_list
from doorstep.onboarding.captive.texts import Texts
from doorstep.onboarding.steps import Step

__all__ = ["sealed_page"]


def sealed_page(frame: Frame) -> str:
    """Return the page; without scripts it says what else there is."""
    texts = frame.texts
    return frame.page(
        texts.bring_title,
        f"<p>{escape(texts.bring_lead)}</p><noscript><p>{escape(texts.bring_scripts)}</p></noscript>"
        '<div id="say" role="status" class="note" hidden></div><form id="bring-form" hidden>'
        f'<div class="field"><label class="label" for="sealed">{escape(texts.bring_text)}</label>'
        '<textarea class="text" id="sealed" rows="6" required autocomplete="off" autocapitalize="none" '
        f'spellcheck="false"></textarea></div>{button(texts.bring, first=True)}</form>'
        f"{word_list(_words(texts))}",
    )


def _words(texts: Texts) -> dict[str, str]:
    return {
        **{step.key: " ".join(said) for step, said in texts.steps.items()},
        "bring-bad": texts.bring_bad,
        "bring-refused": texts.bring_refused,
        "bring-stale": texts.bring_stale,
        "not-taken": texts.script_refused,
        Step.REFUSED.key: texts.bring_denied,
        "lost": texts.script_lost,
    }
