"""The pages themselves: markup from what is known, nothing decided here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from doorstep.onboarding.captive.forms import shown
from doorstep.onboarding.captive.markup import Frame, button, hidden, text_field
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry

__all__ = [
    "REFRESH_S",
    "PasswordForm",
    "choose_page",
    "message_page",
    "password_page",
    "searching_page",
    "status_page",
    "token_fields",
]

REFRESH_S: Final = 4
STRONG, MEDIUM = -60, -75
"""dBm from which a signal is called so."""

FAILED: Final = frozenset(
    {Step.WRONG_PASSWORD, Step.NO_SUCH_NETWORK, Step.NO_ADDRESS, Step.RADIO_FAILED, Step.REFUSED}
)
CAN_GO: Final = frozenset({Step.CONNECTED, Step.REGISTERED, Step.HELD})


def choose_page(
    frame: Frame, networks: Sequence[ScanEntry], *, key: str, trouble: str = "", warning: str = ""
) -> str:
    """Return the list of networks as a form; ``trouble`` is what was wrong with the last choice."""
    texts = frame.texts
    rows = "".join(_row(frame, network) for network in networks)
    other = (
        '<label class="net"><input type="radio" name="ssid" value="">'
        f"<span>{escape(texts.other)}</span></label>"
    )
    none = "" if networks else f"<p>{escape(texts.none_heard)}</p>"
    typed = text_field("name", texts.other_name, texts.other_hint)
    return frame.page(
        texts.choose_title,
        f"{_note(warning)}{_trouble(frame, trouble)}<p>{escape(texts.choose_lead)}</p>"
        f'<form action="/network"><fieldset><legend>{escape(texts.networks)}</legend>'
        f"{none}{rows}{other}</fieldset>"
        f"{typed}{button(texts.proceed, first=True)}</form>"
        f'<form method="post" action="/scan">{hidden("key", key)}{button(texts.search_again)}</form>',
    )


def searching_page(frame: Frame) -> str:
    """Return the page while the board listens; it loads again by itself."""
    return frame.page(
        frame.texts.choose_title,
        f'<p role="status">{escape(frame.texts.searching)}</p>'
        f'<p><a href="/">{escape(frame.texts.check_now)}</a></p>',
    )


@dataclass(frozen=True, slots=True)
class PasswordForm:
    """What is known of the network to join and of the order, and what was wrong with the last try."""

    key: str
    ssid: bytes
    is_open: bool = False
    password: str = field(default="", repr=False)
    visible: bool = False
    asks_code: bool = False
    server: str = ""
    order: RegistrationOrder | None = None
    trouble: str = ""
    advice: str = ""
    warning: str = ""


def password_page(frame: Frame, form: PasswordForm) -> str:
    """Return the form for a network's password; showing it is a button, so that no script is needed."""
    texts = frame.texts
    view = button(texts.hide, name="view", value="hide") if form.visible else ""
    if not form.visible:
        view = button(texts.show, name="view", value="show")
    hint = texts.open_hint if form.is_open else texts.password_hint
    password = text_field(
        "password",
        texts.password,
        hint,
        kind="text" if form.visible else "password",
        value=form.password,
        bad=bool(form.trouble),
        focus=not form.asks_code,
    )
    code = text_field("code", texts.code_label, texts.code_hint, focus=True) if form.asks_code else ""
    return frame.page(
        texts.password_title.format(ssid=shown(form.ssid)),
        f"{_note(form.warning)}{_trouble(frame, form.trouble, form.advice)}"
        f'<form method="post" action="/join" accept-charset="utf-8">{hidden("key", form.key)}'
        f"{hidden('ssid', form.ssid.hex())}{code}{password}"
        # The browser takes the first button for the Enter key, so the one that goes on comes first.
        f"{button(texts.connect, first=True)}{view}{_owner(frame, form)}</form>"
        f'<p><a href="/?stay=1">{escape(texts.change_network)}</a></p>',
    )


