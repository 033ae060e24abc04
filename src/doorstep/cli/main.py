"""The ``doorstep`` command: says where each subcommand is, and turns errors into sentences and exit codes."""

import errno
import json
import sys
from collections.abc import Mapping
from typing import Final, NoReturn

import click

from doorstep import __version__
from doorstep.cli.lazy import Later, LazyGroup
from doorstep.errors import DoorstepError, MisuseError, PeerError, RefusedError, UnavailableError

__all__ = ["main"]

_COMMANDS: Final[Mapping[str, Later]] = {
    "demo": Later(
        "doorstep.cli.demo:demo",
        "Make, sell, set up and register 20 devices, watch their readings, refuse a thief, revoke one.",
    ),
    "bench": Later(
        "doorstep.cli.bench:bench",
        "Measure this machine, each path against the same path without what it is about.",
    ),
    "audit": Later("doorstep.cli.audit:audit", "Verify who did what, and erase what names people."),
    "up": Later(
        "doorstep.cli.up:up",
        "Run all roles until Ctrl-C or SIGTERM; what dies comes back, and all end in order.",
    ),
    "status": Later(
        "doorstep.cli.status:status",
        "Show each role's state, process, uptime, restarts and figures; exit 0 only if all are healthy.",
    ),
    "role": Later("doorstep.cli.role:role", ""),
    "advise": Later(
        "doorstep.cli.advise:advise_command",
        "Recommend identity, onboarding and claim policy for a product, with their cost and residual risk.",
    ),
    "product": Later("doorstep.cli.product:product", "Kinds of devices."),
    "factory": Later("doorstep.cli.platform_batch:factory", "Make devices."),
    "legacy": Later(
        "doorstep.cli.legacy:legacy",
        "Boards in the field with an insecure message format; see docs/howto/take-in-old-boards.md.",
    ),
    "sale": Later("doorstep.cli.sale:sale", "Sales, as the ERP knows them."),
    "stock": Later("doorstep.cli.stock:stock", "Stocks of the maker and of wholesalers."),
    "claim": Later("doorstep.cli.claim:claim", "Claims that wait, what would decide them, and vouchers."),
    "ledger": Later("doorstep.cli.ledger:ledger", "Check the custody ledger, or hand it out."),
    "keys": Later("doorstep.cli.keys:keys", "Keys and certificates of devices."),
    "block": Later(
        "doorstep.cli.block:block", "Keep the block-list: what it names is not registered, renewed or let in."
    ),
    "account": Later("doorstep.cli.account:account", "People, organisations and API keys."),
    "doctor": Later(
        "doorstep.cli.doctor:doctor",
        "Check this machine and these settings; exit 0 only if Doorstep could start.",
    ),
    "device": Later("doorstep.cli.device:device", "Run the agent of this board and look at it."),
    "gateway": Later(
        "doorstep.cli.gateway:gateway",
        "Carry the messages of devices that do not reach the platform themselves.",
    ),
    "broker": Later("doorstep.cli.broker:broker", "Message brokers of your own."),
    "command": Later(
        "doorstep.cli.command:command", "Commands and settings for devices that are registered."
    ),
    "provision": Later(
        "doorstep.cli.provision:provision",
        "Set up devices, one or many at once: onto your Wi-Fi, and into your account.",
    ),
}

_EXIT_CODES: Final[tuple[tuple[type[DoorstepError], int], ...]] = (
    (MisuseError, 2),
    (PeerError, 3),
    (RefusedError, 4),
    (UnavailableError, 5),
    (DoorstepError, 1),
)


@click.group(
    cls=LazyGroup,
    later=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
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
