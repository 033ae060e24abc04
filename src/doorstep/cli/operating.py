"""Begin a command of the operator on this machine's platform."""

import click

from doorstep.server.setup import migrate

__all__ = ["operate"]


def operate() -> None:
    """Open the platform's database; what the running command stores from here on stands in the audit trail.

    Raises UnavailableError when the database does not answer.
    """
    migrate()
    from doorstep.server.audit.watching import operated  # noqa: PLC0415 - needs Django started

    context = click.get_current_context()
    context.with_resource(operated(_name(context)))


def _name(context: click.Context) -> str:
    """Return the command as people type it behind ``doorstep``."""
    path = f"{_name(context.parent)} " if context.parent and context.parent.parent else ""
    return f"{path}{context.info_name}"
