"""Commands that do their work beside the database, or through the REST API of a platform elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from doorstep.client import Client
from doorstep.errors import MisuseError

__all__ = ["Elsewhere", "elsewhere"]


class Elsewhere:
    """Where the platform is: here, or behind an address with a key."""

    def __init__(self, server: str | None, key_file: Path | None) -> None:
        if (server is None) is not (key_file is None):
            raise MisuseError(
                "a platform elsewhere takes an address and a key",
                next_step="Give --server URL and --api-key-file FILE, or neither.",
            )
        self._place = None if server is None or key_file is None else (server, key_file)

    def client(self) -> Client | None:
        """Open the API of the platform elsewhere; None when it is here. Raises MisuseError."""
        return None if self._place is None else Client.with_key_file(*self._place)


def elsewhere(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command name a platform elsewhere; it is called with ``server`` and ``api_key_file``."""
    command = click.option(
        "--api-key-file", type=click.Path(path_type=Path), help="File with an API key of that platform."
    )(command)
    return click.option("--server", metavar="URL", help="Ask the platform at this address, not here.")(
        command
    )
