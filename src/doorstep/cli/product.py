"""``doorstep product``: the kinds of devices a maker makes."""

import json

import click

from doorstep.server.setup import migrate

__all__ = ["product"]


@click.group()
def product() -> None:
    """Kinds of devices."""


@product.command()
@click.argument("key")
@click.option("--name", required=True, help="As customers read it.")
@click.option(
    "--claim-policy", default="", help="Evidence that a claim needs, as in 'device_key & (sale | staff)'."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(*, key: str, name: str, claim_policy: str, as_json: bool) -> None:
    """Add a product."""
    migrate()
    from doorstep.server.fleet.products import add_product  # noqa: PLC0415 - needs Django started

    made = add_product(key, name, claim_policy)
    if as_json:
        click.echo(json.dumps({"key": made.key, "name": made.name, "claim_policy": made.claim_policy}))
        return
    click.echo(f"Product {made.key} ({made.name}). A claim needs: {made.claim_policy}")


@product.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_products(*, as_json: bool) -> None:
    """List the products."""
    migrate()
    from doorstep.server.fleet.queries import all_products  # noqa: PLC0415 - needs Django started

    rows = [{"key": row.key, "name": row.name, "claim_policy": row.claim_policy} for row in all_products()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['key']:<24} {row['name']}")
    if not rows:
        click.echo("No products yet. Add one: doorstep product add KEY --name NAME")
