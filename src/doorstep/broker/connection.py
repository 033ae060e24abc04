"""Our own connections to one broker, one a user, kept up for as long as the role runs."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from doorstep.errors import UnavailableError
from doorstep.runtime.broker_client import open_client
from doorstep.runtime.brokers import DEVICES_ACCOUNT, Broker, User
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings

__all__ = ["Side", "open_side"]

_ROLE: Final = "authorizer"
_TIMEOUT_S: Final = 5.0
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Side:
    """One broker as the authorizer sees it."""

    broker: Broker
    devices: NatsClient
    """In the devices' account: the stream, control messages."""
    auth: NatsClient
    system: NatsClient

    async def kick(self, server_id: str, connection: int) -> bool:
        """Close a connection; say whether it was there. It is closed when this returns."""
        answer = await self._ask_server(server_id, "KICK", {"cid": connection})
        return answer is not None and "error" not in answer

    async def alive(self, server_id: str) -> set[int]:
        """Return the connections of devices that a server has now; none when it is gone."""
        found: set[int] = set()
        while True:
            body = {"acc": DEVICES_ACCOUNT, "offset": len(found), "limit": _PAGE}
            answer = await self._ask_server(server_id, "CONNZ", body)
            page = ((answer or {}).get("data") or {}).get("connections") or []
            found |= {connection["cid"] for connection in page}
            if len(page) < _PAGE:
                return found

    async def close(self) -> None:
        """Close all three connections."""
        for client in (self.auth, self.system, self.devices):
            await client.close()

    async def _ask_server(self, server_id: str, call: str, body: dict[str, Any]) -> dict[str, Any] | None:
        subject = f"$SYS.REQ.SERVER.{server_id}.{call}"
        try:
            message = await self.system.request(subject, json.dumps(body).encode(), timeout=_TIMEOUT_S)
        except NoRespondersError:
            return None
        except (NatsError, TimeoutError) as error:
            raise UnavailableError(
                f"the {self.broker} broker does not answer {call}", next_step="See its log."
            ) from error
        answer: dict[str, Any] = json.loads(message.data)
        return answer


async def open_side(
    settings: Settings, key_file: KeyFile, broker: Broker, on_return: Callable[[], Awaitable[None]]
) -> Side:
    """Connect our three users; waits until the broker is there. ``on_return`` runs when it was away."""
    devices = await open_client(settings, key_file, broker, User.INGEST, role=_ROLE)
    system = await open_client(settings, key_file, broker, User.SYS, role=_ROLE, on_return=on_return)
    auth = await open_client(settings, key_file, broker, User.AUTH, role=_ROLE)
    return Side(broker, devices, auth, system)
