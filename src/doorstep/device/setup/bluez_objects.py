"""What a board exports on the system bus for BlueZ to serve: a GATT service, its advertisement, its agent.

Interfaces of BlueZ's ``org.bluez.GattService``, ``.LEAdvertisement`` and ``.Agent`` manuals.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final, Protocol

from dbus_fast import DBusError, PropertyAccess, Variant
from dbus_fast.annotations import (
    DBusBool,
    DBusBytes,
    DBusDict,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
    DBusUInt16,
    DBusUInt32,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from doorstep.device.setup.gatt import Access, Characteristic, GattError, GattRefused, GattService, Security
from doorstep.onboarding.ble.advertising import Advertisement

__all__ = [
    "AdvertisementObject",
    "AgentObject",
    "AgentSide",
    "CharacteristicObject",
    "DescriptionObject",
    "Peer",
    "ServiceObject",
]

DBusTexts = Annotated[list[str], DBusSignature("as")]
DBusByNumber = Annotated[dict[int, Variant], DBusSignature("a{qv}")]
READ: Final = PropertyAccess.READ
USER_DESCRIPTION: Final = "00002901-0000-1000-8000-00805f9b34fb"
FLAGS: Final[Mapping[Access, str]] = {
    Access.READ: "read",
    Access.WRITE: "write",
    Access.WRITE_WITHOUT_RESPONSE: "write-without-response",
    Access.NOTIFY: "notify",
}
PREFIXES: Final[Mapping[Security, str]] = {Security.ENCRYPTED: "encrypt-", Security.AUTHENTICATED: "secure-"}
"""``secure-`` is stricter than ``encrypt-authenticated-``: the kernel also wants Secure Connections."""
REASONS: Final[Mapping[GattError, str]] = {
    GattError.READ_NOT_PERMITTED: "org.bluez.Error.NotPermitted",
    GattError.WRITE_NOT_PERMITTED: "org.bluez.Error.NotPermitted",
    GattError.INSUFFICIENT_AUTHENTICATION: "org.bluez.Error.NotAuthorized",
    GattError.INSUFFICIENT_AUTHORIZATION: "org.bluez.Error.NotAuthorized",
    GattError.INSUFFICIENT_ENCRYPTION: "org.bluez.Error.NotAuthorized",
    GattError.NOT_SUPPORTED: "org.bluez.Error.NotSupported",
    GattError.INVALID_LENGTH: "org.bluez.Error.InvalidValueLength",
}
FAILED: Final = "org.bluez.Error.Failed"
REJECTED: Final = "org.bluez.Error.Rejected"
DEFAULT_MTU: Final = 23


class Peer:
    """Who asks, as BlueZ tells with each request: the device's path, its MTU, where a read goes on."""

    def __init__(self, options: Mapping[str, Variant]) -> None:
        values = {name: variant.value for name, variant in options.items()}
        self.device = str(values.get("device", ""))
        self.mtu = int(values.get("mtu", DEFAULT_MTU))
        self.offset = int(values.get("offset", 0))


class ServiceObject(ServiceInterface):
    """One primary service."""

    def __init__(self, path: str, service: GattService) -> None:
        super().__init__("org.bluez.GattService1")
        self.path = path
        self._service = service

    @dbus_property(access=READ, name="UUID")
    def uuid(self) -> DBusStr:
        """Its UUID."""
        return str(self._service.uuid)

    @dbus_property(access=READ, name="Primary")
    def primary(self) -> DBusBool:
        """Always."""
        return True


class CharacteristicObject(ServiceInterface):
    """One characteristic; ``read`` and ``write`` may raise `GattRefused`."""

    def __init__(
        self,
        parent: ServiceObject,
        number: int,
        described: Characteristic,
        read: Callable[[Peer, Characteristic], Awaitable[bytes]],
        write: Callable[[Peer, Characteristic, bytes], Awaitable[None]],
    ) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self.path = f"{parent.path}/char{number:02}"
        self.described = described
        self.notifying = False
        self._service = parent.path
        self._read = read
        self._write = write

    @dbus_property(access=READ, name="UUID")
    def uuid(self) -> DBusStr:
        """Its UUID."""
        return str(self.described.uuid)

    @dbus_property(access=READ, name="Service")
    def service(self) -> DBusObjectPath:
        """The service that it belongs to."""
        return self._service

    @dbus_property(access=READ, name="Flags")
    def flags(self) -> DBusTexts:
        """What may be done with it, and what the connection must have."""
        prefix = PREFIXES.get(self.described.security, "")
        plain = [FLAGS[access] for access in self.described.access]
        strict = [prefix + flag for flag in plain if prefix and flag in ("read", "write")]
        return plain + strict

    @dbus_property(access=READ, name="Notifying")
    def is_notifying(self) -> DBusBool:
        """Tell whether somebody has subscribed."""
        return self.notifying

    @dbus_property(access=READ, name="Value")
    def value(self) -> DBusBytes:
        """Empty: values are read, or come as a change of this."""
        return b""

    @dbus_method(name="ReadValue")
    async def read_value(self, options: DBusDict) -> DBusBytes:
        """Return the value from where the read goes on."""
        peer = Peer(options)
        try:
            return (await self._read(peer, self.described))[peer.offset :]
        except GattRefused as refused:
            raise _error(refused) from None

    @dbus_method(name="WriteValue")
    async def write_value(self, value: DBusBytes, options: DBusDict) -> None:
        """Take a whole value; BlueZ has put a long write together."""
        try:
            await self._write(Peer(options), self.described, bytes(value))
        except GattRefused as refused:
            raise _error(refused) from None

    @dbus_method(name="StartNotify")
    def start_notify(self) -> None:
        """Learn that somebody has subscribed."""
        self.notifying = True

    @dbus_method(name="StopNotify")
    def stop_notify(self) -> None:
        """Learn that nobody is subscribed any more."""
        self.notifying = False

    def notify(self, value: bytes) -> None:
        """Send a value to whoever has subscribed."""
        self.emit_properties_changed({"Value": value})


