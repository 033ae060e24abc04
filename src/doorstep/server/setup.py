"""Start Django for a role or a command, and bring the database's tables up to date."""

import os

import django
from django.core.management import call_command
from django.db import OperationalError

from doorstep.errors import UnavailableError
from doorstep.runtime import database
from doorstep.runtime.settings import load
from doorstep.runtime.state import StateFolder

__all__ = ["migrate", "start"]


def start() -> None:
    """Load Django once for this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doorstep.server.settings")
    django.setup()


def migrate() -> None:
    """Apply what is missing; raise UnavailableError when the database does not answer."""
    settings = load(os.environ)
    # One plain connection first: a pool would try for half a minute before it says that nobody answers.
    database.connect(settings, StateFolder.open(settings.state)).close()
    start()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        raise UnavailableError(
            "the database does not answer",
            next_step="Check that it runs, that DOORSTEP_DATABASE_URL names it, and that its disk has room.",
        ) from error
