"""``doorstep bench portal``: what pages take on the server when there is much to show."""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.runtime.settings import load, to_environment
from doorstep.server.setup import migrate
from doorstep.testing.postgres import running_postgres

__all__ = ["Figures", "portal"]

_PAGE_MS: Final = 200.0
_YEAR_MS: Final = 500.0
_YEAR: Final = "charts-year"
_DEVICES: Final = {"sqlite": 10_000, "postgresql": 100_000}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, and in front of what."""

    database: str
    devices: int
    readings: int
    organisations: int
    fill_s: float
    rolled_up_per_s: int
    """Readings a second that the jobs role's digest brings into hours and days, one worker."""
    p95_ms: dict[str, float]
    """By page: from the request to the last byte of the answer, without the network."""
    p95_cpu_ms: dict[str, float]
    """The same in processor time of server and database, which other work on the machine does not change."""
    over: list[str]
    """Pages beyond 200 ms, or 500 ms for the chart of a year."""


@click.command()
@click.option(
    "--database",
    type=click.Choice(list(_DEVICES)),
    default="sqlite",
    show_default=True,
    help="Which database answers.",
)
@click.option(
    "--devices",
    type=click.IntRange(50),
    help="Devices; 10,000 with SQLite and 100,000 with PostgreSQL if not given.",
)
@click.option(
    "--readings", type=click.IntRange(1000), help="Readings; a hundred for each device if not given."
)
@click.option("--organisations", type=click.IntRange(2), default=1000, show_default=True, help="Customers.")
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="How often each page is asked for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def portal(  # noqa: PLR0913 - one parameter an option
    *,
    database: str,
    devices: int | None,
    readings: int | None,
    organisations: int,
    rounds: int,
    as_json: bool,
) -> None:
    """How long the server works for each page of the portal, 95 of 100 times at most.

    A tenth of the devices belong to one customer; half of the readings are of a few devices that sent for a
    whole year, the others sent through the last days. Pages are asked for one after the other, as somebody
    who is logged in, each time another device. Everything is made for this run in a temporary folder.
    """
    many = devices or _DEVICES[database]
    with Console(stderr=True).status("starting") as status, _database(database):
        status.update("making the tables")
        migrate()
        from doorstep.cli.bench.portal_pages import ask  # noqa: PLC0415 - need Django started
        from doorstep.cli.bench.portal_rows import Wanted, fill  # noqa: PLC0415 - as above

        wanted = Wanted(many, readings or many * 100, organisations)
        filled = fill(wanted, status.update)
        took = ask(filled, rounds, status.update)
    p95 = {page: one.wall for page, one in took.items()}
    cpu = {page: one.cpu for page, one in took.items()}
    over = [page for page, ms in p95.items() if ms > (_YEAR_MS if page.startswith(_YEAR) else _PAGE_MS)]
    rate = round(filled.readings / filled.roll_up_s)
    _show(
        Figures(
            database, many, filled.readings, organisations, round(filled.fill_s, 1), rate, p95, cpu, over
        ),
        as_json=as_json,
    )


@contextlib.contextmanager
def _database(database: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorstep-bench-")))
        url = ""
        if database == "postgresql":
            url = stack.enter_context(stack.enter_context(running_postgres(durable=False)).database())
        settings = dataclasses.replace(load({}), state=folder / "state", database_url=url)
        os.environ.update(to_environment(settings))
        yield
        from django.db import connections  # noqa: PLC0415 - imported after it was started

        connections.close_all()


def _show(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table(
        "page",
        "p95, ms",
        "of these at work",
        title=f"{figures.devices:,} devices, {figures.readings:,} readings",
    )
    for page, ms in figures.p95_ms.items():
        table.add_row(
            page, f"{ms:.1f}", f"{figures.p95_cpu_ms[page]:.1f}", style="red" if page in figures.over else ""
        )
    Console().print(table)
