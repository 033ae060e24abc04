"""Who acted, as the ledger names them: never by a person's name.

``device:<id>``, ``operator`` and ``platform`` stand for themselves. ``user:<number>@<organisation>`` and
``key:<prefix>@<organisation>`` act for an organisation, whose key signs what they do.
"""

from typing import Final

from doorstep.errors import MalformedMessage

__all__ = ["OPERATOR", "organisation_of", "program_for", "user_for"]

OPERATOR: Final = "operator"
"""Whoever may run commands on the platform's machine."""


def user_for(number: int, organisation: int) -> str:
    """Name a user who acts for an organisation."""
    return f"user:{number}@{organisation}"


def program_for(prefix: str, organisation: int) -> str:
    """Name a program, by the public start of its API key, that acts for an organisation."""
    return f"key:{prefix}@{organisation}"


def organisation_of(actor: str) -> int | None:
    """Return the organisation that an actor acts for, if any; raise MalformedMessage."""
    _, at, number = actor.partition("@")
    if not at:
        return None
    if not (number.isascii() and number.isdecimal()) or number.startswith("0"):
        raise MalformedMessage("an actor names its organisation by a number after @")
    return int(number)
