"""``doorstep product``: the kinds of devices a maker makes."""

import json
from typing import TYPE_CHECKING, Any

import click

from doorstep.cli.operating import operate
from doorstep.identity.assurance import MADE_IDENTITIES, IdentityMethod
from doorstep.messaging.legacy.formats import Format
from doorstep.messaging.variant import RATCHET_8, VARIANTS
from doorstep.onboarding.methods import DEFAULTS, METHODS, Method
from doorstep.ownership.actors import OPERATOR

if TYPE_CHECKING:
    from doorstep.server.fleet.models import Product

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
@click.option(
    "--release-setup-code",
    is_flag=True,
    help="Keep the labels' set-up codes, for accounts to which a device attests itself.",
)
@click.option(
    "--identity",
    type=click.Choice([one.value for one in MADE_IDENTITIES]),
    default=IdentityMethod.CERTIFICATE.value,
    show_default=True,
    help="What its devices prove themselves by; symmetric_key is for chips without elliptic curves or TLS, "
    "secure_element for boards with an ATECC608.",
)
@click.option(
    "--sealed",
    type=click.Choice(list(VARIANTS)),
    default=RATCHET_8.name,
    show_default=True,
    help="How its devices seal messages: 16 is a longer tag; static is for chips that cannot write at all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(  # noqa: PLR0913 - one parameter for each option
    *,
    key: str,
    name: str,
    claim_policy: str,
    release_setup_code: bool,
    identity: str,
    sealed: str,
    as_json: bool,
) -> None:
    """Add a product; it has the secure onboarding methods on."""
    operate()
    from doorstep.server.fleet.products import add_product  # noqa: PLC0415 - needs Django started

    made = add_product(
        key,
        name,
        claim_policy,
        release_setup_code=release_setup_code,
        identity=IdentityMethod(identity),
        sealed=VARIANTS[sealed],
    )
    if as_json:
        click.echo(json.dumps(_values(made)))
        return
    click.echo(f"Product {made.key} ({made.name}). A claim needs: {made.claim_policy}")


@product.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_products(*, as_json: bool) -> None:
    """List the products."""
    operate()
    from doorstep.server.fleet.queries import all_products  # noqa: PLC0415 - needs Django started

    rows = list(all_products())
    if as_json:
        click.echo(json.dumps([_values(row) for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.key:<24} {row.name}")
        _show_weak(row)
    if not rows:
        click.echo("No products yet. Add one: doorstep product add KEY --name NAME")


@product.command()
@click.argument("key")
@click.option("--enable", multiple=True, metavar="METHOD", help="Put a method on. May be given again.")
@click.option("--disable", multiple=True, metavar="METHOD", help="Take a method off. May be given again.")
@click.option("--defaults", is_flag=True, help="Begin with the secure methods alone.")
@click.option(
    "--accept-risk",
    multiple=True,
    metavar="METHOD",
    help="Accept what an attacker can do with a weak method; it is kept who did. May be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def onboarding(  # noqa: PLR0913 - one parameter for each option
    *,
    key: str,
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    defaults: bool,
    accept_risk: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show or choose how devices of product KEY get onto a network; batches made from now on have it."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.onboarding import set_onboarding  # noqa: PLC0415
    from doorstep.server.fleet.products import find_product  # noqa: PLC0415

    row = find_product(key)
    if enable or disable or defaults or accept_risk:
        begin = DEFAULTS if defaults else row.onboarding_methods
        wanted = {*begin, *enable} - set(disable)
        row = set_onboarding(row, wanted, accept_risk, actor=OPERATOR, now_us=now_us())
    if as_json:
        click.echo(json.dumps(_values(row)))
        return
    for method in row.onboarding_methods:
        click.echo(f"{method:<20} {METHODS[method].name}")
    _show_weak(row)


@product.command()
@click.argument("key")
@click.option("--enable", multiple=True, metavar="FORMAT", help="Take messages in it. May be given again.")
@click.option("--disable", multiple=True, metavar="FORMAT", help="Take none any more. May be given again.")
@click.option(
    "--accept-risk",
    multiple=True,
    metavar="FORMAT",
    help="Accept what an attacker can do with it; it is kept who did. May be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def legacy(
    *,
    key: str,
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    accept_risk: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show or choose which insecure message formats are taken of boards of product KEY; at first none is."""
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.fleet.legacy import set_legacy  # noqa: PLC0415
    from doorstep.server.fleet.products import find_product  # noqa: PLC0415

    row = find_product(key)
    if enable or disable or accept_risk:
        wanted = {*row.insecure_formats, *enable} - set(disable)
        row = set_legacy(row, wanted, accept_risk, actor=OPERATOR, now_us=now_us())
    if as_json:
        click.echo(json.dumps(_values(row)))
        return
    _show_weak(row)
    if not row.insecure_formats:
        click.echo(
            f"Product {row.key} takes sealed messages alone. Formats for old boards: {', '.join(Format)}"
        )


@product.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def methods(*, as_json: bool) -> None:
    """List every onboarding method, with what an attacker can still do."""
    if as_json:
        click.echo(json.dumps([_method(method) for method in METHODS.values()]))
        return
    for method in METHODS.values():
        click.echo(f"{method.key:<20} {method.name} ({method.standing.value})")
        click.echo(f"{'':<20} {method.risk}")


def _method(method: Method) -> dict[str, Any]:
    return {
        "key": method.key,
        "name": method.name,
        "standing": method.standing.value,
        "needs_consent": method.needs_consent,
        "risk": method.risk,
    }


def _values(row: "Product") -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "identity_method": row.identity_method,
        "sealed_variant": row.sealed_variant,
        "claim_policy": row.claim_policy,
        "onboarding_methods": row.onboarding_methods,
        "weak_setup": [method.key for method in row.weak_setup],
        "insecure_formats": list(row.insecure_formats),
    }


def _show_weak(row: "Product") -> None:
    for method in row.weak_setup:
        click.secho(f"Weak set-up enabled: {method.key}. {method.risk}", fg="yellow")
    for one in row.insecure_formats:
        click.secho(f"Insecure messages taken: {one}. {one.risk}", fg="red")
