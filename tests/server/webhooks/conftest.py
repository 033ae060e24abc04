"""Receivers on this machine, which webhooks may reach only because the setting says so."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import override_settings

from tests.server.webhooks.receiver import Receiver, receiving


@pytest.fixture
def private() -> Iterator[None]:
    """Allow private addresses."""
    with override_settings(DOORSTEP=replace(settings.DOORSTEP, webhooks_private=True)):
        yield


@pytest.fixture(scope="session")
def running_receiver() -> Iterator[Receiver]:
    """One receiver for all tests."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(running_receiver: Receiver, private: None) -> Receiver:
    """A receiver that got nothing yet and accepts all."""
    running_receiver.got.clear()
    running_receiver.status = 204
    return running_receiver
