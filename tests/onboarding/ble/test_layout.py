from uuid import UUID

import pytest

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.ble.layout import (
    DEFAULT_SERVICE,
    LEGACY_SERVICE,
    MAX_ENDPOINTS,
    Found,
    endpoint_uuids,
    find_endpoints,
)

STOCK = ("proto-ver", "prov-session", "prov-scan", "prov-config", "prov-ctrl")
OTHER = UUID("0000aaaa-1111-4222-8333-444455556666")


def _found(service: UUID, *, names: bool = True, endpoints: tuple[str, ...] = STOCK) -> list[Found]:
    uuids = endpoint_uuids(endpoints, service)
    return [Found(service, uuid, name if names else "") for name, uuid in uuids.items()]


def test_stock_endpoints_have_the_known_uuids() -> None:
    assert {name: str(uuid) for name, uuid in endpoint_uuids(STOCK).items()} == {
        "prov-ctrl": "1775ff4f-6b43-439b-877c-060f2d9bed07",
        "prov-scan": "1775ff50-6b43-439b-877c-060f2d9bed07",
        "prov-session": "1775ff51-6b43-439b-877c-060f2d9bed07",
        "prov-config": "1775ff52-6b43-439b-877c-060f2d9bed07",
        "proto-ver": "1775ff53-6b43-439b-877c-060f2d9bed07",
    }


def test_further_endpoints_get_numbers_in_their_order() -> None:
    uuids = endpoint_uuids(("proto-ver", "doorstep", "prov-session", "custom-data"))
    assert str(uuids["doorstep"]).startswith("1775ff54")
    assert str(uuids["custom-data"]).startswith("1775ff55")


def test_makers_own_service_keeps_its_other_bits() -> None:
    assert str(endpoint_uuids(("prov-session",), OTHER)["prov-session"]) == (
        "0000ff51-1111-4222-8333-444455556666"
    )


IMPOSSIBLE = {
    "same endpoint twice": (("a", "a"), DEFAULT_SERVICE),
    "too many endpoints": (tuple(map(str, range(MAX_ENDPOINTS + 1))), DEFAULT_SERVICE),
    "service in an endpoint's place": (("proto-ver",), UUID("0000ff53-1111-4222-8333-444455556666")),
}


@pytest.mark.parametrize(("endpoints", "service"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_layout_is_refused(endpoints: tuple[str, ...], service: UUID) -> None:
    with pytest.raises(SettingsError):
        endpoint_uuids(endpoints, service)


def test_names_count_whatever_the_uuids() -> None:
    found = [Found(OTHER, UUID(int=number), name) for number, name in enumerate(STOCK)]
    assert find_endpoints(found) == {each.name: each for each in found}
    assert find_endpoints(found, OTHER) == {each.name: each for each in found}


@pytest.mark.parametrize("service", [DEFAULT_SERVICE, LEGACY_SERVICE])
def test_numbers_count_where_nothing_is_named(service: UUID) -> None:
    found = _found(service, names=False)
    assert set(find_endpoints([*found, Found(OTHER, OTHER, "")])) == set(STOCK)


def test_wanted_service_comes_before_another() -> None:
    found = [*_found(LEGACY_SERVICE), *_found(OTHER), *_found(DEFAULT_SERVICE)]
    assert find_endpoints(found, DEFAULT_SERVICE)["proto-ver"].service == DEFAULT_SERVICE
    assert find_endpoints(found)["proto-ver"].service == OTHER
    assert find_endpoints(_found(LEGACY_SERVICE), DEFAULT_SERVICE)["proto-ver"].service == LEGACY_SERVICE


USELESS = {
    "nothing": [],
    "another service": [Found(OTHER, UUID(int=1), "lamp")],
    "no session": _found(DEFAULT_SERVICE, endpoints=("proto-ver",)),
    "a name twice": [*_found(DEFAULT_SERVICE), Found(DEFAULT_SERVICE, UUID(int=1), "proto-ver")],
    "endless": [Found(OTHER, UUID(int=number), "") for number in range(257)],
    "only another service": _found(OTHER),
}


@pytest.mark.parametrize("found", USELESS.values(), ids=USELESS)
def test_device_without_setup_is_refused(found: list[Found]) -> None:
    with pytest.raises(MalformedMessage):
        find_endpoints(found, DEFAULT_SERVICE)
