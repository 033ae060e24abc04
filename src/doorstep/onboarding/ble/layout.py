"""Protocomm's GATT layout: one service, one characteristic an endpoint, each named by its user description.

A characteristic's UUID is the service's with 16 of its bits, hexadecimal digits 5 to 8, replaced by
the endpoint's short id. Clients find endpoints by the names alone; the short ids are for old firmware.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from doorstep.errors import MalformedMessage, SettingsError

__all__ = [
    "DEFAULT_SERVICE",
    "LEGACY_SERVICE",
    "MAX_ENDPOINTS",
    "Found",
    "endpoint_uuids",
    "find_endpoints",
]

DEFAULT_SERVICE: Final = UUID("1775244d-6b43-439b-877c-060f2d9bed07")
LEGACY_SERVICE: Final = UUID("021a9004-0382-4aea-bff4-6b3f1c5adfb4")
"""Of firmware so old that it may name nothing."""
SLOT: Final = 96
SLOT_MASK: Final = 0xFFFF << SLOT
SHORT_IDS: Final[Mapping[str, int]] = {
    "prov-ctrl": 0xFF4F,
    "prov-scan": 0xFF50,
    "prov-session": 0xFF51,
    "prov-config": 0xFF52,
    "proto-ver": 0xFF53,
}
FIRST_EXTRA: Final = 0xFF54
"""Endpoints beside these get the next ids in the order in which they were made."""
MAX_ENDPOINTS: Final = 32
MAX_CHARACTERISTICS: Final = 256
NEEDED: Final = ("proto-ver", "prov-session")


def endpoint_uuids(endpoints: Sequence[str], service: UUID = DEFAULT_SERVICE) -> dict[str, UUID]:
    """Return the characteristic's UUID of each endpoint; raises `SettingsError` on too many or a clash."""
    extras = [endpoint for endpoint in endpoints if endpoint not in SHORT_IDS]
    if len(set(endpoints)) < len(endpoints) or len(endpoints) > MAX_ENDPOINTS:
        raise SettingsError(f"A device has at most {MAX_ENDPOINTS} endpoints, each once.")
    numbers = {**SHORT_IDS} | {endpoint: FIRST_EXTRA + at for at, endpoint in enumerate(extras)}
    uuids = {endpoint: _in_slot(service, numbers[endpoint]) for endpoint in endpoints}
    if service in uuids.values():
        raise SettingsError(
            f"The service {service} has the UUID that one of its endpoints needs.",
            next_step="Choose another service UUID.",
        )
    return uuids


@dataclass(frozen=True, slots=True)
class Found:
    """One characteristic of a device: its service, UUID, and user description, empty where it has none."""

    service: UUID
    uuid: UUID
    name: str


def find_endpoints(found: Iterable[Found], service: UUID | None = None) -> dict[str, Found]:
    """Return the endpoints of a device, of ``service`` where one is given.

    Names count; where a service names nothing, its short ids do. Raises `MalformedMessage` where the
    device has no set-up service, or names two characteristics alike.
    """
    services: dict[UUID, list[Found]] = {}
    for number, each in enumerate(found):
        if number >= MAX_CHARACTERISTICS:
            raise MalformedMessage(f"the device has more than {MAX_CHARACTERISTICS} characteristics")
        if service is None or each.service in {service, LEGACY_SERVICE}:
            services.setdefault(each.service, []).append(each)
    for uuid in sorted(services, key=lambda each: (each != service, each == LEGACY_SERVICE)):
        endpoints = _by_name(services[uuid]) or _by_number(uuid, services[uuid])
        if all(needed in endpoints for needed in NEEDED):
            return endpoints
    raise MalformedMessage(
        "the device offers no set-up over Bluetooth",
        next_step="Check that it waits for its set-up; hold its button if it was set up before.",
    )


def _by_name(found: Sequence[Found]) -> dict[str, Found]:
    endpoints: dict[str, Found] = {}
    for each in found:
        if each.name in endpoints:
            raise MalformedMessage("the device gives two characteristics the same name")
        if each.name:
            endpoints[each.name] = each
    return endpoints


def _by_number(service: UUID, found: Sequence[Found]) -> dict[str, Found]:
    endpoints = {_in_slot(service, number): name for name, number in SHORT_IDS.items()}
    return {endpoints[each.uuid]: each for each in found if each.uuid in endpoints}


def _in_slot(service: UUID, number: int) -> UUID:
    return UUID(int=service.int & ~SLOT_MASK | number << SLOT)
