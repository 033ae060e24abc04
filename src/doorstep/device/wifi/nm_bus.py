"""NetworkManager over D-Bus, as far as one Wi-Fi interface needs it; the library is the extra ``wifi``."""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from doorstep.errors import UnavailableError

__all__ = ["ACTIVATED", "AP", "DEVICE", "SETTLED", "WIRELESS", "NmBus", "NmRefused", "Settings"]

NAME: Final = "org.freedesktop.NetworkManager"
ROOT: Final = "/org/freedesktop/NetworkManager"
DEVICE: Final = f"{NAME}.Device"
WIRELESS: Final = f"{NAME}.Device.Wireless"
AP: Final = f"{NAME}.AccessPoint"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
CALL_TIMEOUT: Final = 15.0
MAX_LISTED: Final = 1024

DISCONNECTED, ACTIVATED, FAILED = 30, 100, 120
SETTLED: Final = frozenset({DISCONNECTED, ACTIVATED, FAILED})
"""States of a device in which an attempt is over."""

Settings = dict[str, dict[str, Variant]]
"""A connection's settings as NetworkManager groups them."""


class NmRefused(UnavailableError):
    """NetworkManager did not do what it was asked; ``name`` is the D-Bus error's."""

    def __init__(self, member: str, name: str) -> None:
        super().__init__(
            f"NetworkManager refused {member} ({name}).",
            next_step="See whether it runs, manages the interface, and lets this user control networks.",
        )
        self.name = name


class NmBus:
    """One conversation with NetworkManager about one interface, from entering until leaving."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._bus = MessageBus(bus_type=BusType.SYSTEM)
        self._states: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.device = ""
        """The interface's object path; known once entered."""

    async def __aenter__(self) -> Self:
        """Connect; raises UnavailableError without D-Bus, NetworkManager, or the interface."""
        try:
            await self._bus.connect()
        except OSError as error:
            raise UnavailableError(
                f"The system's D-Bus cannot be reached: {error.strerror}.", next_step="Start it."
            ) from None
        try:
            (self.device,) = await self.call(ROOT, NAME, "GetDeviceByIpIface", "s", self._interface)
            self._bus.add_message_handler(self._heard)
            rule = f"type='signal',sender='{NAME}',interface='{DEVICE}',path='{self.device}'"
            await self._send(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", rule
            )
        except BaseException:
            self._bus.disconnect()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up; what was activated stays."""
        self._bus.disconnect()

    async def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> list[Any]:
        """Call a method of NetworkManager and return what it returns; raises NmRefused."""
        return await self._send(NAME, path, interface, member, signature, *body)

    async def get(self, path: str, interface: str, name: str) -> Any:
        """Return one property's value."""
        (value,) = await self.call(path, PROPERTIES, "Get", "ss", interface, name)
        return value.value

    async def get_all(self, path: str, interface: str) -> dict[str, Any]:
        """Return all properties of an interface."""
        (found,) = await self.call(path, PROPERTIES, "GetAll", "s", interface)
        return {name: value.value for name, value in found.items()}

    async def activate(self, settings: Settings) -> str:
        """Put a connection up that is never stored and goes with its end; returns the active one's path."""
        while not self._states.empty():
            self._states.get_nowait()
        options = {"persist": Variant("s", "volatile")}
        body = (settings, self.device, "/", options)
        _, active, _ = await self.call(ROOT, NAME, "AddAndActivateConnection2", "a{sa{sv}}ooa{sv}", *body)
        return str(active)

    async def deactivate(self, active: str) -> None:
        """Take a connection down."""
        await self.call(ROOT, NAME, "DeactivateConnection", "o", active)

    async def next_state(self) -> tuple[int, int]:
        """Wait for the interface's next state; returns it with its reason."""
        return await self._states.get()

    def _heard(self, message: Message) -> None:
        if message.member == "StateChanged" and message.path == self.device and message.signature == "uuu":
            state, _, reason = message.body
            self._states.put_nowait((state, reason))

    async def _send(
        self, name: str, path: str, interface: str, member: str, signature: str, *body: Any
    ) -> list[Any]:
        message = Message(
            destination=name,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                reply = await self._bus.call(message)
        except (OSError, EOFError, TimeoutError):
            raise NmRefused(member, "no answer") from None
        if reply.message_type is not MessageType.METHOD_RETURN:
            raise NmRefused(member, str(reply.error_name))
        return list(reply.body)
