"""``doorstep bench overhead``: bytes and packets that protecting a reading takes."""

import dataclasses
import json

import click
from rich.console import Console
from rich.table import Table

from doorstep.testing.overhead_bench import Overhead, run_overhead_bench

__all__ = ["overhead"]

_COLUMNS = (
    "bytes a message",
    "set-up bytes",
    "in CONNECT",
    "packets to the first reading after CONNECT",
    "flights from switch-on",
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def overhead(*, as_json: bool) -> None:
    """Count on the loopback wire what protecting one small reading adds: sealed, mTLS, TLS-PSK, OSCORE.

    The same payload goes through each. Rows whose programs are not installed are left out by name: mosquitto
    with mosquitto-clients for TLS-PSK, aiocoap[oscore] beside this Python for OSCORE.
    """
    with Console(stderr=True).status("starting") as status:
        figures = run_overhead_bench(status.update)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
    else:
        _show(figures)


def _show(figures: Overhead) -> None:
    table = Table(
        "way", *_COLUMNS, title=f"doorstep bench overhead, {figures.payload_bytes} bytes of payload"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in figures.rows:
        name, *values = dataclasses.astuple(row)
        table.add_row(
            name, *(f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in values)
        )
    Console().print(table)
    for name, why in figures.skipped.items():
        click.echo(f"{name} was left out: {why}")
