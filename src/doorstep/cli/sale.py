"""``doorstep sale``: tell the platform what was sold, one order or a file of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.cli.operating import operate
from doorstep.cli.progress import bar
from doorstep.cli.remote import Elsewhere, elsewhere
from doorstep.cli.stock import show_rows
from doorstep.client import Client, ProblemAnswer
from doorstep.errors import MisuseError, RefusedError, UnavailableError
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from doorstep.client.shapes import Buyer, SaleDone, SaleIn
    from doorstep.server.custody.sale_rows import BadLine

__all__ = ["sale"]


_SHOWN = 20
"""Bad rows that the terminal shows; the file has them all."""


_SELLER = click.option(
    "--seller", default="", help="E-mail address of the wholesaler that holds them; else the maker does."
)


@click.group()
def sale() -> None:
    """Sales, as the ERP knows them."""


@sale.command()
@click.argument("order")
@click.argument("serials", nargs=-1, required=True)
@click.option("--buyer", default="", help="E-mail address of the customer.")
@click.option(
    "--wholesaler", default="", help="E-mail address of the wholesaler to which they are dispatched."
)
@_SELLER
@click.option("--box", default="", help="Label of the box in which they travel.")
@elsewhere
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(*, server: str | None, api_key_file: Path | None, as_json: bool, **told: Any) -> None:
    """Record devices as sold to a customer, or dispatched to a wholesaler: all or none."""
    if bool(told["buyer"]) == bool(told["wholesaler"]):
        raise MisuseError("a sale has one buyer", next_step="Give --buyer or --wholesaler.")
    client = Elsewhere(server, api_key_file).client()
    if client is None:
        done = _record(**told)
    else:
        with client:
            done = _record_at(client, **told)
    if as_json:
        click.echo(json.dumps(done))
        return
    sold, before = len(done["sold"]), len(done["unchanged"])
    click.echo(f"Order {done['order']}: {sold} sold, {before} were sold so before.")


def _record(  # noqa: PLR0913 - a sale has this many facts
    *, order: str, serials: tuple[str, ...], buyer: str, wholesaler: str, seller: str, box: str
) -> "SaleDone":
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions import SaleRefused, record_sale  # noqa: PLC0415
    from doorstep.server.custody.queries import wholesaler_at  # noqa: PLC0415

    to = wholesaler_at(wholesaler) if wholesaler else buyer
    try:
        done = record_sale(
            order,
            serials,
            to,
            actor=OPERATOR,
            source="csv",
            now_us=now_us(),
            seller=wholesaler_at(seller) if seller else None,
            box=box,
        )
    except SaleRefused as error:
        for row in error.rows:
            click.secho(f"{row.serial}: {row.sentence}", fg="red", err=True)
        raise
    return {"order": done.order, "sold": list(done.sold), "unchanged": list(done.unchanged)}


def _record_at(  # noqa: PLR0913 - a sale has this many facts
    client: Client,
    *,
    order: str,
    serials: tuple[str, ...],
    buyer: str,
    wholesaler: str,
    seller: str,
    box: str,
) -> "SaleDone":
    to: Buyer = {"wholesaler": wholesaler} if wholesaler else {"email": buyer}
    wish: SaleIn = {"order": order, "serials": list(serials), "buyer": to, "box": box, "seller": seller}
    try:
        return client.record_sale(wish)
    except ProblemAnswer as error:
        for row in error.rows:
            click.secho(f"{row['serial']}: {row['detail']}", fg="red", err=True)
        raise


@sale.command()
@click.argument("order")
@click.argument("serials", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it stays in the ledger and names no person.")
@_SELLER
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def withdraw(*, order: str, serials: tuple[str, ...], reason: str, seller: str, as_json: bool) -> None:
    """Take devices out of an order that nobody has received or owns yet; the ledger keeps both entries."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody import actions  # noqa: PLC0415
    from doorstep.server.custody.queries import wholesaler_at  # noqa: PLC0415

    holder = wholesaler_at(seller) if seller else None
    outcome = actions.withdraw(holder, order, serials, reason, actor=OPERATOR, now_us=now_us())
    show_rows(outcome, "taken back", as_json=as_json)


@sale.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all-or-nothing", is_flag=True, help="Store nothing when one row is bad.")
@click.option(
    "--failures", type=click.Path(path_type=Path), help="Where bad rows go; default: FILE.failed.csv."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_file(*, file: Path, all_or_nothing: bool, failures: Path | None, as_json: bool) -> None:
    """Record the sales of a CSV file with the columns order, serial, and buyer_email or wholesaler; or box.

    Good rows are stored. Bad rows are named with their lines and written to a file of the same form: mend it
    and import it. Importing a row again changes nothing.
    """
    content = _read(file)
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions import import_sales  # noqa: PLC0415
    from doorstep.server.custody.sale_rows import read_rows  # noqa: PLC0415

    rows, bad = read_rows(content)
    sold = unchanged = 0
    if not (bad and all_or_nothing):
        with bar("Recording sales", len(rows), hidden=as_json) as advance:
            sold, unchanged, refused = import_sales(
                rows, actor=OPERATOR, now_us=now_us(), all_or_nothing=all_or_nothing, advance=advance
            )
        bad += refused
    failed = failures or file.with_name(f"{file.stem}.failed.csv")
    _show(sold, unchanged, sorted(bad, key=lambda one: one.line), failed, as_json=as_json)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MisuseError(f"{file} can't be read: {error.strerror}", next_step="Check the name.") from error


def _show(sold: int, unchanged: int, bad: "list[BadLine]", failed: Path, *, as_json: bool) -> None:
    if bad:
        _write(failed, bad)
    if as_json:
        rows = [{"line": one.line, "serial": one.cells[1], "reason": one.reason} for one in bad]
        click.echo(json.dumps({"sold": sold, "unchanged": unchanged, "failed": rows}))
    else:
        click.echo(f"{sold} sold, {unchanged} were sold so before, {len(bad)} failed.")
        for one in bad[:_SHOWN]:
            click.secho(f"line {one.line}: {one.sentence}", fg="red", err=True)
    if bad:
        raise RefusedError(
            f"rows that were not stored: {len(bad)}; they stand in {failed}",
            next_step=f"Mend them there, then: doorstep sale import {failed}",
        )


def _write(failed: Path, bad: "list[BadLine]") -> None:
    from doorstep.server.custody.sale_rows import write_failures  # noqa: PLC0415 - with its shell

    try:
        failed.write_text(write_failures(bad), encoding="utf-8", newline="")
    except OSError as error:
        raise UnavailableError(
            f"bad rows can't be written to {failed}: {error.strerror}", next_step="Name a place: --failures."
        ) from error
