"""Advertisements, out-of-band codes, and what a central writes, over Bluetooth."""

from collections.abc import Iterator
from uuid import UUID

from doorstep.onboarding.ble.advertising import Advertisement, ManufacturerData, parse_advertisement
from doorstep.onboarding.ble.exchange import Exchanges, goes_on_at, in_parts
from doorstep.onboarding.ble.layout import DEFAULT_SERVICE, Found, find_endpoints
from doorstep.onboarding.ble.oob import OobData
from tests.fuzz.targets import target

_SAID = Advertisement((DEFAULT_SERVICE,), "PROV_1", ManufacturerData(0xFFFF, b"\x01"))
_ENDPOINTS = ("prov-session", "doorstep-sealed", "doorstep-long")
_PARTS, _LAST = in_parts(bytes(700))


@target("ble-advertisement", [_SAID.payload(), _SAID.payload() + _SAID.scan_response()])
def fuzz_advertisement(data: bytes) -> None:
    parse_advertisement(data)


@target("ble-oob", [OobData(bytes(16), bytes(range(16))).text().encode()])
def fuzz_oob_code(data: bytes) -> None:
    OobData.parse(data.decode("utf-8", "replace"))


@target("ble-exchange", [b"\x00\x04body\x02\x02" + _PARTS[0][:2], b"\x02\x03" + goes_on_at(7), _LAST[:60]])
def fuzz_exchange(data: bytes) -> None:
    """Write each piece to the endpoint that its first byte chooses; its second is its length."""
    exchanges = Exchanges()
    exchanges.begin(1)
    for endpoint, value in _pieces(data):
        request = exchanges.asked(1, endpoint, value)
        if request is not None:
            exchanges.answered(1, endpoint, request)
        exchanges.fetched(1, endpoint)


@target("ble-endpoints", [b"\x00\x0cprov-session\x00\x09proto-ver", b"\x01\x03abc"])
def fuzz_endpoints(data: bytes) -> None:
    find_endpoints(
        Found(UUID(int=len(endpoint)), UUID(int=number), value.decode("utf-8", "replace"))
        for number, (endpoint, value) in enumerate(_pieces(data))
    )


def _pieces(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at + 1 < len(data):
        end = at + 2 + data[at + 1]
        yield _ENDPOINTS[data[at] % len(_ENDPOINTS)], data[at + 2 : end]
        at = end
