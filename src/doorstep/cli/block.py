"""``doorstep block``: recall a batch, or refuse a hardware id or a factory key, and take it back."""

import json
from typing import TYPE_CHECKING

import click

from doorstep.cli.operating import operate
from doorstep.cli.progress import bar
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from doorstep.server.fleet.trust import BlockEntry

__all__ = ["block"]

_SHOWN = 100


@click.group()
def block() -> None:
    """Keep the block-list: what it names is not registered, renewed or let in."""


@block.command()
@click.argument("kind", type=click.Choice(["batch", "hardware-id", "key"]))
@click.argument("value")
@click.option("--reason", required=True, help="Why; it is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(*, kind: str, value: str, reason: str, as_json: bool) -> None:
    """Block a batch by its number, a device by its hardware id, or a factory key by its SHA-256 fingerprint.

    From the first moment nothing of these devices is accepted; the bar shows their revocations.
    """
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet import blocking  # noqa: PLC0415

    entry = blocking.add_block(kind.replace("-", "_"), value, OPERATOR, reason, now_us=now_us())
    with bar("Blocking", blocking.matching(entry).count(), hidden=as_json) as advance:
        blocking.carry_out(entry, now_us(), advance)
    _show(entry, as_json=as_json)


@block.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why; it is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def lift(*, number: int, reason: str, as_json: bool) -> None:
    """End the block of line NUMBER by a new line; its devices come in again as soon as they renew.

    What somebody revoked, or another line blocks, stays out.
    """
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet import blocking  # noqa: PLC0415

    entry = blocking.entry_of(number)
    blocking.lift_block(entry, OPERATOR, reason, now_us=now_us())
    entry.refresh_from_db()
    with bar("Letting in", blocking.matching(entry).count(), hidden=as_json) as advance:
        blocking.free(entry, now_us(), advance)
    _show(entry, as_json=as_json)


@block.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_lines(*, as_json: bool) -> None:
    """List the newest lines, and how far each block is."""
    operate()
    from doorstep.server.fleet import blocking  # noqa: PLC0415 - needs Django started

    rows = list(blocking.lines()[:_SHOWN])
    if as_json:
        click.echo(json.dumps({"lines": [_document(row) for row in rows]}))
        return
    for row in rows:
        click.echo(_sentence(row))
    if not rows:
        click.echo("The block-list is empty.")


def _show(entry: "BlockEntry", *, as_json: bool) -> None:
    click.echo(json.dumps(_document(entry)) if as_json else _sentence(entry))


def _document(entry: "BlockEntry") -> dict[str, object]:
    from doorstep.server.fleet.blocking import progress_of  # noqa: PLC0415 - needs Django started

    far = progress_of(entry)
    return {
        "number": entry.pk,
        "action": entry.action,
        "kind": entry.kind,
        "value": entry.value,
        "reason": entry.reason,
        "at_us": entry.at_us,
        "lifted_by": entry.lifted_by_id,
        "devices": far.devices,
        "shut_out": far.shut_out,
        "finished": far.finished,
    }


def _sentence(entry: "BlockEntry") -> str:
    said = _document(entry)
    what = f"{entry.pk}: {entry.action} {entry.kind.replace('_', ' ')} {entry.value} ({entry.reason})"
    if entry.action == "lift":
        return what
    ended = f"; lifted by line {entry.lifted_by_id}" if entry.lifted_by_id else ""
    far = f"{said['shut_out']} of {said['devices']} devices shut out, {said['finished']} finished"
    return f"{what}: {far}{ended}"
