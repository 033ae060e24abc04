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
from doorstep.device.setup.service import SetupAddress
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.guesses import LONG_CODE, SHORT_CODE
from doorstep.testing.wifi import SimulatedWifi

EVERYWHERE = SetupAddress(port=0)
KEYED = SetupAddress(port=0, point="192.168.4.1", has_key=True)
OPEN = SetupAddress(port=0, point="192.168.4.1")
PRODUCTS: dict[str, tuple[tuple[str, ...], SetupAddress, list[type]]] = {
    "apps alone": (("protocomm-sec2",), KEYED, [SoftApServer]),
    "page behind the key": (("micro-ap",), KEYED, [CaptiveServer, CaptiveDns]),
    "page without a key": (("micro-ap",), OPEN, [SoftApServer]),
    "page in every network": (("micro-ap",), EVERYWHERE, [SoftApServer]),
    "open page": (("micro-ap-open",), OPEN, [CaptiveServer, CaptiveDns]),
    "open page in every network": (("micro-ap-open",), EVERYWHERE, [SoftApServer]),
    "PIN": (("pin",), OPEN, [CaptiveServer, CaptiveDns]),
    "PIN in every network": (("pin",), EVERYWHERE, [SoftApServer]),
    "HTTPS too": (("protocomm-sec2", "https-pinned"), OPEN, [SoftApServer, HttpsServer]),
    "HTTPS without an access point": (("https-pinned",), EVERYWHERE, [SoftApServer, HttpsServer]),
}


@pytest.fixture
def store(made: Provisioning, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "device")
    opened.adopt(made)
    yield opened
    opened.close()


@pytest.mark.parametrize(("methods", "address", "kinds"), PRODUCTS.values(), ids=PRODUCTS)
def test_product_opens_the_doors_of_its_methods(
    made: Provisioning, store: Store, methods: tuple[str, ...], address: SetupAddress, kinds: list[type]
) -> None:
    joiner = Joiner(SimulatedWifi(()))
    makers = http_doors(replace(made, onboarding=methods), store, address, os.urandom)
    assert [type(make(joiner)) for make in makers] == kinds


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
