"""Show how a board stands, and make it forget its network."""

import json
from pathlib import Path

import click

from doorstep.cli.device.board import identity_of, next_step_of
from doorstep.cli.device.group import JSON, STATE, device
from doorstep.device.store import Store

__all__ = ["forget_network", "show"]


@device.command()
@STATE
@JSON
def show(state: Path, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show identity, epoch, certificate and the next step."""
    store = Store(state.absolute())
    made, held, network = identity_of(store), store.operational(), store.network()
    certificate = None if held is None else held.certificate
    facts = {
        "device": made.device_id,
        "serial": made.serial,
        "product": made.product,
        "network": None if network is None else network.ssid.decode("utf-8", errors="replace"),
        "token": store.ticket() is not None,
        "next_epoch": store.next_epoch(),
        "certificate": None if certificate is None else certificate.fingerprint,
        "certificate_until": None if certificate is None else certificate.not_after.isoformat(),
        "device_api": made.servers.device_api if held is None or certificate is None else held.device_api,
        "next_step": next_step_of(store, held),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):18} {'none' if value in {None, False} else value}")


@device.command("forget-network")
@STATE
@JSON
def forget_network(state: Path, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Forget the Wi-Fi, so that the next start waits for a new set-up. Identity and owner stay.

    This counts as a hand on the device. If it has an owner, they must also allow set-up again in the portal.
    """
    store = Store.open(state)
    try:
        made = identity_of(store)
        store.reset()
    finally:
        store.close()
    click.echo(
        json.dumps({"device": made.device_id, "network": None})
        if as_json
        else f"Device {made.device_id} has forgotten its network. Next: {next_step_of(store, None)}"
    )
