"""``doorstep advise``: questions about a product, and which methods fit it."""

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from doorstep.errors import DoorstepError, MisuseError
from doorstep.identity.advice import Advice, MethodSet, advise
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.methods import name_of
from doorstep.identity.prices import Price, replace_assumed
from doorstep.identity.situation import (
    QUESTIONS,
    WORDS,
    Chip,
    Control,
    Damage,
    Sales,
    Situation,
    check_money,
    check_units,
)
from doorstep.ownership.advice_document import document
from doorstep.ownership.policy import needs, parse

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["advise_command"]


def _money(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise MisuseError(f"{text[:40]!a} is not an amount", next_step="Write it as 0.62.") from None
    return check_money(name, amount)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):  # noqa: PLR2004 - more is over the cap
        raise MisuseError(f"{text[:40]!a} is not a whole number", next_step="Write it as 5000.")
    return check_units(int(text))


_YES_NO: Final[Mapping[str, bool]] = {"yes": True, "no": False}
_CHOICES: Final[Mapping[str, Mapping[str, Any]]] = {
    "damage": {one.value: one for one in Damage},
    "chip": {one.value: one for one in Chip},
    "sales": {one.value: one for one in Sales},
    "can_scan": _YES_NO,
    "control": {one.value: one for one in Control},
    "line_online": _YES_NO,
}
"""Question → what can be answered; the others are numbers."""

_NUMBERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "price": partial(_money, "price"),
    "budget": partial(_money, "budget"),
    "units": _whole,
}


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command one option for each question, in their order."""
    for name, question in reversed(list(QUESTIONS.items())):
        choices = click.Choice(list(_CHOICES[name])) if name in _CHOICES else None
        answers = f" One of: {', '.join(_CHOICES[name])}." if choices else ""
        command = click.option(
            f"--{name.replace('_', '-')}", name, type=choices, help=f"{question}{answers}"
        )(command)
    return command


@click.command("advise")
@_asked
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=LOW..HIGH",
    help=f"What something costs you, instead of our assumption; NAME is one of: {', '.join(Price)}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def advise_command(*, assume: tuple[str, ...], as_json: bool, **answers: str | None) -> None:
    """Recommend identity, onboarding and claim policy for a product, with their cost and residual risk.

    What no option answers is asked for at the terminal. Costs are sums of stated assumptions, not of
    measurements.
    """
    prices = replace_assumed(assume)
    situation = _situation(answers)
    advice = advise(situation, prices)
    if as_json:
        click.echo(
            json.dumps(document(advice, prices) | {"next": _next(advice.recommended)}, ensure_ascii=False)
        )
        return
    from rich.console import Console  # noqa: PLC0415 - only where a table is shown

    _show(advice, situation.price, Console(highlight=False))


def _situation(answers: Mapping[str, str | None]) -> Situation:
    open_ = [name for name in QUESTIONS if answers[name] is None]
    if open_ and not sys.stdin.isatty():
        options = ", ".join(f"--{name.replace('_', '-')}" for name in open_)
        raise MisuseError(
            f"nobody is at a terminal to answer: {options}",
            next_step="Give these options, or use a terminal.",
        )
    given = {name: _read(name, text) for name, text in answers.items() if text is not None}
    return Situation(**given | {name: _ask(name) for name in open_})


def _read(name: str, text: str) -> Any:
    return _CHOICES[name][text] if name in _CHOICES else _NUMBERS[name](text.strip())


def _ask(name: str) -> Any:
    """Ask one question until the answer can be read; choices by number or word, on standard error."""
    click.secho(f"\n{QUESTIONS[name]}", bold=True, err=True)
    choices = list(_CHOICES.get(name, ()))
    for number, choice in enumerate(choices, 1):
        click.echo(f"  {number}  {WORDS.get(_CHOICES[name][choice], choice)}", err=True)
    while True:
        text: str = click.prompt("Number" if choices else "Answer", err=True)
        if text.isdecimal() and 1 <= int(text) <= len(choices):
            text = choices[int(text) - 1]
        try:
            return _read(name, text)
        except KeyError:
            click.echo(f"Type a number from 1 to {len(choices)}.", err=True)
        except DoorstepError as error:
            click.echo(f"{error.message}. {error.next_step}", err=True)


def _next(recommended: MethodSet) -> str:
    if not recommended.available:
        return ""
    identity = recommended.identity
    words = "" if identity is IdentityMethod.CERTIFICATE else f" --identity {identity.value}"
    return f"doorstep product add KEY --name NAME{words} --claim-policy {shlex.quote(recommended.policy)}"


def _show(advice: Advice, price: Decimal, console: "Console") -> None:
    one = advice.recommended
    console.print(f"\n[bold]Recommended: {name_of(one.identity)}, {one.onboarding}[/bold]")
    _list(console, "", one.obstacles)
    _list(console, "Why", advice.reasons)
    _list(console, "Who becomes the owner", (needs(parse(one.policy)),))
    _list(console, "What an attacker can still do", one.risks)
    _list(console, "Not yet", advice.later)
    console.print("\n[bold]Cost of each device[/bold], from assumptions that --assume replaces")
    for line in one.cost.lines:
        console.print(f"  {line.what}: {line.amount}  [dim]({line.basis})[/dim]", soft_wrap=True)
    share = one.cost.percent_of(price)
    console.print(f"  together: {one.cost.total}" + (f" ({share} % of its price)" if share else ""))
    _compare(advice, console)
    if command := _next(one):
        # A terminal may break lines; a command that somebody copies must stay whole.
        console.print(f"\nNext:  {command}", soft_wrap=True)
    else:
        console.print("\nNext:  choose a chip that can sign and do TLS: this platform's methods need one.")


def _list(console: "Console", title: str, sentences: tuple[str, ...]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only where a table is shown

    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row(" •" if title else " [yellow]![/yellow]", sentence)
    if sentences and title:
        console.print(f"\n[bold]{title}[/bold]")
    if sentences:
        console.print(grid)


def _compare(advice: Advice, console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - only where a table is shown

    named = {
        "Next cheaper": advice.cheaper,
        "Recommended": advice.recommended,
        "Next stronger": advice.stronger,
    }
    sets = {title: one for title, one in named.items() if one}
    table = Table("", *sets)
    rows: Mapping[str, Callable[[MethodSet], str]] = {
        "Identity": lambda one: name_of(one.identity),
        "Assurance": lambda one: f"{one.level} of 3",
        "Cost of each": lambda one: str(one.cost.total),
        "Claim policy": lambda one: one.policy,
        "Attackers": lambda one: one.risks[0],
        "Against it": lambda one: " ".join(one.obstacles) or "nothing",
    }
    for title, cell in rows.items():
        table.add_row(title, *(cell(one) for one in sets.values()), end_section=True)
    console.print()
    console.print(table)
