"""The portal's page in a real Chromium: a device onboarded over a real GATT server, registered at a running platform."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from doorstep.device.life import State
from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.identity.provisioning import Provisioning, SetupVerifier
from doorstep.onboarding.label import SetupLabel, Transport
from doorstep.onboarding.protocomm.credentials import Sec2Verifier
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.office import _DJANGO, Office
from tests.onboarding.helpers import CREDENTIALS
from tests.onboarding.web.chromium import Bridge, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = "owner@example.org"
NAME = "PROV_1"
PASSWORD = "grüne Wiese, 7 Kühe"
HOME = SimulatedNetwork("Zuhause 🏡".encode(), PASSWORD.encode(), rssi=-48)
NEIGHBOURS = [
    HOME,
    SimulatedNetwork(b"guests", rssi=-66),
    *(
        SimulatedNetwork(f"neighbour {number}".encode(), b"not ours", rssi=-70 - number)
        for number in range(9)
    ),
]
LABEL = SetupLabel(NAME, CREDENTIALS.username, CREDENTIALS.pop, Transport.BLE)
_SESSION = (
    _DJANGO
    + """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from doorstep.server.accounts.models import User
user = User.objects.get(email=sys.argv[1])
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(json.dumps(session.session_key))
"""
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Plant.build(tmp_path_factory.mktemp("platform") / "state") as plant:
        migrate(plant)
        plant.start("device-api", "web")
        yield Office(plant)


@pytest.fixture(scope="module")
def session(office: Office) -> str:
    """A log-in of a customer."""
    office.make_tokens(OWNER)
    key: str = office._python(_SESSION, OWNER)
    return key


@dataclass
class Stage:
    """A customer's browser at the page, and a device beside it."""

    page: Page
    bridge: Bridge
    device: SimulatedDevice
    made: Provisioning
    wifi: SimulatedWifi


@asynccontextmanager
async def browsing(office: Office, session: str) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A phone's window, logged in, at the page; an error of its scripts fails the test."""
    url = f"http://localhost:{office.plant.settings.portal_port}"
    broken: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844})
        await context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
        yield context, page
    assert not broken


@asynccontextmanager
async def staged(office: Office, session: str, folder: Path) -> AsyncIterator[Stage]:
    """Everything switched on; the device waits for its set-up."""
    (made,) = await asyncio.to_thread(office.make_devices, 1)
    verifier = SetupVerifier(NAME, CREDENTIALS.username, CREDENTIALS.salt, CREDENTIALS.verifier)
    made = replace(made, setup=verifier)
    air, wifi = Air(), SimulatedWifi(NEIGHBOURS)
    async with SimulatedDevice(made, folder, wifi) as device, BumbleBoard(air) as board:
        await device.setup_port()
        assert device._agent is not None
        profile = DeviceProfile(
            made.device_id, Sec2Verifier(CREDENTIALS.username, CREDENTIALS.salt, CREDENTIALS.verifier)
        )
        door = BleDoor(profile, device._agent._setup._joiner, board, BleName(NAME))
        async with door, BumbleCentral(air) as phone, browsing(office, session) as (context, page):
            bridge = Bridge(phone, NAME)
            await bridge.attach(context, page)
            await page.goto(f"http://localhost:{office.plant.settings.portal_port}/devices/set-up/")
            yield Stage(page, bridge, device, made, wifi)


def test_customer_sets_a_device_up_by_bluetooth(office: Office, session: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page = stage.page
            await page.get_by_label("Set-up code").fill(
                f" {CREDENTIALS.pop.upper()[:4]} {CREDENTIALS.pop[4:]} "
            )
            await page.locator("#bluetooth-alias").fill("Greenhouse")
            await page.get_by_role("button", name="Choose the device").click()
            await expect(page.get_by_role("heading", name="2. Your Wi-Fi")).to_be_focused()
            await expect(
                page.get_by_role("radio", name="Zuhause 🏡 strong signal, with a password")
            ).to_be_checked()
            assert await page.locator("#network-list input").count() == len(NEIGHBOURS)
            await page.locator("#bluetooth-password").fill("wrong password")
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#bluetooth-password-error")).to_contain_text("refused the password")
            await expect(page.locator("#bluetooth-password")).to_be_focused()
            await page.locator("#bluetooth-password").fill(PASSWORD)
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#status")).to_have_text(
                "Greenhouse has registered. It is yours.", timeout=30_000
            )
            await expect(page.get_by_role("link", name="Open the device")).to_be_focused()
            assert stage.bridge.asked.count("prov-session") == 2  # the wrong password cost no session
            assert stage.wifi.joined is not None
            assert stage.wifi.joined.ssid == HOME.ssid
            assert stage.device.state not in (State.WAITING, State.REGISTERING)
            await page.get_by_role("link", name="Open the device").click()
            await expect(page.get_by_role("heading", name="Greenhouse", exact=True)).to_be_visible()

    asyncio.run(main())
    rows = office.rows("SELECT evidence FROM claim ORDER BY id DESC LIMIT 1")
    assert "setup_session" in json.dumps(rows[0][0])


def test_device_refuses_a_wrong_code(office: Office, session: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page = stage.page
            await page.get_by_label("Set-up code").fill(replace(LABEL, pop="anothercode22").encode())
            await page.get_by_role("button", name="Choose the device").click()
            await expect(page.locator("#code-error")).to_contain_text("does not belong to this device")
            await expect(page.get_by_label("Set-up code")).to_be_focused()
            await expect(page.get_by_role("heading", name="2. Your Wi-Fi")).to_be_hidden()
            assert set(stage.bridge.asked) == {"proto-ver", "prov-session"}
            assert stage.wifi.joined is None

    asyncio.run(main())
