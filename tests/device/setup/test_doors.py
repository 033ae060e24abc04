"""Which doors for HTTP a product opens, by the methods in its file."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.dns import CaptiveDns
from doorstep.device.setup.doors import http_doors
from doorstep.device.setup.https import HttpsServer
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.secret import guess_book
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.guesses import LONG_CODE, SHORT_CODE
from doorstep.testing.wifi import SimulatedWifi

OWN = "192.168.4.1"
PRODUCTS: dict[str, tuple[tuple[str, ...], str | None, str, list[type]]] = {
    "apps alone": (("protocomm-sec2",), None, OWN, [SoftApServer]),
    "page behind the key": (("micro-ap",), "k" * 13, OWN, [CaptiveServer, CaptiveDns]),
    "page without a key": (("micro-ap",), None, OWN, [SoftApServer]),
    "page in every network": (("micro-ap",), "k" * 13, "0.0.0.0", [SoftApServer]),
    "PIN": (("pin",), None, OWN, [CaptiveServer, CaptiveDns]),
    "PIN in every network": (("pin",), None, "0.0.0.0", [CaptiveServer]),
    "HTTPS too": (("protocomm-sec2", "https-pinned"), None, OWN, [SoftApServer, HttpsServer]),
}


@pytest.fixture
def store(made: Provisioning, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "device")
    opened.adopt(made)
    yield opened
    opened.close()


@pytest.mark.parametrize(("methods", "key", "host", "kinds"), PRODUCTS.values(), ids=PRODUCTS)
def test_product_opens_the_doors_of_its_methods(  # noqa: PLR0913, PLR0917 - a product
    made: Provisioning, store: Store, methods: tuple[str, ...], key: str | None, host: str, kinds: list[type]
) -> None:
    product = replace(made, onboarding=methods, setup=replace(made.setup, access_key=key))
    joiner = Joiner(SimulatedWifi(()))
    doors = [make(joiner) for make in http_doors(product, store, host, 0, os.urandom)]
    assert [type(door) for door in doors] == kinds


def test_guesses_of_a_board_are_read_from_its_store(made: Provisioning, store: Store) -> None:
    assert guess_book(store, made, 5.0).limit.policy is LONG_CODE
    with_pin = replace(made, setup=replace(made.setup, username="pin"))
    book = guess_book(store, with_pin, 5.0)
    assert (book.limit.wrong, book.limit.until, book.limit.policy) == (0, 5.0, SHORT_CODE)
    for _ in range(7):
        book.count(10.0)
    assert store.guesses() == 7
    assert guess_book(store, with_pin, 5.0).limit.until == 5.0 + 240
    book.clear()
    assert store.guesses() == 0
