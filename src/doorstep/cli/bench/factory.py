"""``doorstep bench factory``: devices with keys, certificates, images and labels, all recorded."""

import json
import tempfile
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.cli.subcommand import run_json

__all__ = ["factory"]

_PRODUCT: Final = "bench"


@click.command()
@click.option("--count", type=click.IntRange(1, 1_000_000), default=2_000, show_default=True, help="Devices.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def factory(*, count: int, as_json: bool) -> None:
    """Make a batch in a temporary platform, on all cores, by the same command that a line uses."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as folder:
        environ = {"DOORSTEP_STATE": f"{folder}/state"}
        run_json("product", "add", _PRODUCT, "--name", "Bench", environ=environ)
        with Console(stderr=True).status(f"making {count} devices"):
            batch = ("factory", "batch", "--product", _PRODUCT, "--count", str(count), "--yes")
            result = run_json(*batch, "--out", f"{folder}/batch", environ=environ)
    figures = {
        "devices": result["made"],
        "seconds": round(result["seconds"], 2),
        "devices_per_s": result["devices_per_s"],
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    table = Table("figure", "value", title="doorstep bench factory")
    table.columns[1].justify = "right"
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    Console().print(table)
