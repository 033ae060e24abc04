"""``doorstep claim``: claims that wait, who could claim what, and ownership vouchers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from doorstep.cli.operating import operate
from doorstep.ownership.actors import OPERATOR
from doorstep.ownership.policy import explain, missing, parse
from doorstep.ownership.simulation import Trial, simulate, warnings
from doorstep.runtime.authority import load_authority

__all__ = ["claim"]


@click.group()
def claim() -> None:
    """Claims that wait, what would decide them, and vouchers."""


@claim.command("simulate")
@click.argument("product")
@click.option("--policy", default="", help="Try this policy instead of the product's own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def simulate_command(*, product: str, policy: str, as_json: bool) -> None:
    """Show who could claim a device of PRODUCT with what; nothing is changed."""
    operate()
    from doorstep.server.fleet.products import find_product  # noqa: PLC0415 - needs Django started

    tried = parse(policy or find_product(product).claim_policy)
    trials = simulate(tried)
    if as_json:
        told = [_values(trial) for trial in trials]
        click.echo(json.dumps({"policy": tried.text, "trials": told, "warnings": warnings(trials)}))
        return
    click.echo(f"{tried.text}\n{explain(missing(tried, ()))}\n")
    for trial in trials:
        click.echo(f"{trial.free.outcome:<10} {trial.owned.outcome:<10} {trial.person.who}")
    click.echo("(first: while nobody owns it; second: while somebody else does)")
    for warning in warnings(trials):
        click.echo(f"! {warning}")


@claim.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_claims(*, as_json: bool) -> None:
    """List the claims that wait, newest first."""
    operate()
    from doorstep.server.custody.actions.vouching import held_claims  # noqa: PLC0415 - needs Django started

    rows = [
        {
            "number": row.pk,
            "serial": row.device.serial,
            "claimant": row.organisation.name,
            "evidence": row.evidence,
            "policy_version": row.policy_version,
            "reason": row.reason,
        }
        for row in held_claims()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['number']:>6} {row['serial']:<20} {row['claimant']}: {' '.join(row['evidence'])}")
        click.echo(f"{'':>6} {row['reason']}")
    if not rows:
        click.echo("No claim waits.")


@claim.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="How you know; it is kept with the decision.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def vouch(*, number: int, reason: str, as_json: bool) -> None:
    """Give the staff's word for claim NUMBER; the product's policy still decides."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions.vouching import vouch_for_claim  # noqa: PLC0415

    decision = vouch_for_claim(number, reason, OPERATOR, now_us())
    if as_json:
        click.echo(json.dumps({"outcome": decision.outcome, "reason": decision.sentence}))
        return
    click.echo(f"{decision.outcome}: {decision.sentence}")


@claim.command()
@click.argument("serials", nargs=-1, required=True, metavar="SERIAL...")
@click.option("--to", "email", required=True, help="The buyer's e-mail address.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    required=True,
    help="File to write; send it to the buyer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def voucher(*, serials: tuple[str, ...], email: str, output: Path, as_json: bool) -> None:
    """Write an ownership voucher for free devices to a file that is worth something to this buyer alone."""
    operate()
    from django.conf import settings  # noqa: PLC0415 - needs Django started

    from doorstep.server.clock import now_us  # noqa: PLC0415
    from doorstep.server.custody.actions.vouchers import make_voucher  # noqa: PLC0415

    authority = load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))
    output.write_bytes(make_voucher(serials, email, authority, now_us()))
    if as_json:
        click.echo(json.dumps({"file": str(output), "devices": len(set(serials))}))
        return
    click.echo(f"{output}: a voucher for {len(set(serials))} devices. Send it to {email}.")


def _values(trial: Trial) -> dict[str, Any]:
    return {
        "who": trial.person.who,
        "brings": sorted(trial.person.brings),
        "rightful": trial.person.rightful,
        "free": trial.free.outcome,
        "owned": trial.owned.outcome,
    }
