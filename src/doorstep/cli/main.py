"""The ``doorstep`` command: finds subcommands lazily and turns errors into sentences and exit codes."""

import errno
import importlib
import json
import sys
from collections.abc import Mapping
from typing import Final, NoReturn

import click

from doorstep import __version__
from doorstep.errors import DoorstepError, MisuseError, PeerError, RefusedError, UnavailableError

__all__ = ["main"]

_COMMANDS: Final[Mapping[str, str]] = {
    "demo": "doorstep.cli.demo:demo",
    "bench": "doorstep.cli.bench:bench",
    "up": "doorstep.cli.up:up",
    "status": "doorstep.cli.status:status",
    "role": "doorstep.cli.role:role",
    "advise": "doorstep.cli.advise:advise_command",
    "product": "doorstep.cli.product:product",
    "factory": "doorstep.cli.platform_batch:factory",
    "sale": "doorstep.cli.sale:sale",
    "ledger": "doorstep.cli.ledger:ledger",
    "keys": "doorstep.cli.keys:keys",
    "block": "doorstep.cli.block:block",
    "account": "doorstep.cli.account:account",
    "doctor": "doorstep.cli.doctor:doctor",
    "device": "doorstep.cli.device:device",
    "gateway": "doorstep.cli.gateway:gateway",
    "broker": "doorstep.cli.broker:broker",
    "provision": "doorstep.cli.provision:provision",
}
"""Name of each subcommand and ``module:attribute`` where it lives; imported only when it is called."""

_EXIT_CODES: Final[tuple[tuple[type[DoorstepError], int], ...]] = (
    (MisuseError, 2),
    (PeerError, 3),
    (RefusedError, 4),
    (UnavailableError, 5),
    (DoorstepError, 1),
)


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, attribute = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(__version__)
def _doorstep() -> None:
    """Carry connected devices from the factory line to their owner's doorstep."""


def main() -> None:
    """Run the command; exit 0, or by class of error: 2 misuse, 3 peer, 4 refused, 5 unavailable."""
    try:
        _doorstep.main(prog_name="doorstep", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except DoorstepError as error:
        _fail(error)
    except Exception as error:
        if (outage := _outage(error)) is None:
            raise
        _fail(outage)


def _outage(error: Exception) -> UnavailableError | None:
    """Name a database or a disk that fails in the middle of a command; None for anything else."""
    # Commands that need no Django do not load it.
    django_db = sys.modules.get("django.db")
    if django_db is not None and isinstance(error, django_db.OperationalError | django_db.InterfaceError):
        what = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return UnavailableError(
            f"the database failed: {what}",
            next_step="Nothing of this step was stored. Check that it runs and that its disk has room.",
        )
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return UnavailableError(
            f"there is no room left for {error.filename or 'what this command writes'}",
            next_step="Free some space on that disk, then run the command again.",
        )
    return None


def _fail(error: DoorstepError) -> NoReturn:
    _show(error)
    sys.exit(next(code for kind, code in _EXIT_CODES if isinstance(error, kind)))


def _show(error: DoorstepError) -> None:
    if "--json" in sys.argv:
        click.echo(json.dumps({"error": error.message, "next_step": error.next_step}), err=True)
        return
    click.secho(f"Error: {error.message}", fg="red", err=True)
    if error.next_step:
        click.echo(f"Next:  {error.next_step}", err=True)
