"""``doorstep broker``: bring your own."""

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from doorstep.broker.export import export_mosquitto, working_devices
from doorstep.broker.mosquitto import MosquittoFacts
from doorstep.cli.operating import operate
from doorstep.runtime.authority import load_authority
from doorstep.runtime.brokers import User, password_of
from doorstep.runtime.database import connect
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import load
from doorstep.runtime.state import StateFolder

__all__ = ["broker"]

_FIRST_FREE_PORT = 8884


@click.group()
def broker() -> None:
    """Message brokers of your own."""


@broker.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the files, by the path that it has on Mosquitto's machine.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    default=("localhost",),
    show_default=True,
    help="Name or address by which devices reach Mosquitto. May be given again.",
)
@click.option("--port", default=_FIRST_FREE_PORT, show_default=True, help="Where Mosquitto listens.")
@click.option("--run-as", default="", help="User that runs Mosquitto; the default is who exports.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(*, folder: Path, hosts: tuple[str, ...], port: int, run_as: str, as_json: bool) -> None:
    """Write what a Mosquitto needs: mTLS, revocation list, access file, and the bridge to this platform.

    Export again after devices were registered or revoked, and at least daily, for the revocation list is good
    for a day; then send Mosquitto SIGHUP.
    """
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.pki.lists import current_list  # noqa: PLC0415

    settings = load(os.environ)
    state = StateFolder.open(settings.state)
    key_file, now = KeyFile.open(state.key_file), datetime.now(UTC)
    authority = load_authority(state.ca, now=now)
    at_us = now_us()
    crl = bytes(current_list(authority.operations, at_us).content)
    connection = connect(settings, state)
    try:
        devices = working_devices(connection, at_us)
    finally:
        connection.close()
    facts = MosquittoFacts(
        folder=folder,
        port=port,
        run_as=run_as or getpass.getuser(),
        upstream=f"{settings.public_host}:{settings.mqtt_tls_port}",
        user=User.BRIDGE,
        password=password_of(key_file, User.BRIDGE),
    )
    done = export_mosquitto(facts, authority, devices, crl, hosts=list(hosts), now=now)
    if as_json:
        click.echo(json.dumps({"configuration": str(done.configuration), "devices": done.devices}))
        return
    click.echo(f"{done.devices} devices may use it. Start it: mosquitto -c {done.configuration}")
