"""What a device does with what comes down: one handler a channel, and each command carried out once.

A handler gets the body of a command and returns the detail of its answer, or None. It raises RefusedError or
PeerError for what it will not do; whatever else it raises is a failure. The answer goes to channel ``ack``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.device.store import Carried, Store
from doorstep.errors import DoorstepError, MisuseError, PeerError, RefusedError
from doorstep.messaging.command import MAX_DETAIL, REMEMBERED, Acknowledgement, Command, Outcome

__all__ = ["Handler", "Handlers", "Inbound"]

_log = logging.getLogger(__name__)

Handler = Callable[[bytes], Awaitable[bytes | None]]
"""Carries out one body; see above."""

_WAITING: Final = 64
"""Commands that wait for their turn; one more is dropped, and comes again."""
_CLOCK_RUNS_FROM_S: Final = 1_700_000_000
"""A clock that shows less was never set, and judges nothing."""
_INTERRUPTED: Final = b"the device stopped half-way"
_NO_CHANNEL: Final = b"this device does not serve the channel"


@dataclass(frozen=True, slots=True)
class _Registered:
    handler: Handler
    repeatable: bool


@dataclass(slots=True)
class Handlers:
    """The registry: which channels this device serves."""

    _known: dict[str, _Registered] = field(default_factory=dict)

    def register(self, channel: str, handler: Handler, *, repeatable: bool = False) -> None:
        """Serve ``down/<channel>``.

        A ``repeatable`` handler is called again for a command in whose middle the device stopped; another
        one is not, and the platform is told that it failed.
        """
        if channel in self._known:
            raise MisuseError(f"channel down/{channel} has a handler already")
        self._known[channel] = _Registered(handler, repeatable)

    def copied(self) -> "Handlers":
        """Return a registry of its own with the same handlers."""
        return Handlers(dict(self._known))

    def find(self, channel: str) -> _Registered | None:
        """Return who serves the channel."""
        return self._known.get(channel)


class _Memory:
    """Which commands were begun, and what became of them; on disk before anybody acts on it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = {one.command_id: one for one in store.commands()}

    def find(self, command_id: bytes) -> Carried | None:
        return self._known.get(command_id)

    def begin(self, command_id: bytes) -> None:
        self._keep(Carried(command_id))

    def finish(self, command_id: bytes, outcome: Outcome, detail: bytes) -> None:
        self._keep(Carried(command_id, outcome, detail))

    def _keep(self, one: Carried) -> None:
        others = [known for known in self._known.values() if known.command_id != one.command_id]
        kept = [*others[1 - REMEMBERED :], one]
        self._store.keep_commands(kept)
        self._known = {known.command_id: known for known in kept}


class Inbound:
    """Takes opened messages one after the other; remembers over a power cut which were carried out."""

    def __init__(
        self,
        store: Store,
        handlers: Handlers,
        *,
        answer: Callable[[bytes], None],
        clock_s: Callable[[], float],
    ) -> None:
        self._memory = _Memory(store)
        self._handlers = handlers
        self._answer = answer
        self._clock_s = clock_s
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_WAITING)

    def put(self, channel: str, plaintext: bytes) -> bool:
        """Take a message, and say whether there was room for it."""
        try:
            self._waiting.put_nowait((channel, plaintext))
        except asyncio.QueueFull:
            return False
        return True

    async def run(self) -> None:
        """Carry out what comes; never ends by itself."""
        while True:
            channel, plaintext = await self._waiting.get()
            try:
                acknowledgement = await self.carry_out(channel, Command.decode(plaintext))
            except (
                DoorstepError
            ) as error:  # a malformed command has no id to answer to; a full disk no memory
                _log.warning("a message on channel down/%s was dropped: %s", channel, error.message)
                continue
            self._answer(acknowledgement.encode())

    async def carry_out(self, channel: str, command: Command) -> Acknowledgement:
        """Carry a command out unless that was done before, and return the answer to it.

        When it returns, the answer is durable; raises UnavailableError when nothing can be remembered, and
        then nothing was done.
        """
        known = self._memory.find(command.command_id)
        if known is not None and known.outcome is not None:
            return Acknowledgement(command.command_id, Outcome(known.outcome), known.detail)
        registered = self._handlers.find(channel)
        if registered is None:
            return Acknowledgement(command.command_id, Outcome.REFUSED, _NO_CHANNEL)
        if known is not None and not registered.repeatable:
            return self._remember(command, Outcome.FAILED, _INTERRUPTED)
        if known is None and self._too_late(command):
            return Acknowledgement(command.command_id, Outcome.EXPIRED)
        self._memory.begin(command.command_id)
        return self._remember(command, *await _outcome(registered.handler, command.body))

    def _too_late(self, command: Command) -> bool:
        now_s = self._clock_s()
        return now_s >= _CLOCK_RUNS_FROM_S and command.expired(now_s)

    def _remember(self, command: Command, outcome: Outcome, detail: bytes) -> Acknowledgement:
        self._memory.finish(command.command_id, outcome, detail)
        return Acknowledgement(command.command_id, outcome, detail)


async def _outcome(handler: Handler, body: bytes) -> tuple[Outcome, bytes]:
    try:
        detail = await handler(body)
    except (RefusedError, PeerError) as error:
        return Outcome.REFUSED, error.message.encode()[:MAX_DETAIL]
    except DoorstepError as error:
        return Outcome.FAILED, error.message.encode()[:MAX_DETAIL]
    except Exception as error:  # noqa: BLE001 - a handler's bug must not end the device
        _log.exception("a command failed")
        return Outcome.FAILED, type(error).__name__.encode()
    return Outcome.DONE, (detail or b"")[:MAX_DETAIL]
