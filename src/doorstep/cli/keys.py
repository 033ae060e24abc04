"""``doorstep keys``: replace a device's keys, or end them."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from doorstep.cli.operating import operate
from doorstep.errors import UnavailableError
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorstep.onboarding.protocomm.configurator import Conversation
    from doorstep.provisioner.link import Link
    from doorstep.server.fleet.models import KeyRotation, Revocation

__all__ = ["carry", "keys"]

_WAIT_S = 15.0
_LOOK_S = 0.02
_MOST_ROUNDS = 12


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
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415
    from doorstep.server.fleet.actions import revoke_device  # noqa: PLC0415

    row = named_device(device)
    revocation = revoke_device(row, OPERATOR, reason, now_us=now_us())
    if wait:
        _wait_for(revocation, row.device_id)
    _show(revocation, row.device_id, as_json=as_json)


@keys.command()
@click.argument("device")
@click.option(
    "--key",
    type=click.Choice(["root", "exchange", "certificate"]),
    default="root",
    show_default=True,
    help="root: of its sealed messages. exchange: the same by EDHOC, so that a thief of the old root cannot "
    "follow. certificate: the operational one.",
)
@click.option("--serial", metavar="PORT", help="Carry it over this console line instead of the broker.")
@click.option("--wait", type=click.FloatRange(0, 86_400), metavar="SECONDS", help="Wait until it is done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(*, device: str, key: str, serial: str | None, wait: float | None, as_json: bool) -> None:
    """Replace a key of DEVICE, by id or serial. The old one works until the new one is proven."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415
    from doorstep.server.fleet.rotation import begin_rotation  # noqa: PLC0415

    row = named_device(device)
    rotation = begin_rotation(row, key, OPERATOR, now_us=now_us(), by_hand=serial is not None)
    if serial is not None:
        _carry(rotation, serial)
        rotation.refresh_from_db()
    if wait is not None:
        _wait_until_settled(rotation, row.device_id, wait)
    _show_rotation(rotation, row.device_id, as_json=as_json)


@keys.group()
def anchor() -> None:
    """Change the maker's root, which every device trusts."""


@anchor.command("stage")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stage_anchor(*, as_json: bool) -> None:
    """Make a new root, and tell devices to trust it beside the old one. The old root's key must be there."""
    from doorstep.runtime.rollover import stage_root  # noqa: PLC0415 - slow to load

    version = _on_authority(stage_root)
    words = "Devices learn of it when they renew. After a week or so: doorstep keys anchor commit"
    click.echo(json.dumps({"version": version, "stage": "staged"}) if as_json else words)


@anchor.command("commit")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def commit_anchor(*, as_json: bool) -> None:
    """Change over to the staged root; restart the platform afterwards. Sleeping devices catch up later."""
    from doorstep.runtime.rollover import change_over  # noqa: PLC0415 - slow to load

    version = _on_authority(change_over)
    words = (
        "The new root is in use after a restart. Put its key into a safe: it is root.key in the ca folder."
    )
    click.echo(json.dumps({"version": version, "stage": "settled"}) if as_json else words)


def _on_authority(act: "Callable[..., int]") -> int:
    from doorstep.runtime.authority import load_authority  # noqa: PLC0415 - slow to load
    from doorstep.runtime.settings import load  # noqa: PLC0415 - as above
    from doorstep.runtime.state import StateFolder  # noqa: PLC0415 - as above

    state, now = StateFolder.open(load(os.environ).state), datetime.now(UTC)
    load_authority(state.ca, now=now)  # says what is wrong before anything changes
    return act(state.ca, "Maker", now=now)


def _carry(rotation: "KeyRotation", port: str) -> None:
    from doorstep.provisioner.console import ConsoleLink  # noqa: PLC0415 - the shell, lazily
    from doorstep.provisioner.serialport import open_serial  # noqa: PLC0415 - as above

    with asyncio.Runner() as runner:
        link = ConsoleLink(*runner.run(open_serial(port)))
        try:
            carry(rotation, link, runner)
        finally:
            runner.run(link.close())