class DescriptionObject(ServiceInterface):
    """A characteristic's user description, readable by everybody."""

    def __init__(self, parent: CharacteristicObject) -> None:
        super().__init__("org.bluez.GattDescriptor1")
        self.path = f"{parent.path}/name"
        self._characteristic = parent.path
        self._name = parent.described.name.encode()

    @dbus_property(access=READ, name="UUID")
    def uuid(self) -> DBusStr:
        """That of user descriptions."""
        return USER_DESCRIPTION

    @dbus_property(access=READ, name="Characteristic")
    def characteristic(self) -> DBusObjectPath:
        """What it describes."""
        return self._characteristic

    @dbus_property(access=READ, name="Flags")
    def flags(self) -> DBusTexts:
        """Only to be read."""
        return ["read"]

    @dbus_method(name="ReadValue")
    def read_value(self, options: DBusDict) -> DBusBytes:
        """Return the name from where the read goes on."""
        return self._name[Peer(options).offset :]


class AdvertisementObject(ServiceInterface):
    """What BlueZ says on the air for us."""

    def __init__(self, path: str, said: Advertisement) -> None:
        super().__init__("org.bluez.LEAdvertisement1")
        self.path = path
        self._said = said

    @dbus_property(access=READ, name="Type")
    def kind(self) -> DBusStr:
        """Connectable."""
        return "peripheral"

    @dbus_property(access=READ, name="ServiceUUIDs")
    def services(self) -> DBusTexts:
        """The services in it."""
        return [str(uuid) for uuid in self._said.services]

    @dbus_property(access=READ, name="LocalName")
    def name(self) -> DBusStr:
        """The name in the scan response."""
        return self._said.name

    @dbus_property(access=READ, name="ManufacturerData")
    def manufacturer(self) -> DBusByNumber:
        """The maker's own bytes."""
        said = self._said.manufacturer
        return {} if said is None else {said.company: Variant("ay", said.data)}

    @dbus_property(access=READ, name="ServiceData")
    def service_data(self) -> DBusDict:
        """What the services say."""
        return {str(uuid): Variant("ay", data) for uuid, data in self._said.service_data}

    @dbus_method(name="Release")
    def release(self) -> None:
        """Learn that BlueZ has taken it down."""


class AgentSide(Protocol):
    """Who answers for the board when a phone wants to pair."""

    def show(self, passkey: int) -> None:
        """Show a passkey that the person types into the phone."""

    async def compare(self, number: int) -> bool:
        """Show a number and wait for the person to agree."""
        ...

    def accept_just_works(self) -> bool:
        """Tell whether a phone may pair without any digits."""
        ...

    def ended(self) -> None:
        """Learn that the pairing was given up."""


class AgentObject(ServiceInterface):
    """The board's agent: it shows and confirms, and types nothing."""

    def __init__(self, path: str, side: AgentSide) -> None:
        super().__init__("org.bluez.Agent1")
        self.path = path
        self._side = side

    @dbus_method(name="Release")
    def release(self) -> None:
        """Learn that BlueZ wants no agent any more."""

    @dbus_method(name="DisplayPasskey")
    def display_passkey(self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16) -> None:
        """Show the passkey; BlueZ calls again with each digit that the phone has got."""
        del device
        if not entered:
            self._side.show(passkey)

    @dbus_method(name="RequestConfirmation")
    async def request_confirmation(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        """Ask the person whether both show the same."""
        del device
        if not await self._side.compare(passkey):
            raise DBusError(REJECTED, "the digits are not the same")

    @dbus_method(name="RequestAuthorization")
    def request_authorization(self, device: DBusObjectPath) -> None:
        """Let a phone pair by Just Works, or not."""
        del device
        if not self._side.accept_just_works():
            raise DBusError(REJECTED, "this product demands more than Just Works")

    @dbus_method(name="AuthorizeService")
    def authorize_service(self, device: DBusObjectPath, uuid: DBusStr) -> None:
        """Let a paired phone use what it has paired for."""
        del device, uuid

    @dbus_method(name="RequestPasskey")
    def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
        """Type nothing: boards have no keyboard."""
        del device
        raise DBusError(REJECTED, "this board has no keyboard")

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """Learn that the pairing was given up."""
        self._side.ended()


def _error(refused: GattRefused) -> DBusError:
    return DBusError(REASONS.get(refused.reason, FAILED), refused.reason.name)
