"""``doorstep ledger``: check the custody ledger, or hand it out so that others can."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from doorstep.cli.operating import operate
from doorstep.cli.progress import bar
from doorstep.errors import UnavailableError
from doorstep.ownership.ledger import GENESIS, parse_head

__all__ = ["ledger"]


@click.group()
def ledger() -> None:
    """Check the custody ledger, or hand it out."""


@ledger.command()
@click.option("--anchor", default="", help="NUMBER:DIGEST of an earlier check; it must still be there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, anchor: str, as_json: bool) -> None:
    """Check every entry: its number, digest, signature, form and predecessor.

    Keep the printed anchor somewhere else: without one nobody can tell that the newest entries are gone.
    """
    kept = parse_head(anchor) if anchor else GENESIS
    operate()
    from doorstep.server.custody import ledger as stored  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.keys import ledger_key  # noqa: PLC0415

    with bar("Verifying the ledger", stored.count(), hidden=as_json) as advance:
        head = stored.verify_all(kept, advance)
    public_key = ledger_key().verifying_key.raw.hex()
    if as_json:
        click.echo(json.dumps({"entries": head.number, "anchor": str(head), "public_key": public_key}))
        return
    click.echo(f"The ledger holds: {head.number} entries, each signed and in its place.")
    click.echo(f"Public key: {public_key}\nAnchor:     {head}")


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(*, file: Path, as_json: bool) -> None:
    """Write the ledger as JSON lines that anybody with the public key can verify (docs/spec/ledger.md)."""
    operate()
    from doorstep.server.custody import ledger as stored  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.keys import ledger_key  # noqa: PLC0415

    def lines() -> Iterator[str]:
        for entry in stored.entries():
            body, signature = (base64.b64encode(one).decode() for one in (entry.body, entry.signature))
            yield json.dumps({"body": body, "signature": signature})

    with bar("Exporting the ledger", stored.count(), hidden=as_json) as advance:
        count = _write(file, lines(), advance)
    public_key = ledger_key().verifying_key.raw.hex()
    if as_json:
        click.echo(json.dumps({"file": str(file), "entries": count, "public_key": public_key}))
        return
    click.echo(f"{count} entries in {file}. Public key: {public_key}")


def _write(file: Path, lines: Iterator[str], advance: Callable[[int], None]) -> int:
    partial = file.with_name(f"{file.name}.part")
    count = 0
    try:
        with partial.open("w", encoding="ascii", newline="\n") as out:
            for line in lines:
                out.write(f"{line}\n")
                count += 1
                advance(1)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnavailableError(
            f"the ledger can't be written to {file}: {error.strerror}",
            next_step="Make room or choose another place. Nothing was changed.",
        ) from error
    return count
