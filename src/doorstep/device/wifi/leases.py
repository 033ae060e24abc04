"""Which phone gets which address on the board's access point, and what it is told beside: no I/O."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import Final

from doorstep.wire.dhcp import DhcpKind, DhcpMessage, DhcpOption

__all__ = ["LEASE_S", "MAX_LEASES", "Leases"]

LEASE_S: Final = 3600
OFFER_S: Final = 60
DECLINED_S: Final = 600
MAX_LEASES: Final = 50
"""Addresses that are given out; who comes when all are taken gets no answer."""
FIRST_HOST: Final = 10


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a phone has, was offered, or found to be somebody else's (then of nobody)."""

    hardware: bytes
    until: float


class Leases:
    """The addresses ``.10`` onwards of the access point's network, by the phones' MAC addresses."""

    def __init__(self, own: IPv4Interface, portal: str = "") -> None:
        """``own`` is the board's address; ``portal`` goes into option 114 unless it is empty."""
        self._own = own
        self._portal = portal
        first = own.network.network_address + FIRST_HOST
        self._pool = [address for address in (first + n for n in range(MAX_LEASES)) if address != own.ip]
        self._leases: dict[IPv4Address, Lease] = {}

    def answer(self, message: DhcpMessage, now: float) -> DhcpMessage | None:
        """Return the reply, None where there is none to give; ``now`` is seconds that never go back."""
        if message.is_reply:
            return None
        match message.kind:
            case DhcpKind.DISCOVER:
                return self._offer(message, now)
            case DhcpKind.REQUEST:
                return self._grant(message, now)
            case DhcpKind.INFORM:
                return self._reply(message, DhcpKind.ACK, None)
            case DhcpKind.DECLINE:
                self._retire(message, now)
            case DhcpKind.RELEASE:
                self._release(message)
            case DhcpKind.OFFER | DhcpKind.ACK | DhcpKind.NAK:
                pass  # what only servers say
        return None

    def _offer(self, message: DhcpMessage, now: float) -> DhcpMessage | None:
        address = self._choose(message, now)
        if address is None:
            return None
        held = self._leases.get(address)
        if held is None or held.until < now + OFFER_S or held.hardware != message.hardware:
            self._leases[address] = Lease(message.hardware, now + OFFER_S)
        return self._reply(message, DhcpKind.OFFER, address)

    def _grant(self, message: DhcpMessage, now: float) -> DhcpMessage | None:
        server = message.address(DhcpOption.SERVER)
        if server not in {None, self._own.ip}:
            return None  # the phone chose another server
        wanted = message.address(DhcpOption.REQUESTED_ADDRESS) or message.client
        if wanted not in self._pool or not self._is_free(wanted, message.hardware, now):
            return self._reply(message, DhcpKind.NAK, None)
        self._leases[wanted] = Lease(message.hardware, now + LEASE_S)
        return self._reply(message, DhcpKind.ACK, wanted)

    def _retire(self, message: DhcpMessage, now: float) -> None:
        """Keep an address back for a while that the phone says is in use."""
        address = message.address(DhcpOption.REQUESTED_ADDRESS)
        if address is not None and self._holds(address, message.hardware):
            self._leases[address] = Lease(b"", now + DECLINED_S)

    def _release(self, message: DhcpMessage) -> None:
        if self._holds(message.client, message.hardware):
            del self._leases[message.client]

    def _choose(self, message: DhcpMessage, now: float) -> IPv4Address | None:
        """Prefer what the phone has, then what it wants, then any."""
        own = [address for address in self._pool if self._holds(address, message.hardware)]
        wanted = message.address(DhcpOption.REQUESTED_ADDRESS)
        wishes = [address for address in self._pool if address == wanted]
        free = (
            address
            for address in (*own, *wishes, *self._pool)
            if self._is_free(address, message.hardware, now)
        )
        return next(free, None)

    def _holds(self, address: IPv4Address, hardware: bytes) -> bool:
        lease = self._leases.get(address)
        return lease is not None and lease.hardware == hardware

    def _is_free(self, address: IPv4Address, hardware: bytes, now: float) -> bool:
        lease = self._leases.get(address)
        return lease is None or lease.until <= now or lease.hardware == hardware

    def _reply(self, message: DhcpMessage, kind: DhcpKind, your: IPv4Address | None) -> DhcpMessage:
        own = self._own.ip.packed
        options: dict[int, bytes] = {DhcpOption.SERVER: own}
        if your is not None:
            options[DhcpOption.LEASE_SECONDS] = LEASE_S.to_bytes(4)
        if kind is not DhcpKind.NAK:
            options |= {
                DhcpOption.SUBNET_MASK: self._own.netmask.packed,
                DhcpOption.ROUTER: own,
                DhcpOption.NAME_SERVER: own,
            }
            if self._portal:
                options[DhcpOption.CAPTIVE_PORTAL] = self._portal.encode("ascii")
        nobody = IPv4Address(0)
        return DhcpMessage(
            kind=kind,
            transaction=message.transaction,
            hardware=message.hardware,
            is_reply=True,
            wants_broadcast=message.wants_broadcast,
            client=nobody if kind is DhcpKind.NAK else message.client,
            your=your or nobody,
            options=options,
        )
