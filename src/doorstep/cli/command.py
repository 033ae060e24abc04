"""``doorstep command``: tell a device what to do and which settings to have, and see what it answered."""

import json
import time
from pathlib import Path
from typing import Any, Final

import click

from doorstep.cli.command_desk import Desk, Shown, desk_at
from doorstep.cli.remote import Elsewhere, elsewhere
from doorstep.errors import RefusedError, UnavailableError
from doorstep.messaging.channels import Call, read_values
from doorstep.messaging.delivery import OPEN, Delivery

__all__ = ["command"]

_LOOK_S: Final = 0.1
_LOOK_ELSEWHERE_S: Final = 1.0

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_WAIT = click.option(
    "--wait", metavar="SECONDS", type=click.FloatRange(min=0), help="Wait so long for the device's answer."
)


@click.group()
def command() -> None:
    """Commands and settings for devices that are registered."""


@command.command()
@click.argument("device")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--expires",
    default=86_400,
    show_default=True,
    type=click.IntRange(min=1),
    help="Seconds; the device does not carry it out later.",
)
@_WAIT
@elsewhere
@_JSON
def send(  # noqa: PLR0913 - one for each option
    *,
    device: str,
    name: str,
    arguments: tuple[str, ...],
    expires: int,
    wait: float | None,
    server: str | None,
    api_key_file: Path | None,
    as_json: bool,
) -> None:
    """Send the command NAME to DEVICE (id or serial); it gets it when it shows itself.

    A value is true, false, a number, or a text; text that looks like one of those stands in "quotes".
    """
    call = Call(name, read_values(arguments))
    with desk_at(Elsewhere(server, api_key_file)) as desk:
        _show_answer(desk, desk.send(device, call, expires), wait, _look_s(server), as_json=as_json)


@command.command("list")
@click.argument("device")
@elsewhere
@_JSON
def list_(*, device: str, server: str | None, api_key_file: Path | None, as_json: bool) -> None:
    """List the newest commands for DEVICE and how far they are."""
    with desk_at(Elsewhere(server, api_key_file)) as desk:
        rows = desk.newest(device)
    if as_json:
        click.echo(json.dumps({"commands": [_facts(row) for row in rows]}))
        return
    for row in rows:
        click.echo(_line(row))
    if not rows:
        click.echo("No commands yet. Next: doorstep command send DEVICE identify --wait 10")


@command.command()
@click.argument("device")
@click.argument("command_id")
@elsewhere
@_JSON
def cancel(
    *, device: str, command_id: str, server: str | None, api_key_file: Path | None, as_json: bool
) -> None:
    """Withdraw a command. One that was sent may be carried out all the same, and then says so."""
    with desk_at(Elsewhere(server, api_key_file)) as desk:
        _show(desk.cancel(device, command_id), as_json=as_json)


@command.command()
@click.argument("device")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE | NAME=]...")
@_WAIT
@elsewhere
@_JSON
def settings(  # noqa: PLR0913 - one for each option
    *,
    device: str,
    changes: tuple[str, ...],
    wait: float | None,
    server: str | None,
    api_key_file: Path | None,
    as_json: bool,
) -> None:
    """Show the settings of DEVICE, or change some: NAME=VALUE sets one, NAME= removes it."""
    with desk_at(Elsewhere(server, api_key_file)) as desk:
        known = desk.wanted(device)
        if changes:
            removed = {change[:-1] for change in changes if change.endswith("=")}
            kept = {name: value for name, value in known.settings.items() if name not in removed}
            wanted = {**kept, **read_values([change for change in changes if not change.endswith("=")])}
            told = desk.want(device, wanted, known.version)
            _show_answer(desk, told, wait, _look_s(server), as_json=as_json)
            return
    facts = {
        "version": known.version,
        "settings": dict(known.settings),
        "applied_version": known.applied_version,
        "reported": dict(known.reported),
    }
    click.echo(json.dumps(facts) if as_json else json.dumps(facts, indent=2))


def _look_s(server: str | None) -> float:
    return _LOOK_S if server is None else _LOOK_ELSEWHERE_S


def _show_answer(desk: Desk, row: Shown, wait_s: float | None, look_s: float, *, as_json: bool) -> None:
    """Show the command, after its end when that is waited for; raise what did not go well."""
    if wait_s is not None:
        row = _waited_for(desk, row, wait_s, look_s)
    _show(row, as_json=as_json)
    if wait_s is None or row.state == Delivery.ACKNOWLEDGED:
        return
    if row.state in OPEN:
        raise UnavailableError(
            f"the device has not answered within {wait_s:g} s; the command is {row.state}",
            next_step="It goes on by itself; see `doorstep command list`.",
        )
    raise RefusedError(f"the device did not carry it out: {row.state} {row.detail}".rstrip())


def _waited_for(desk: Desk, row: Shown, wait_s: float, look_s: float) -> Shown:
    deadline = time.monotonic() + wait_s
    while row.state in OPEN and time.monotonic() < deadline:
        time.sleep(look_s)
        row = desk.again(row)
    return row


def _show(row: Shown, *, as_json: bool) -> None:
    click.echo(json.dumps(_facts(row)) if as_json else _line(row))


def _facts(row: Shown) -> dict[str, Any]:
    answered = None if row.closed_us is None else round((row.closed_us - row.asked_us) / 1000, 1)
    return {
        "command_id": row.command_id,
        "device": row.device,
        "channel": row.channel,
        "name": row.name,
        "state": row.state,
        "detail": row.detail,
        "tries": row.tries,
        "closed_after_ms": answered,
    }


def _line(row: Shown) -> str:
    tries = f" after {row.tries} tries" if row.tries > 1 else ""
    detail = f": {row.detail}" if row.detail else ""
    return f"{row.command_id}  {row.channel} {row.name}  {row.state}{tries}{detail}"
