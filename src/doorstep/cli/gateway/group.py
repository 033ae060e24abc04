"""The command's group and the options that its commands share."""

import click

__all__ = ["JSON", "gateway"]

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group()
def gateway() -> None:
    """Carry the messages of devices that do not reach the platform themselves."""