def status_page(  # noqa: PLR0913 - what a status is
    frame: Frame, step: Step, *, key: str, ssid: bytes, refreshing: bool, server: str
) -> str:
    """Return how far the device got; where it loads again by itself, it can be told not to."""
    texts = frame.texts
    sentence, advice = texts.steps.get(step, (step.sentence, step.next_step))
    parts = [_trouble(frame, sentence, advice) if step in FAILED else _state(frame, sentence, advice)]
    if refreshing:
        parts.append(
            f"<p>{escape(texts.refreshes.format(seconds=REFRESH_S))} "
            f'<a href="/status?stay=1">{escape(texts.pause)}</a></p>'
        )
    if step is Step.TRYING:
        parts.append(f"<p>{escape(texts.may_vanish.format(ssid=shown(ssid)))}</p>")
    if step in CAN_GO:
        parts.append(f"<p>{escape(texts.back_home)}</p>")
    parts.append(f'<p><a href="/status">{escape(texts.check_now)}</a></p>')
    if step is Step.REFUSED:
        parts.append(_token_form(frame, key, server))
    if step not in {Step.TRYING, Step.REGISTERED}:
        again = hidden("key", key) + button(texts.change_network)
        parts.append(f'<form method="post" action="/again">{again}</form>')
    return frame.page(texts.status_title, "".join(parts))


def message_page(frame: Frame, title: str, text: str) -> str:
    """Return a page that says one thing."""
    back = f'<p><a href="/">{escape(frame.texts.retry)}</a></p>'
    return frame.page(title, f'<p role="alert">{escape(text)}</p>{back}')


def _row(frame: Frame, network: ScanEntry) -> str:
    texts = frame.texts
    about = f"{texts.signal} {_strength(frame, network.rssi)}, {_security(frame, network.auth)}"
    off = " disabled" if network.auth is AuthMode.WPA2_ENTERPRISE else ""
    return (
        f'<label class="net"><input type="radio" name="ssid" value="{network.ssid.hex()}"{off}>'
        f"<span><b>{escape(shown(network.ssid))}</b> <small>{escape(about)}</small></span></label>"
    )


def _strength(frame: Frame, rssi: int) -> str:
    if rssi >= STRONG:
        return frame.texts.strong
    return frame.texts.medium if rssi >= MEDIUM else frame.texts.weak


def _security(frame: Frame, auth: AuthMode) -> str:
    if auth is AuthMode.WPA2_ENTERPRISE:
        return frame.texts.company
    return frame.texts.is_open if auth is AuthMode.OPEN else frame.texts.secured


def _owner(frame: Frame, form: PasswordForm) -> str:
    texts = frame.texts
    if form.order is not None:
        return f"<p>{escape(texts.token_ready)}</p>"
    return f"<details><summary>{escape(texts.owner)}</summary>{token_fields(frame, form.server)}</details>"


def _token_form(frame: Frame, key: str, server: str) -> str:
    send = button(frame.texts.send_token, first=True)
    fields = hidden("key", key) + token_fields(frame, server)
    return f'<form method="post" action="/order">{fields}{send}</form>'


def token_fields(frame: Frame, server: str) -> str:
    """Return the fields of a registration order."""
    texts = frame.texts
    token = text_field("token", texts.token, texts.owner_lead)
    return token + text_field("server", texts.server, "https://…", kind="url", value=server)


def _state(frame: Frame, sentence: str, advice: str) -> str:
    what = f"<p>{escape(frame.texts.what_now)} {escape(advice)}</p>" if advice else ""
    return f'<div class="note" role="status"><h2>{escape(sentence)}</h2>{what}</div>'


def _trouble(frame: Frame, sentence: str, advice: str = "") -> str:
    if not sentence:
        return ""
    what = f"<p>{escape(frame.texts.what_now)} {escape(advice)}</p>" if advice else ""
    title = frame.texts.error.format(sentence=sentence)
    return f'<div class="bad" id="trouble" role="alert"><h2>{escape(title)}</h2>{what}</div>'


def _note(text: str) -> str:
    return f'<div class="note"><p>{escape(text)}</p></div>' if text else ""
