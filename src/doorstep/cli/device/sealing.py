"""Seal one message by hand."""

import json
import sys
from base64 import b64encode
from pathlib import Path

import click

from doorstep.cli.device.board import identity_of, next_step_of
from doorstep.cli.device.group import JSON, STATE, device
from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.errors import MisuseError
from doorstep.messaging.variant import VARIANTS
from doorstep.runtime.brokers import UP_CHANNELS

__all__ = ["seal"]


@device.command()
@STATE
@click.argument("content")
@click.option(
    "--channel", type=click.Choice(UP_CHANNELS), default="data", show_default=True, help="Where to."
)
@JSON
def seal(state: Path, content: str, channel: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Seal CONTENT as this device and write the message to standard output, for another MQTT program.

    Each call begins a new epoch, as a boot does, so the agent must be stopped. With --json the message
    comes as Base64, with its topic and a one-time password for one CONNECT without TLS.
    """
    if sys.stdout.isatty() and not as_json:
        raise MisuseError("a sealed message is binary", next_step="Add > message.bin, or --json.")
    store = Store.open(state)
    try:
        made = identity_of(store)
        if store.operational() is None:
            # An epoch may be used only after the platform has said which ones are free.
            raise MisuseError(
                f"device {made.device_id} is not registered", next_step=next_step_of(store, None)
            )
        sealing = Sealing(store, made.device_id, VARIANTS[made.sealed])
        password, message = sealing.proof(), sealing.seal(channel, content.encode())
    finally:
        store.close()
    topic = f"d/{made.device_id}/up/{channel}"
    if as_json:
        facts = {"topic": topic, "epoch": sealing.epoch, "message": b64encode(message).decode()}
        click.echo(json.dumps(facts | {"username": made.device_id, "password": password}))
        return
    click.echo(f"Sealed in epoch {sealing.epoch} for topic {topic}", err=True)
    click.echo(message, nl=False)
