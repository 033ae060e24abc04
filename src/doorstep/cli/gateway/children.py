"""On the platform: say whose messages a gateway may carry."""

import json
from typing import TYPE_CHECKING

import click

from doorstep.cli.gateway.group import JSON, gateway
from doorstep.cli.operating import operate

if TYPE_CHECKING:
    from doorstep.server.fleet.models import Device

__all__ = ["attach", "children", "detach"]


@gateway.command()
@click.argument("gateway_id", metavar="GATEWAY")
@click.argument("child_ids", metavar="DEVICE...", nargs=-1, required=True)
@JSON
def attach(*, gateway_id: str, child_ids: tuple[str, ...], as_json: bool) -> None:
    """Let GATEWAY carry the messages of devices; both by device id or serial."""
    operate()
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.gateways import attach_child  # noqa: PLC0415

    above = named_device(gateway_id)
    for child in [named_device(name) for name in child_ids]:
        attach_child(above, child)
    _show(above, as_json=as_json)


@gateway.command()
@click.argument("gateway_id", metavar="GATEWAY")
@click.argument("child_ids", metavar="DEVICE...", nargs=-1, required=True)
@JSON
def detach(*, gateway_id: str, child_ids: tuple[str, ...], as_json: bool) -> None:
    """Let GATEWAY carry the messages of devices no more: it is cut off at once."""
    operate()
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.gateways import detach_child  # noqa: PLC0415

    above = named_device(gateway_id)
    for child in [named_device(name) for name in child_ids]:
        if child.gateway_id == above.pk:
            detach_child(child)
    _show(above, as_json=as_json)


@gateway.command()
@click.argument("gateway_id", metavar="GATEWAY")
@JSON
def children(*, gateway_id: str, as_json: bool) -> None:
    """List the devices whose messages GATEWAY may carry."""
    operate()
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415 - needs Django started

    _show(named_device(gateway_id), as_json=as_json)


def _show(above: "Device", *, as_json: bool) -> None:
    from doorstep.server.fleet.gateways import children_of  # noqa: PLC0415 - needs Django started

    rows = list(children_of(above))
    if as_json:
        click.echo(json.dumps({"gateway": above.device_id, "children": [row.device_id for row in rows]}))
        return
    for row in rows:
        click.echo(f"{row.device_id}  {row}")
    if not rows:
        click.echo(f"No device stands behind {above.device_id}. Attach one: doorstep gateway attach")
