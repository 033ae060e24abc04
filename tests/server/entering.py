"""Clients of the platform: of people who are logged in, and of programs with an API key."""

from collections.abc import Iterable

from django.test import Client

from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import Organisation, OrganisationKind, User
from doorstep.server.accounts.permissions import scopes_of

__all__ = ["entered", "program"]


def entered(user: User, address: str = "127.0.0.1") -> Client:
    """Return the client of somebody who is logged in."""
    client = Client(REMOTE_ADDR=address)
    client.force_login(user)
    return client


def program(organisation: Organisation, scopes: Iterable[str] = ()) -> Client:
    """Return a client with a new key; without scopes it has all that its organisation can have."""
    granted = tuple(scopes) or scopes_of(OrganisationKind(organisation.kind))
    key, _ = make_api_key(organisation, "test", granted)
    return Client(headers={"Authorization": f"Bearer {key}"})
