"""``doorstep audit``: verify who did what, and forget what names people."""

import json
import time

import click

from doorstep.cli.operating import operate

__all__ = ["audit"]

_DAY_US = 86_400 * 1_000_000


@click.group()
def audit() -> None:
    """Verify who did what, and erase what names people."""


@audit.command()
@click.option("--anchor", default="", help="NUMBER:DIGEST of an entry that must still be there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, anchor: str, as_json: bool) -> None:
    """Verify the whole trail, and that the ledger still holds what each entry saw of it."""
    operate()
    from doorstep.ownership.ledger import GENESIS, parse_head  # noqa: PLC0415 - needs Django started
    from doorstep.server.audit import trail  # noqa: PLC0415

    head = trail.verify_all(parse_head(anchor) if anchor else GENESIS)
    key = trail.audit_key().verifying_key.raw.hex()
    if as_json:
        click.echo(json.dumps({"entries": head.number, "anchor": str(head), "public_key": key}))
        return
    click.echo(f"All {head.number} entries hold. Keep this anchor elsewhere:\n{head}")


@audit.command()
@click.option("--older-than-days", type=click.IntRange(1), required=True, help="Age of what is erased.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(*, older_than_days: int, as_json: bool) -> None:
    """Erase addresses, before and after of old entries. Who did what stays, and the trail still verifies."""
    operate()
    from doorstep.server.audit import trail  # noqa: PLC0415 - needs Django started

    count = trail.erase_before(time.time_ns() // 1000 - older_than_days * _DAY_US)
    click.echo(json.dumps({"erased": count}) if as_json else f"Erased the details of {count} entries.")
