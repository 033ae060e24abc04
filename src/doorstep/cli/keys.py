"""``doorstep keys``: end what a device may do."""

import json
import time
from typing import TYPE_CHECKING

import click

from doorstep.errors import UnavailableError
from doorstep.server.setup import migrate

if TYPE_CHECKING:
    from doorstep.server.fleet.models import Revocation

__all__ = ["keys"]

_ACTOR = "operator"
_WAIT_S = 15.0
_LOOK_S = 0.02


@click.group()
def keys() -> None:
    """Keys and certificates of devices."""


@keys.command()
@click.argument("device")
@click.option("--reason", default="revoked by the operator", show_default=True, help="Why; it is kept.")
@click.option("--wait", is_flag=True, help="Wait until sessions are kicked and messages purged.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def revoke(*, device: str, reason: str, wait: bool, as_json: bool) -> None:
    """Revoke DEVICE, by id or serial: nothing of it is accepted, delivered or left in a queue."""
    migrate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415
    from doorstep.server.fleet.actions import revoke_device  # noqa: PLC0415

    row = named_device(device)
    revocation = revoke_device(row, _ACTOR, reason, now_us=now_us())
    if wait:
        _wait_for(revocation, row.device_id)
    _show(revocation, row.device_id, as_json=as_json)


def _wait_for(revocation: "Revocation", device_id: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while revocation.purged_us is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"device {device_id} is blocked, but nobody closed its sessions within {_WAIT_S:.0f} s",
                next_step="Check that the authorizer runs: doorstep status. It goes on when it is back.",
            )
        time.sleep(_LOOK_S)
        revocation.refresh_from_db()


def _show(revocation: "Revocation", device_id: str, *, as_json: bool) -> None:
    kicked, purged, effective, accepted = (
        None if at_us is None else round((at_us - revocation.asked_us) / 1000, 1)
        for at_us in (
            revocation.kicked_us,
            revocation.purged_us,
            revocation.effective_us,
            revocation.last_accepted_us,
        )
    )
    if as_json:
        document = {
            "device_id": device_id,
            "asked_us": revocation.asked_us,
            "kicked_ms": kicked,
            "purged_ms": purged,
            "effective_ms": effective,
            "last_accepted_ms": accepted,
            "sessions_kicked": revocation.sessions_kicked,
            "messages_purged": revocation.messages_purged,
        }
        click.echo(json.dumps(document))
        return
    click.echo(f"Device {device_id} is revoked: nothing of it is accepted any more.")
    if effective is not None:
        click.echo(f"Last moment at which one could be accepted: {effective} ms after the command.")
    if accepted is not None:
        click.echo(f"Last accepted message arrived {_beside(accepted)} the command.")
    if kicked is not None:
        click.echo(f"Sessions closed after {kicked} ms: {revocation.sessions_kicked}.")
    if purged is not None:
        click.echo(f"Messages purged after {purged} ms: {revocation.messages_purged}.")


def _beside(milliseconds: float) -> str:
    return f"{abs(milliseconds)} ms {'before' if milliseconds < 0 else 'after'}"
