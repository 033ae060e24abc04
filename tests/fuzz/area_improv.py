"""Improv's commands, results and packets, both roles."""

from doorstep.errors import PeerError
from doorstep.onboarding.improv.configurator import read_info, read_networks, read_page, settings
from doorstep.onboarding.improv.device import ImprovDevice, Line
from doorstep.onboarding.improv.gatt import parse_service_data
from doorstep.onboarding.improv.rpc import Command, Result, Rpc, unchecked
from doorstep.onboarding.improv.serial import Broken, Packet, PacketKind, PacketReader
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.network import NetworkCredentials
from tests.fuzz.targets import target
from tests.onboarding.improv.test_device import CABLE

_HOME = settings(NetworkCredentials(b"home", b"correct horse")).octets()
_COMMANDS = [_HOME, *(Rpc(command).octets() for command in Command)]
_RESULTS = [
    Result(Command.SCAN, (b"home", b"-40", b"YES")).octets(),
    Result(Command.DEVICE_INFO, CABLE.info()).octets(),
]


@target("improv-device", [b"".join(_COMMANDS), *_COMMANDS])
def fuzz_improv_device(data: bytes) -> None:
    """Take ``data`` for a conversation: each command says its length."""
    for line in Line:
        device, rest = ImprovDevice(CABLE, Joining(), line), data
        while rest:
            size = 2 + rest[1] if len(rest) > 1 else 2
            device.receive(rest[:size], 0.0)
            rest = rest[size:]


@target("improv-results", _RESULTS)
def fuzz_improv_results(data: bytes) -> None:
    result = Result.decode(data)
    assert result.octets() == data
    for read in (read_info, read_page, lambda each: read_networks(each.strings)):
        try:
            read(result)
        except PeerError:
            continue


@target(
    "improv-serial", [Packet(PacketKind.COMMAND, _HOME).octets(), Packet(PacketKind.STATE, b"\2").octets()]
)
def fuzz_improv_serial(data: bytes) -> None:
    whole = PacketReader().feed(data)
    reader = PacketReader()
    assert [found for octet in data for found in reader.feed(bytes((octet,)))] == whole
    for packet in whole:
        assert isinstance(packet, Broken) or packet.octets()[:-1] in data


@target("improv-advertised", [b"\1\7\0\0\0\0"])
def fuzz_improv_advertised(data: bytes) -> None:
    parse_service_data(data)


@target("improv-sum", [b"\1\0\1"])
def fuzz_improv_sum(data: bytes) -> None:
    unchecked(data)
