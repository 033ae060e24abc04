"""The page of an air that nobody encrypts: advice for who has no scripts, forms that wait for ours."""

from html import escape

from doorstep.onboarding.captive.exchange import PageFacts
from doorstep.onboarding.captive.markup import Frame, button, text_field, word_list
from doorstep.onboarding.captive.pages import token_fields
from doorstep.onboarding.captive.texts import Texts

__all__ = ["script_page"]


def script_page(frame: Frame, address: str, facts: PageFacts) -> str:
    """Return the page; ``address`` is where a browser finds it."""
    texts = frame.texts
    ways = "".join(f"<li>{escape(way.format(address=address))}</li>" for way in texts.script_ways)
    return frame.page(
        texts.script_title,
        f'<div id="secure"><p>{escape(texts.script_why)}</p><ul>{ways}</ul></div>'
        f'<div id="ready" data-username="{escape(facts.username)}" hidden>'
        f'<div id="say" role="status" class="note" hidden></div>'
        f"{_code_form(texts)}{_network_form(frame, facts)}"
        f'<button type="button" id="again" hidden>{escape(texts.change_network)}</button></div>'
        f"<p><small>{escape(texts.script_twin)}</small></p>{_words(texts)}",
    )


def _code_form(texts: Texts) -> str:
    code = text_field("code", texts.script_code, texts.code_hint)
    lead = f"<p>{escape(texts.script_lead)}</p>"
    return f'<form id="code-form">{lead}{code}{button(texts.proceed, first=True)}</form>'


def _network_form(frame: Frame, facts: PageFacts) -> str:
    texts = frame.texts
    reveal = f'<label class="net"><input type="checkbox" id="reveal">{escape(texts.show)}</label>'
    row = '<label class="net"><input type="radio" name="ssid"><span><b></b> <small></small></span></label>'
    return (
        f'<form id="network-form" hidden><div id="where"><fieldset><legend>{escape(texts.networks)}</legend>'
        f'<div id="networks"></div></fieldset><template id="row">{row}</template>'
        f"{text_field('name', texts.other_name, texts.other_hint)}"
        f"{text_field('password', texts.password, texts.password_hint, kind='password')}{reveal}</div>"
        f"<details><summary>{escape(texts.owner)}</summary>{token_fields(frame, facts.server)}</details>"
        f'<button class="first" id="go">{escape(texts.connect)}</button></form>'
    )


def _words(texts: Texts) -> str:
    """Return the sentences that the script says, by key; a failure's keys are those of its modules."""
    words = {
        step.key: " ".join(texts.steps.get(step, (step.sentence, step.next_step))) for step in texts.steps
    }
    words |= {
        "strong": texts.strong,
        "medium": texts.medium,
        "weak": texts.weak,
        "signal": texts.signal,
        "open": texts.is_open,
        "secured": texts.secured,
        "company": texts.company,
        "checking-code": texts.script_checking,
        "secured-now": texts.script_secured,
        "wrong-code": texts.wrong_code,
        "too-many-guesses": texts.wait,
        "no-choice": texts.no_choice,
        "bad-network": texts.bad_password,
        "downgrade": texts.script_downgrade,
        "old-security": texts.script_downgrade,
        "forged": texts.script_downgrade,
        "malformed": texts.script_refused,
        "not-taken": texts.script_refused,
        "lost": texts.script_lost,
        "back-home": texts.back_home,
        "connect": texts.connect,
        "send-token": texts.send_token,
    }
    return word_list(words)
