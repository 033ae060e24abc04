"""What a device lets its owner do from afar: named commands, and settings with a version."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from doorstep import __version__
from doorstep.device.handlers import Handlers
from doorstep.device.store import Applied, Store
from doorstep.errors import RefusedError
from doorstep.messaging.channels import SETTINGS_VERSION, Call, Settings, Values

__all__ = ["INTERVAL", "Command", "Control", "Controls"]

_log = logging.getLogger(__name__)

Command = Callable[[Values], Awaitable[str | None]]
"""Carries out a named command with its arguments; what it returns or raises is told as `handlers` says."""

INTERVAL: Final = "interval"
"""The setting that the agent itself knows: seconds between two measurements."""

_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 86_400.0


async def _take_all(_: Values) -> None:
    """Take every setting: what the agent doesn't know is for others who read the reported state."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What the product adds."""

    commands: Mapping[str, Command] = field(default_factory=dict)
    apply: Callable[[Values], Awaitable[None]] = _take_all
    """Puts settings into force, or raises RefusedError and changes nothing; may be called again."""


class Control:
    """Serves ``down/cmd`` and ``down/config``, and reports on ``up/state``."""

    def __init__(
        self,
        store: Store,
        controls: Controls,
        *,
        report: Callable[[bytes], None],
        identify: Callable[[], None],
        interval_s: float,
    ) -> None:
        self._store = store
        self._apply = controls.apply
        self._report = report
        self._identify = identify
        self._usual_s = interval_s
        self._applied = store.settings()
        own: dict[str, Command] = {"identify": self._show_itself, "report": self._report_now}
        self._commands = own | dict(controls.commands)

    @property
    def interval_s(self) -> float:
        """How long to wait between two measurements."""
        wanted = self._applied.values.get(INTERVAL)
        return wanted if isinstance(wanted, float) else self._usual_s

    def register(self, handlers: Handlers) -> None:
        """Serve both channels."""
        handlers.register("cmd", self._call)
        handlers.register("config", self._configure, repeatable=True)

    def report(self) -> None:
        """Say how the device stands; at each new session, so that the platform knows its epoch at once."""
        said = {SETTINGS_VERSION: self._applied.version, **self._applied.values, "agent.version": __version__}
        self._report(msgspec.json.encode(said))

    def forget(self) -> None:
        """Forget the settings of an owner who gave the device away."""
        self._keep(Applied())

    async def _call(self, body: bytes) -> bytes | None:
        call = Call.decode(body)
        command = self._commands.get(call.name)
        if command is None:
            raise RefusedError(f"this device knows no command {call.name}")
        said = await command(call.arguments)
        return said.encode() if said else None

    async def _configure(self, body: bytes) -> None:
        wanted = Settings.decode(body)
        if wanted.version < self._applied.version:
            raise RefusedError(
                f"version {wanted.version} is older than {self._applied.version}, which the device has"
            )
        _check_interval(wanted.values)
        await self._apply(wanted.values)
        self._keep(Applied(wanted.version, dict(wanted.values)))
        self.report()

    def _keep(self, applied: Applied) -> None:
        self._store.keep_settings(applied)
        self._applied = applied

    async def _show_itself(self, _: Values) -> None:
        self._identify()

    async def _report_now(self, _: Values) -> None:
        self.report()


def _check_interval(values: Values) -> None:
    wanted = values.get(INTERVAL, _SHORTEST_S)
    if not isinstance(wanted, float) or not _SHORTEST_S <= wanted <= _LONGEST_S:
        raise RefusedError(f"{INTERVAL} is a number of seconds from {_SHORTEST_S:.0f} to {_LONGEST_S:.0f}")
