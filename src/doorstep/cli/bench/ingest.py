"""``doorstep bench ingest``: sealed messages from devices into the database."""

import dataclasses
import json
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.testing.ingest_bench import IngestBench, IngestFigures, run_ingest_bench

__all__ = ["ingest"]

_LABELS: Final = {
    "messages_per_s": ("sealed QoS-1 messages stored a second", "{:,.0f}"),
    "readings_per_s": ("readings stored a second", "{:,.0f}"),
    "worker_us_per_message": ("processor time of the worker, µs a message", "{:.1f}"),
    "open_us_median": ("opening one message, µs, the median", "{:.2f}"),
    "ratio_to_no_crypto_no_store": ("ratio to the same path without opening and storing", "{:.2f}"),
    "lost": ("acknowledged and not stored", "{:,}"),
    "duplicated": ("stored twice", "{:,}"),
}


@click.command()
@click.option("--devices", default=50, show_default=True, help="Devices that publish at once, over mTLS.")
@click.option("--messages", default=100_000, show_default=True, help="Messages in each round.")
@click.option(
    "--readings-per-message", type=click.IntRange(1, 64), default=1, show_default=True, help="SenML records."
)
@click.option(
    "--in-flight",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Publishes before a wait.",
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
    help="Which database stores.",
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="The median is told.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def ingest(  # noqa: PLR0913 - one parameter for each option
    *,
    devices: int,
    messages: int,
    readings_per_message: int,
    in_flight: int,
    database: str,
    rounds: int,
    as_json: bool,
) -> None:
    """Devices over mTLS, broker, authorizer, worker and database: how many messages a second get through.

    Brokers, database and devices are made for this run in a temporary folder. Each round runs the path
    twice: with the real worker, and with one that neither opens nor stores.
    """
    wanted = IngestBench(devices, messages, readings_per_message, in_flight, database, rounds)
    with Console(stderr=True).status("starting") as status:
        figures = run_ingest_bench(wanted, status.update)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
    else:
        _show(figures)


def _show(figures: IngestFigures) -> None:
    table = Table("figure", "value", title="doorstep bench ingest")
    table.columns[1].justify = "right"
    for name, value in dataclasses.asdict(figures).items():
        label, form = _LABELS[name]
        table.add_row(label, form.format(value))
    Console().print(table)
