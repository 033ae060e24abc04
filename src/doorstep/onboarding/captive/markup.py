"""The board's pages as HTML: one frame and its style for all, nothing fetched from elsewhere."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from doorstep.onboarding.captive.texts import LANGUAGES, Texts

__all__ = ["STYLE", "Frame", "address", "button", "hidden", "policy", "text_field", "word_list"]

STYLE: Final = (
    ":root{color-scheme:light dark;--paper:#f5f7f6;--card:#fff;--ink:#16201c;--soft:#4b5853;--line:#74827b;"
    "--accent:#0a6a4e;--on:#fff;--bad:#a8221b;--badbg:#fce9e7;--note:#e0f0ea}"
    "@media(prefers-color-scheme:dark){:root{--paper:#101513;--card:#19201d;--ink:#e8eeeb;--soft:#a6b4ad;"
    "--line:#7a8982;--accent:#62cfa6;--on:#062018;--bad:#f59c94;--badbg:#3c1b19;--note:#16342a}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,'Segoe UI',"
    "Roboto,'Noto Sans',sans-serif;overflow-wrap:break-word}"
    "header,main{max-width:34rem;margin:0 auto;padding:1rem 1.25rem}"
    "header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;align-items:center}"
    "header p{margin:0;font-weight:650}"
    "nav ul{display:flex;gap:.25rem;list-style:none;margin:0 -.5rem;padding:0}"
    "nav a{display:block;padding:.6rem .5rem}nav [aria-current]{font-weight:650;text-decoration:none}"
    "main{background:var(--card);padding:1.25rem}"
    "@media(min-width:36rem){main{border-radius:.75rem}}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}"
    "a{color:var(--accent)}p{margin:.5rem 0}"
    "fieldset{border:0;margin:1rem 0;padding:0;min-width:0}legend,.label{font-weight:650;padding:0}"
    "label{display:block}small{color:var(--soft);font-size:.9rem;display:block}"
    ".net{display:flex;gap:.75rem;align-items:center;min-height:3rem;padding:.4rem .25rem}"
    "fieldset .net{border-bottom:1px solid var(--line)}.net span{min-width:0;flex:1}"
    ".net input{width:1.35rem;height:1.35rem;flex:none;accent-color:var(--accent)}"
    ".text{width:100%;min-height:2.9rem;padding:.5rem .75rem;margin-top:.4rem;font:inherit;color:inherit;"
    "background:var(--card);border:1px solid var(--line);border-radius:.4rem}"
    ".text[aria-invalid]{border:2px solid var(--bad)}"
    ".field{margin:1rem 0}"
    "button{font:inherit;font-weight:650;min-height:2.9rem;padding:.5rem 1.1rem;border-radius:.4rem;"
    "border:1px solid var(--line);background:transparent;color:inherit;margin:.25rem .5rem .25rem 0;"
    "cursor:pointer}"
    "button.first{background:var(--accent);border-color:var(--accent);color:var(--on);width:100%}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:2px}"
    ".bad,.note{padding:.75rem 1rem;border-radius:.5rem;margin:.75rem 0}"
    ".bad{background:var(--badbg);border-left:.3rem solid var(--bad)}"
    ".note{background:var(--note);border-left:.3rem solid var(--accent)}"
    ".bad h2,.note h2{font-size:1rem;margin:0}.bad p,.note p{margin:.25rem 0 0}"
    "details{margin:1rem 0}summary{min-height:2.9rem;padding:.6rem 0;font-weight:650;cursor:pointer}"
    "@media(forced-colors:active){.bad,.note{border:2px solid}}"
)
"""The palette is the portal's; every pair of colours has at least 4.5 : 1."""

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")


def policy(*, scripts: bool) -> str:
    """Return the content security policy: our one style, our own forms, scripts only where they are used."""
    script = "; script-src 'self'; connect-src 'self'" if scripts else ""
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'{script}"
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page: whose it is, in which language, and where the other languages are."""

    texts: Texts
    device: str
    here: str
    """Path and query of this page, without the language."""
    script: str = ""
    """Path of a module to load."""

    def page(self, title: str, main: str) -> str:
        """Return a whole document; ``main`` is markup."""
        texts = self.texts
        script = f'<script type=module src="{escape(self.script)}"></script>' if self.script else ""
        heading = texts.set_up.format(name=self.device)
        return (
            f'<!doctype html><html lang="{texts.code}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<title>{escape(title)} - {escape(heading)}</title><link rel="icon" href="data:,">'
            f"<style>{STYLE}</style>{script}</head><body><header><p>{escape(heading)}</p>"
            f'<nav aria-label="{escape(texts.language)}"><ul>{self._languages()}</ul></nav></header>'
            f"<main><h1>{escape(title)}</h1>{main}</main></body></html>"
        )

    def _languages(self) -> str:
        joint = "&" if "?" in self.here else "?"
        return "".join(
            self._language(texts, f"{self.here}{joint}lang={texts.code}") for texts in LANGUAGES.values()
        )

    def _language(self, texts: Texts, address: str) -> str:
        current = ' aria-current="true"' if texts is self.texts else ""
        return (
            f'<li><a href="{escape(address)}" lang="{texts.code}" hreflang="{texts.code}"{current}>'
            f"{escape(texts.name)}</a></li>"
        )


def hidden(name: str, value: str) -> str:
    """Return a field that a person does not see."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def button(label: str, *, first: bool = False, name: str = "", value: str = "") -> str:
    """Return a form's button; ``first`` is the one that goes on."""
    kind = ' class="first"' if first else ""
    what = f' name="{name}" value="{value}"' if name else ""
    return f"<button{kind}{what}>{escape(label)}</button>"


def text_field(  # noqa: PLR0913 - a field has this many properties
    name: str,
    label: str,
    hint: str,
    *,
    kind: str = "text",
    value: str = "",
    bad: bool = False,
    focus: bool = False,
) -> str:
    """Return a labelled field that no keyboard corrects."""
    invalid = ' aria-invalid="true"' if bad else ""
    about = f"trouble {name}-hint" if bad else f"{name}-hint"
    first = " autofocus" if focus else ""
    return (
        f'<div class="field"><label class="label" for="{name}">{escape(label)}</label>'
        f'<small id="{name}-hint">{escape(hint)}</small>'
        f'<input class="text" id="{name}" name="{name}" type="{kind}" value="{escape(value)}" '
        f'aria-describedby="{about}" autocomplete="off" autocapitalize="none" autocorrect="off" '
        f'spellcheck="false"{invalid}{first}></div>'
    )


def word_list(words: Mapping[str, str]) -> str:
    """Return the sentences that a script says, by key, where nobody sees them before."""
    items = "".join(f'<li data-key="{key}">{escape(text.strip())}</li>' for key, text in words.items())
    return f'<ul id="words" hidden>{items}</ul>'


def address(path: str, **values: str) -> str:
    """Return a path with a query."""
    return path + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
