"""A stranger's app, PyPI ``pyblufi``, sets our board up; it knows no encryption."""

import asyncio
import importlib
import sys
from typing import Any

import pytest

from doorstep.onboarding.blufi.device import BlufiProfile
from doorstep.onboarding.blufi.gatt import SERVICE
from doorstep.wire.provisioning.delivery import Deliver, encode_delivery
from tests.bleakair import bleak_client
from tests.device.setup.test_blufi import HOME, NETWORK, ORDER, Room, in_room
from tests.peers import install_peer

pytestmark = pytest.mark.peer
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]


@pytest.fixture
def pyblufi(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(install_peer("pyblufi", [*PIP, "pyblufi==0.1.0"])))
    return importlib.import_module("pyblufi.client")


async def connected(pyblufi: Any, shared: Room, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pyblufi, "BleakClient", bleak_client(shared.phone))
    heard = await shared.phone.find(lambda each: SERVICE in each.advertisement.services, 5)
    assert heard is not None
    app = pyblufi.BlufiClient()
    assert await app.connect(heard.address)
    return app


def test_pyblufi_sets_our_board_up_where_the_product_allows_plain(
    pyblufi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shared: Room) -> None:
        app = await connected(pyblufi, shared, monkeypatch)
        assert await app.get_version() == "1.4"
        await app.set_sta_mode()
        await app.send_custom_data(encode_delivery(Deliver(ORDER.token, ORDER.server)))
        await app.set_ssid(HOME.ssid.decode())
        await app.set_password(HOME.passphrase.decode())
        await app.connect_to_ap()
        onboarded = await shared.joiner.wait_connected()
        assert (onboarded.network, onboarded.order) == (NETWORK, ORDER)
        status = await app.get_wifi_status()
        assert (status.sta_conn_status, status.sta_ssid) == (0, HOME.ssid.decode())
        await app.disconnect()

    in_room(use, BlufiProfile("dev1", allow_plain=True))


def test_pyblufi_is_refused_where_the_product_demands_encryption(
    pyblufi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shared: Room) -> None:
        app = await connected(pyblufi, shared, monkeypatch)
        errors: list[str] = []
        app.on_error = errors.append
        await app.set_ssid(HOME.ssid.decode())
        await app.set_password(HOME.passphrase.decode())
        await app.connect_to_ap()
        async with asyncio.timeout(5):
            while len(errors) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert shared.joiner.joining.network is None or shared.joiner.joining.network.ssid != HOME.ssid
        await app.disconnect()

    in_room(use)
