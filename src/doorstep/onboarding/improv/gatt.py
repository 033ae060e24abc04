"""Improv's GATT layout and advertisement."""

from typing import Final
from uuid import UUID

from doorstep.errors import MalformedMessage
from doorstep.onboarding.ble.uuids import from_short
from doorstep.onboarding.improv.rpc import Capability, ImprovState

__all__ = [
    "CAPABILITIES",
    "COMMAND",
    "ERROR",
    "RESULT",
    "SERVICE",
    "SERVICE_DATA",
    "STATE",
    "parse_service_data",
    "put_service_data",
]

SERVICE: Final = UUID("00467768-6228-2272-4663-277478268000")
STATE: Final = UUID("00467768-6228-2272-4663-277478268001")
ERROR: Final = UUID("00467768-6228-2272-4663-277478268002")
COMMAND: Final = UUID("00467768-6228-2272-4663-277478268003")
RESULT: Final = UUID("00467768-6228-2272-4663-277478268004")
CAPABILITIES: Final = UUID("00467768-6228-2272-4663-277478268005")
SERVICE_DATA: Final = from_short(0x4677)
DATA_SIZE: Final = 6


def put_service_data(state: ImprovState, capabilities: Capability) -> bytes:
    """Write what is advertised beside the service: state, capabilities, four reserved octets."""
    return bytes((state, capabilities)) + bytes(DATA_SIZE - 2)


def parse_service_data(octets: bytes) -> tuple[ImprovState, Capability]:
    """Read what a device advertises; raises `MalformedMessage`."""
    if len(octets) != DATA_SIZE or octets[0] not in set(ImprovState):
        raise MalformedMessage("the Improv data of an advertisement are of another length or state")
    return ImprovState(octets[0]), Capability(octets[1])
