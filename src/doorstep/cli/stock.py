"""``doorstep stock``: what lies where, what comes in, and what goes back."""

import json
from typing import TYPE_CHECKING

import click

from doorstep.cli.operating import operate
from doorstep.errors import RefusedError
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from doorstep.server.custody.actions.rows import RowsOutcome

__all__ = ["show_rows", "stock"]

_SERIALS = click.argument("serials", nargs=-1, required=True)
_OF = click.option("--of", "address", required=True, help="E-mail address of the wholesaler that holds them.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def stock() -> None:
    """Stocks of the maker and of wholesalers."""


@stock.command("list")
@click.option("--of", "address", default="", help="E-mail address of one wholesaler; else all of them.")
@_JSON
def list_stock(*, address: str, as_json: bool) -> None:
    """List what wholesalers hold and nobody owns yet."""
    operate()
    from doorstep.server.custody.queries import (  # noqa: PLC0415 - needs Django started
        dispatched_stock,
        stock_of,
        wholesaler_at,
    )

    rows = stock_of(wholesaler_at(address)) if address else dispatched_stock()
    found = [
        {
            "serial": line.device.serial,
            "wholesaler": str(line.sale.wholesaler),
            "order": line.sale.order,
            "box": line.box,
            "received": line.received_us is not None,
        }
        for line in rows.iterator(2000)
    ]
    if as_json:
        click.echo(json.dumps({"devices": found}))
        return
    for one in found:
        where = "received" if one["received"] else "on its way"
        click.echo(f"{one['serial']}  {one['wholesaler']}  order {one['order']}  {where}")
    click.echo(f"{len(found)} devices.")


@stock.command("take-in")
@_SERIALS
@_JSON
def take_in(*, serials: tuple[str, ...], as_json: bool) -> None:
    """Put devices into the maker's stock, from the line or as they come back."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions import take_into_stock  # noqa: PLC0415

    outcome = take_into_stock(serials, actor=OPERATOR, now_us=now_us())
    show_rows(outcome, "in stock", as_json=as_json)


@stock.command()
@_SERIALS
@_OF
@_JSON
def receive(*, serials: tuple[str, ...], address: str, as_json: bool) -> None:
    """Note that a wholesaler has received devices."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody import actions  # noqa: PLC0415
    from doorstep.server.custody.queries import wholesaler_at  # noqa: PLC0415

    outcome = actions.receive(wholesaler_at(address), serials, actor=OPERATOR, now_us=now_us())
    show_rows(outcome, "received", as_json=as_json)


@stock.command("return")
@_SERIALS
@_OF
@click.option("--reason", required=True, help="Why; it stays in the ledger and names no person.")
@_JSON
def send_back(*, serials: tuple[str, ...], address: str, reason: str, as_json: bool) -> None:
    """Note that a wholesaler sent devices back to the maker."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions import return_to_maker  # noqa: PLC0415
    from doorstep.server.custody.queries import wholesaler_at  # noqa: PLC0415

    holder = wholesaler_at(address)
    outcome = return_to_maker(holder, serials, reason, actor=OPERATOR, now_us=now_us())
    show_rows(outcome, "sent back", as_json=as_json)


def show_rows(outcome: "RowsOutcome", done: str, *, as_json: bool) -> None:
    """Print what became of rows; raise RefusedError when some are bad."""
    if as_json:
        failed = [{"serial": one.serial, "reason": one.reason} for one in outcome.bad]
        click.echo(json.dumps({"done": outcome.done, "unchanged": outcome.unchanged, "failed": failed}))
    else:
        click.echo(f"{len(outcome.done)} {done}, {len(outcome.unchanged)} stood so before.")
        for one in outcome.bad:
            click.secho(one.sentence, fg="red", err=True)
    if outcome.bad:
        raise RefusedError(
            f"{len(outcome.bad)} of these devices could not be moved; the others are",
            next_step="Mend the named ones and give them again.",
        )
