"""The air that virtual radios hear each other on, and a radio with a whole host stack."""

import asyncio
import itertools
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.link import LocalLink

from doorstep.onboarding.ble.uuids import to_short

__all__ = ["DEFAULT_MTU", "MAX_MTU", "Air", "Radio", "VirtualController", "hang_up", "ours", "theirs"]

DEFAULT_MTU: Final = 23
MAX_MTU: Final = 517
SCAN_RESPONSE: Final = hci.HCI_LE_Extended_Advertising_Report_Event.EventType.SCAN_RESPONSE
NOT_CONNECTED: Final = hci.HCI_LE_Connection_Complete_Event(
    status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
    connection_handle=0,
    role=hci.Role.CENTRAL,
    peer_address_type=hci.AddressType.RANDOM_DEVICE,
    peer_address=hci.Address.ANY,
    connection_interval=0,
    peripheral_latency=0,
    supervision_timeout=0,
    central_clock_accuracy=0,
)


class Air(LocalLink):
    """What virtual radios hear each other on; nothing is lost on it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the stack's own has no annotation
        self._addresses = itertools.count(1)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Deliver under the address that the sender has connected with; the library takes its random one."""
        own = [
            connection.self_address
            for connection in sender_controller.le_connections.values()
            if connection.peer_address == destination_address
        ]
        receiver = self.find_le_controller(destination_address)
        if own and receiver is not None:
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, own[0], transport, data)

    def address(self) -> str:
        """Return a random static address that no other radio here has."""
        return ":".join(f"{octet:02X}" for octet in b"\xf0" + next(self._addresses).to_bytes(5, "big"))


class VirtualController(Controller):
    """The library's own, but for scan responses and for connections that are given up."""

    _response = b""

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Hear an advertisement and ask for the response to it; the library tells it once more instead."""
        self._response = self._ask(pdu)
        super().on_advertising_pdu(pdu)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Pass a report on to the host, with what was asked for in it."""
        if isinstance(packet, hci.HCI_LE_Extended_Advertising_Report_Event):
            for report in packet.reports:
                if report.event_type & SCAN_RESPONSE:
                    report.data = self._response
        super().send_hci_packet(packet)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give up connecting; the library's own leaves its host waiting for ever."""
        self.pending_le_connection = None
        self.send_hci_packet(NOT_CONNECTED)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def _ask(self, pdu: ll.AdvInd | ll.AdvExtInd) -> bytes:
        """Return the scan response of the set whose advertisement this is."""
        for controller in self.link.controllers:
            for each in controller.advertising_sets.values():
                if each.address == pdu.advertiser_address and bytes(each.data) == pdu.data:
                    return bytes(each.scan_response_data)
            if controller.le_legacy_advertiser.address == pdu.advertiser_address:
                return bytes(controller.le_legacy_advertiser.scan_response_data)
        return b""


class Radio:
    """One virtual controller with the host stack on it; on while entered."""

    def __init__(self, air: Air, name: str) -> None:
        self._air = air
        self._controller = VirtualController(name, link=air)
        config = DeviceConfiguration(name=name, address=hci.Address(air.address()))
        self.device = Device(config=config, host=Host(self._controller, self._controller))

    async def __aenter__(self) -> Self:
        """Switch the radio on."""
        await self.device.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up on everybody and switch it off."""
        for connection in list(self.device.connections.values()):
            await hang_up(connection)
        await self.device.power_off()
        self._air.remove_controller(self._controller)


async def hang_up(connection: Connection) -> None:
    """Disconnect; nothing happens where that was done already."""
    with suppress(core.BaseBumbleError, hci.HCI_Error):
        await connection.disconnect()


def theirs(uuid: UUID) -> core.UUID:
    """Return a UUID as the library has it; a short one stays short on the air."""
    short = to_short(uuid)
    return core.UUID(str(uuid)) if short is None else core.UUID.from_16_bits(short)


def ours(uuid: core.UUID) -> UUID:
    """Return the library's UUID as ours."""
    return UUID(bytes=uuid.uuid_128_bytes[::-1])