def carry(rotation: "KeyRotation", link: "Link", runner: asyncio.Runner) -> None:
    """Bring what device and platform say to each other, until the new root is in use.

    The loop runs only while the device is asked: the database wants to be outside of it.
    """
    from doorstep.device.byhand import ENDPOINT  # noqa: PLC0415 - the shell, lazily
    from doorstep.onboarding.protocomm.configurator import Request  # noqa: PLC0415 - as above
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.by_hand import Hand  # noqa: PLC0415 - as above

    def asking(body: bytes) -> "Conversation[bytes]":
        return (yield Request(ENDPOINT, body))

    hand, word = Hand(rotation), b""
    for _ in range(_MOST_ROUNDS):
        said = hand.hear(runner.run(link.hold(asking(word))), now_us())
        if said is None:
            return
        word = said
    raise UnavailableError("device and platform come to no end", next_step="Try again; the old key works.")


def _wait_until_settled(rotation: "KeyRotation", device_id: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not rotation.outcome:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"the key of device {device_id} is {rotation.stage} after {seconds:.0f} s",
                next_step="It goes on when the device shows itself. Check that jobs and downlink run.",
            )
        time.sleep(_LOOK_S * 5)
        rotation.refresh_from_db()


def _show_rotation(rotation: "KeyRotation", device_id: str, *, as_json: bool) -> None:
    if as_json:
        names = ("number", "kind", "stage", "outcome", "detail", "asked_us", "staged_us", "settled_us")
        click.echo(json.dumps({"device_id": device_id} | {name: getattr(rotation, name) for name in names}))
        return
    if rotation.outcome == "done":
        click.echo(f"Device {device_id} has a new key.")
    elif rotation.outcome:
        click.echo(f"The rotation of device {device_id} was abandoned: {rotation.detail}")
    else:
        click.echo(f"Device {device_id} gets a new key when it shows itself; until then the old one works.")


@keys.command()
@click.argument("device")
@click.option("--reason", required=True, help="Why; it is kept, and the owner reads it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def quarantine(*, device: str, reason: str, as_json: bool) -> None:
    """Accept nothing of DEVICE, by id or serial, until somebody decides; its certificates are kept."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415
    from doorstep.server.fleet.standings import quarantine_device  # noqa: PLC0415

    row = quarantine_device(named_device(device), OPERATOR, reason, now_us=now_us())
    _show_standing(row.device_id, as_json=as_json)


@keys.command()
@click.argument("device")
@click.option("--reason", required=True, help="Why; it is kept, and the owner reads it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def clear(*, device: str, reason: str, as_json: bool) -> None:
    """End the suspicion or quarantine of DEVICE, by id or serial."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415
    from doorstep.server.fleet.standings import clear_device  # noqa: PLC0415

    row = clear_device(named_device(device), OPERATOR, reason, now_us=now_us())
    _show_standing(row.device_id, as_json=as_json)


@keys.command()
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def standing(*, device: str, as_json: bool) -> None:
    """Show how far DEVICE, by id or serial, is trusted, and why."""
    operate()
    _show_standing(device, as_json=as_json)


def _show_standing(device: str, *, as_json: bool) -> None:
    from doorstep.server.fleet.access import named_device  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.standings import history_of  # noqa: PLC0415

    row = named_device(device)
    changes = [(change.at_us, change.after, change.sentence) for change in history_of(row)]
    if as_json:
        told = [{"at_us": at_us, "standing": after, "sentence": said} for at_us, after, said in changes]
        click.echo(json.dumps({"device_id": row.device_id, "standing": row.standing, "changes": told}))
        return
    click.echo(f"Device {row.device_id}: {row.standing}.")
    for _, after, said in changes:
        click.echo(f"  {after}: {said}")


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
