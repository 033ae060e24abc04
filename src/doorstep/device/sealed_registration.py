"""The talk with the platform of a device that has no key but its root: one sealed request, one sealed reply.

`docs/spec/registration.md` is normative. What comes back unsealed decides nothing: anybody may have said it.
"""

from collections.abc import Callable
from typing import Final

import httpx

from doorstep.device.registration import (
    TIMEOUT_S,
    Answer,
    DeviceBlocked,
    NotOwned,
    PlatformMisbehaved,
    PlatformUnreachable,
    Refused,
)
from doorstep.device.store import Broker, Endpoint
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.registration import MAX_REPLY, Reply, open_reply

__all__ = ["SealedApi"]

_CAP: Final = MAX_REPLY + 64
_REFUSALS: Final = {"device-blocked": DeviceBlocked, "device-not-owned": NotOwned}


class SealedApi:
    """Speaks for one device; ``seal`` makes each attempt anew and counts it."""

    def __init__(self, made: Provisioning, seal: Callable[[str | None], tuple[bytes, Exchange]]) -> None:
        self._url = f"{made.servers.device_api.rstrip('/')}/device/v1/sealed/{made.device_id}"
        self._seal = seal

    async def ask(self, token: str | None) -> Answer:
        """Show the token, or without one ask how the device stands.

        Raises Refused, DeviceBlocked or NotOwned for a sealed refusal, else PlatformUnreachable,
        PlatformMisbehaved or Rejected.
        """
        message, exchange = self._seal(token)
        return _answer(open_reply(exchange, await self._post(message)))

    async def _post(self, message: bytes) -> bytes:
        kind, content = {"content-type": "application/octet-stream"}, b""
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http,
                http.stream("POST", self._url, content=message, headers=kind) as response,
            ):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _CAP:
                        raise PlatformMisbehaved("the answer is longer than any sealed reply")
        except httpx.HTTPError as error:
            raise PlatformUnreachable(f"{self._url} does not answer: {type(error).__name__}") from error
        if response.status_code == httpx.codes.OK:
            return content
        raise PlatformUnreachable(
            f"{self._url} answered {response.status_code}, unsealed, so it may not be the platform's word",
            next_step="It is asked again. Check that this device's product and root key are the platform's.",
        )


def _answer(reply: Reply) -> Answer:
    if reply.status == "refused":
        raise _REFUSALS.get(reply.problem, Refused)(reply.reason)
    plain = None if reply.mqtt is None else Endpoint(reply.mqtt.host, reply.mqtt.port)
    return Answer(
        status=reply.status,
        reason=reply.reason,
        certificate="",
        broker=None if plain is None else Broker(None, plain),
        first_epoch=reply.epoch or 0,
        time_us=reply.time * 1_000_000,
    )
