"""Clients of the REST API, each with a key of its own organisation."""

from collections.abc import Callable

import pytest
from django.test import Client

from doorstep.server.accounts.models import Organisation
from tests.server.entering import program
from tests.server.making import maker


@pytest.fixture
def client_of(rolled_back: None) -> Callable[..., Client]:
    """Make a client with a key; without scopes it has all that its organisation can have."""

    def make(organisation: Organisation, *scopes: str) -> Client:
        return program(organisation, scopes)

    return make


@pytest.fixture
def erp(client_of: Callable[..., Client]) -> Client:
    """The maker's ERP."""
    return client_of(maker()[1])
