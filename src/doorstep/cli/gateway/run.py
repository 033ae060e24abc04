"""Run the gateway on this computer."""

import asyncio
import json
import logging
import time
from pathlib import Path

import click

from doorstep.cli.device.board import identity_of, read_file
from doorstep.cli.device.run import json_line, line, live
from doorstep.cli.gateway.group import JSON, gateway
from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.setup.service import SetupAddress
from doorstep.device.store import Store
from doorstep.device.wifi.hostnetwork import HostNetwork
from doorstep.gateway.gateway import Gateway, Listen
from doorstep.identity.provisioning import PROVISIONING_CAP, Provisioning

__all__ = ["run"]

_CAPACITY = 64
"""Readings of its own that wait: what its children sent has a store of its own."""


@gateway.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The gateway's own folder (0700); children's messages wait in it.",
)
@click.option(
    "--provisioning",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The factory's file for this gateway; needed once. Destroy it afterwards.",
)
@click.option("--host", default="0.0.0.0", show_default=True, help="Address for children.")  # noqa: S104 - the local network must reach it
@click.option("--coap-port", default=5683, show_default=True, help="UDP port for CoAP; 0 takes a free one.")
@click.option("--mqtt-port", default=1883, show_default=True, help="TCP port for MQTT; 0 takes a free one.")
@click.option("--setup-port", default=80, show_default=True, help="Port of its set-up; 0 takes a free one.")
@click.option("--interval", default=60.0, show_default=True, help="Seconds between two readings of its own.")
@JSON
def run(  # noqa: PLR0913 - one parameter for each option
    *,
    state: Path,
    provisioning: Path | None,
    host: str,
    coap_port: int,
    mqtt_port: int,
    setup_port: int,
    interval: float,
    as_json: bool,
) -> None:
    """Take children's sealed messages by CoAP and MQTT, keep them on disk, and carry them to the platform.

    The gateway is a device itself: it is set up and registered like one, and holds no key of a child. The
    operating system holds its network.
    """
    logging.basicConfig(level="WARNING", format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    store = Store.open(state)
    try:
        if provisioning is not None:
            store.adopt(Provisioning.from_json(read_file(provisioning, "provisioning", PROVISIONING_CAP)))
        made = identity_of(store)
        served = Gateway(state, Listen(host, coap_port, mqtt_port))
        options = AgentOptions(
            SetupAddress(host, setup_port), interval_s=interval, capacity=_CAPACITY, rider=served.relay
        )
        station = HostNetwork(made.servers.device_api)
        agent = Agent(store, station, served.measure, options=options, notify=json_line if as_json else line)
        asyncio.run(_serve(served, agent, as_json=as_json))
    finally:
        store.close()


async def _serve(served: Gateway, agent: Agent, *, as_json: bool) -> None:
    async with served:
        ports = {"coap_port": served.coap_port, "mqtt_port": served.mqtt_port}
        if as_json:
            click.echo(json.dumps({"at": round(time.time(), 3), "notice": "GatewayOpened", **ports}))
        else:
            click.echo(f"Children come in by CoAP on port {served.coap_port}, MQTT on {served.mqtt_port}.")
        await live(agent, [])
