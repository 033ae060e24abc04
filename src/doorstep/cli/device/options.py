"""The options that the commands of a board share."""

from pathlib import Path

import click

__all__ = ["JSON", "STATE"]

STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The device's own folder (0700).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
