"""``doorstep command``: tell a device what to do and which settings to have, and see what it answered."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from doorstep.errors import RefusedError, UnavailableError
from doorstep.messaging.channels import Call, read_values
from doorstep.messaging.delivery import OPEN, Delivery
from doorstep.server.setup import migrate

if TYPE_CHECKING:
    from doorstep.server.channels.models import Downlink

__all__ = ["command"]

_ACTOR: Final = "operator"
_LOOK_S: Final = 0.1
_SHOWN: Final = 20

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
@_JSON
def send(  # noqa: PLR0913 - one for each option
    *, device: str, name: str, arguments: tuple[str, ...], expires: int, wait: float | None, as_json: bool
) -> None:
    """Send the command NAME to DEVICE (id or serial); it gets it when it shows itself.

    A value is true, false, a number, or a text; text that looks like one of those stands in "quotes".
    """
    call = Call(name, read_values(arguments))
    migrate()
    from doorstep.server.channels.actions import send_command  # noqa: PLC0415 - needs Django started
    from doorstep.server.clock import now_us  # noqa: PLC0415
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415

    row = send_command(named_device(device), call, lasts_s=expires, by=_ACTOR, now_us=now_us())
    _show_answer(row, wait, as_json=as_json)


@command.command("list")
@click.argument("device")
@_JSON
def list_(*, device: str, as_json: bool) -> None:
    """List the newest commands for DEVICE and how far they are."""
    migrate()
    from doorstep.server.channels.queries import commands_of  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415

    rows = list(commands_of(named_device(device))[:_SHOWN])
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
@_JSON
def cancel(*, device: str, command_id: str, as_json: bool) -> None:
    """Withdraw a command. One that was sent may be carried out all the same, and then says so."""
    migrate()
    from doorstep.server.channels import actions  # noqa: PLC0415 - needs Django started
    from doorstep.server.channels.queries import command_of  # noqa: PLC0415
    from doorstep.server.clock import now_us  # noqa: PLC0415
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415

    found = command_of(named_device(device), command_id)
    _show(actions.cancel(found, "cancelled by the operator", now_us=now_us()), as_json=as_json)


@command.command()
@click.argument("device")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE | NAME=]...")
@_WAIT
@_JSON
def settings(*, device: str, changes: tuple[str, ...], wait: float | None, as_json: bool) -> None:
    """Show the settings of DEVICE, or change some: NAME=VALUE sets one, NAME= removes it."""
    migrate()
    from doorstep.server.channels.actions import want_settings  # noqa: PLC0415 - needs Django started
    from doorstep.server.channels.queries import commands_of, settings_of  # noqa: PLC0415
    from doorstep.server.clock import now_us  # noqa: PLC0415
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415

    row = named_device(device)
    shown = settings_of(row)
    if changes:
        removed = {change[:-1] for change in changes if change.endswith("=")}
        kept = {name: value for name, value in shown.wanted.items() if name not in removed}
        wanted = {**kept, **read_values([change for change in changes if not change.endswith("=")])}
        want_settings(row, wanted, seen=shown.version, by=_ACTOR, now_us=now_us())
        _show_answer(commands_of(row)[0], wait, as_json=as_json)
        return
    facts = {
        "version": shown.version,
        "settings": dict(shown.wanted),
        "applied_version": shown.applied,
        "reported": {point.name: point.value for point in shown.reported},
    }
    click.echo(json.dumps(facts) if as_json else json.dumps(facts, indent=2))


def _show_answer(row: "Downlink", wait_s: float | None, *, as_json: bool) -> None:
    """Show the command, after its end when that is waited for; raise what did not go well."""
    if wait_s is not None:
        _wait_for(row, wait_s)
    _show(row, as_json=as_json)
    if wait_s is None or row.state == Delivery.ACKNOWLEDGED:
        return
    if row.state in OPEN:
        raise UnavailableError(
            f"the device has not answered within {wait_s:g} s; the command is {row.state}",
            next_step="It goes on by itself; see `doorstep command list`.",
        )
    raise RefusedError(f"the device did not carry it out: {row.state} {_detail(row)}".rstrip())


def _wait_for(row: "Downlink", wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while row.state in OPEN and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        row.refresh_from_db()


def _show(row: "Downlink", *, as_json: bool) -> None:
    click.echo(json.dumps(_facts(row)) if as_json else _line(row))


def _facts(row: "Downlink") -> dict[str, Any]:
    answered = None if row.closed_us is None else round((row.closed_us - row.asked_us) / 1000, 1)
    return {
        "command_id": row.command_id,
        "device": row.device.device_id,
        "channel": row.channel,
        "name": row.name,
        "state": row.state,
        "detail": _detail(row),
        "tries": row.tries,
        "closed_after_ms": answered,
    }


def _line(row: "Downlink") -> str:
    tries = f" after {row.tries} tries" if row.tries > 1 else ""
    detail = f": {said}" if (said := _detail(row)) else ""
    return f"{row.command_id}  {row.channel} {row.name}  {row.state}{tries}{detail}"


def _detail(row: "Downlink") -> str:
    from doorstep.server.channels.queries import detail_of  # noqa: PLC0415 - needs Django started

    return detail_of(row)
