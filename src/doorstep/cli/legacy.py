"""``doorstep legacy``: old boards that go on with an insecure message format until they can seal."""

import json
from typing import TYPE_CHECKING, Any

import click

from doorstep.cli.operating import operate
from doorstep.messaging.legacy.formats import Format
from doorstep.messaging.legacy.keys import LegacyKeys
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from doorstep.server.fleet.legacy import AddedBoard
    from doorstep.server.fleet.models import LegacyBoard

__all__ = ["legacy"]

_FORMAT = click.Choice([one.value for one in Format])


@click.group()
def legacy() -> None:
    """Boards in the field with an insecure message format; see docs/howto/take-in-old-boards.md."""


@legacy.command()
@click.argument("device_id")
@click.option("--format", "kind", type=_FORMAT, required=True, help="What it speaks.")
@click.option("--node-id", required=True, help="What its messages name: chip id of the board.")
@click.option("--keys", type=click.File(), help="JSON with its own static_iv, iv_key, data_key, passphrase.")
@click.option("--peer", default="", metavar="DEVICE_ID", help="Another such board, which gets what it says.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(  # noqa: PLR0913 - one parameter for each option
    *,
    device_id: str,
    kind: str,
    node_id: str,
    keys: Any,
    peer: str,
    as_json: bool,
) -> None:
    """Take a device's legacy messages. Its password and new keys are shown this once."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.legacy import add_board, find_device  # noqa: PLC0415

    own = _keys(keys.read()) if keys else None
    to = find_device(peer) if peer else None
    device = find_device(device_id)
    added = add_board(device, kind, node_id, keys=own, peer=to, actor=OPERATOR, now_us=now_us())
    values = _values(device_id, added)
    if as_json:
        click.echo(json.dumps(values))
        return
    for name, value in values.items():
        click.echo(f"{name:<12} {value}")
    click.secho(f"Insecure messages taken: {kind}. {Format(kind).risk}", fg="red", err=True)
    click.echo("Put these into the board now: they can't be shown again.", err=True)


@legacy.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_boards(*, as_json: bool) -> None:
    """List the legacy boards, and which of them have moved to sealed messages."""
    operate()
    from doorstep.server.fleet.legacy import all_boards  # noqa: PLC0415 - needs Django started

    rows = list(all_boards())
    if as_json:
        click.echo(json.dumps([_row(row) for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.device.device_id}  {row.format:<13} {row.node_id:<16} {_standing(row)}")
    if not rows:
        click.echo("No legacy boards: every device seals.")


@legacy.command()
@click.argument("device_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def remove(*, device_id: str, as_json: bool) -> None:
    """Take no legacy message of a device any more, and forget its keys."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.legacy import find_device, remove_board  # noqa: PLC0415

    remove_board(find_device(device_id), actor=OPERATOR, now_us=now_us())
    click.echo(
        json.dumps({"removed": device_id}) if as_json else f"Nothing legacy is taken of {device_id} now."
    )


def _keys(text: str) -> LegacyKeys:
    try:
        given = {name: value.encode() for name, value in json.loads(text).items()}
        return LegacyKeys(**given)
    except (ValueError, TypeError, AttributeError) as error:
        raise click.UsageError(
            "--keys is a JSON object of static_iv, iv_key, data_key, passphrase"
        ) from error


def _values(device_id: str, added: "AddedBoard") -> dict[str, str]:
    keys = added.keys
    return {
        "client_id": device_id,
        "username": device_id,
        "password": added.password,
        "publish": f"d/{device_id}/up/{added.board.format}",
        "subscribe": f"d/{device_id}/down/#",
        "static_iv": keys.static_iv.decode(),
        "iv_key": keys.iv_key.decode(),
        "data_key": keys.data_key.decode(),
        "passphrase": keys.passphrase.decode(),
    }


def _row(row: "LegacyBoard") -> dict[str, Any]:
    return {
        "device_id": row.device.device_id,
        "product": row.device.product.key,
        "format": row.format,
        "node_id": row.node_id,
        "peer": row.peer.device_id if row.peer else None,
        "insecure": bool(row.device.insecure_formats),
        "migrated_us": row.migrated_us,
    }


def _standing(row: "LegacyBoard") -> str:
    if row.migrated_us is not None:
        return "seals now"
    return "insecure" if row.device.insecure_formats else "not taken"
