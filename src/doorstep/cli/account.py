"""``doorstep account``: staff, wholesalers and keys for programs."""

import json

import click

from doorstep.cli.operating import operate

__all__ = ["account"]


@click.group()
def account() -> None:
    """People, organisations and API keys."""


@account.command("api-key")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="A permission, as maker:sales:write.")
@click.option("--of", "email", default="", help="E-mail of an organisation's owner; default: the maker.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def api_key(*, name: str, scopes: tuple[str, ...], email: str, as_json: bool) -> None:
    """Make an API key. It is shown this once."""
    operate()
    from doorstep.server.accounts.api_keys import make_api_key  # noqa: PLC0415 - needs Django started
    from doorstep.server.accounts.bootstrap import ensure_maker, organisation_of  # noqa: PLC0415

    organisation = organisation_of(email) if email else ensure_maker()
    key, row = make_api_key(organisation, name, scopes)
    if as_json:
        document = {"key": key, "name": row.name, "organisation": organisation.name, "scopes": row.scopes}
        click.echo(json.dumps(document))
        return
    click.echo(f"Key {row.name!r} of {organisation.name}, for {', '.join(row.scopes)}:")
    click.echo(key)
    click.echo("Keep it now: it can't be shown again.", err=True)


@account.command()
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def staff(*, email: str, as_json: bool) -> None:
    """Add a member of the maker's staff, with a generated password that is shown this once."""
    operate()
    from doorstep.server.accounts.bootstrap import add_staff  # noqa: PLC0415 - needs Django started

    password = add_staff(email)
    if as_json:
        click.echo(json.dumps({"email": email, "password": password}))
        return
    click.echo(f"{email} can log in with: {password}")


@account.command()
@click.argument("name")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def wholesaler(*, name: str, email: str, as_json: bool) -> None:
    """Add a wholesaler under the address that the ERP knows it by."""
    operate()
    from doorstep.server.accounts.bootstrap import add_wholesaler  # noqa: PLC0415 - needs Django started

    made = add_wholesaler(name, email)
    if as_json:
        click.echo(json.dumps({"name": made.name, "email": made.email}))
        return
    click.echo(f"Wholesaler {made.name} <{made.email}>.")
