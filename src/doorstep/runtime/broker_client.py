"""A connection of one of our users to one broker, kept up for as long as the role runs."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import nats
from nats.aio.client import Client as NatsClient

from doorstep.runtime.brokers import Broker, User, link
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings

__all__ = ["open_client"]

_log = logging.getLogger(__name__)

_RETRY_S: Final = 0.05


async def open_client(  # noqa: PLR0913 - who connects where, and what happens when it comes back
    settings: Settings,
    key_file: KeyFile,
    broker: Broker,
    user: User,
    *,
    role: str,
    on_return: Callable[[], Awaitable[None]] | None = None,
) -> NatsClient:
    """Connect; waits until the broker is there. ``on_return`` runs when it was away."""

    async def on_error(error: Exception) -> None:
        _log.warning("%s broker, user %s: %s", broker, user, error)

    to = link(settings, key_file, broker, user)
    client: NatsClient = await nats.connect(
        to.address,
        user=to.user,
        password=to.password,
        name=f"doorstep-{role}-{user}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RETRY_S,
        error_cb=on_error,
        reconnected_cb=on_return,
    )
    return client
