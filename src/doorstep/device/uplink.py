"""The way to the broker: one session after the other, through the listener that this device uses."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from doorstep.device.life import SessionFailed, SessionLost, SessionOpened, SessionRefused
from doorstep.device.mqtt import BrokerRefused, BrokerUnreachable, Door, SessionEnded, open_session
from doorstep.device.outbox import Outbox, Parcel
from doorstep.device.racing import end
from doorstep.device.registration import trust
from doorstep.device.sealing import Sealing
from doorstep.device.store import Operational
from doorstep.errors import DoorstepError
from doorstep.identity.provisioning import Provisioning

__all__ = ["REFUSALS_BEFORE_ASKING", "STEADY_S", "Uplink"]

REFUSALS_BEFORE_ASKING: Final = 2
"""One refusal may be a platform that is starting; the second in a row is worth a question."""

STEADY_S: Final = 30.0
"""A session that lived this long was no failure."""


class Uplink:
    """Keeps at most one session; counts what went wrong in a row."""

    def __init__(  # noqa: PLR0913 - what it joins, one each
        self,
        made: Provisioning,
        sealing: Sealing,
        outbox: Outbox,
        *,
        plain: bool,
        roots: Callable[[], Sequence[bytes]],
        published: Callable[[Parcel], None],
        received: Callable[[str, bytes], None],
    ) -> None:
        self._made = made
        self._sealing = sealing
        self._outbox = outbox
        self._plain = plain
        self._roots = roots
        self._published = published
        self._received = received
        self._stack = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None
        self._opened_at = 0.0
        self._refusals = 0
        self.failures = 0
        """Attempts in a row that gave no steady session."""

    async def open(self, held: Operational, now_s: float) -> SessionOpened | SessionFailed | SessionRefused:
        """Open a session with what the device holds."""
        await self.close()
        if held.certificate is not None and held.not_after_us <= now_s * 1e6:
            return SessionRefused("its certificate has expired")
        door = self._door(held)
        try:
            session = await self._stack.enter_async_context(open_session(self._made.device_id, door))
            await session.subscribe()
        except BrokerRefused as error:
            return self._refused(error.message)
        except (BrokerUnreachable, SessionEnded) as error:
            self.failures += 1
            return SessionFailed(error.message)
        self._refusals = 0
        self._opened_at = asyncio.get_running_loop().time()
        self._running = asyncio.create_task(
            session.run(self._outbox, self._sealing.seal, published=self._published, received=self._received)
        )
        return SessionOpened(door.name)

    async def lost(self) -> SessionLost:
        """Wait until the session ends, and say why."""
        if self._running is None:
            return SessionLost("there is no session")
        try:
            await asyncio.shield(self._running)
        except DoorstepError as error:
            steady = asyncio.get_running_loop().time() - self._opened_at >= STEADY_S
            self.failures = 1 if steady else self.failures + 1
            return SessionLost(error.message)
        return SessionLost("it came to an end")

    async def close(self) -> None:
        """End the session, if there is one; what was not acknowledged stays in the outbox."""
        running, self._running = self._running, None
        if running is not None:
            await end(running)
        await self._stack.aclose()

    def _refused(self, reason: str) -> SessionRefused | SessionFailed:
        self.failures += 1
        self._refusals += 1
        if self._refusals < REFUSALS_BEFORE_ASKING:
            return SessionFailed(reason)
        return SessionRefused(reason)

    def _door(self, held: Operational) -> Door:
        if self._plain or held.file is None or held.broker.tls is None:
            return Door("plain", held.broker.plain, proof=self._sealing.proof)
        return Door("mTLS", held.broker.tls, tls=_with_certificate(trust(self._roots()), held.file))


def _with_certificate(context: ssl.SSLContext, file: Path) -> ssl.SSLContext:
    context.load_cert_chain(file)
    return context
