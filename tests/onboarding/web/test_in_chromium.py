"""The portal's page in a real Chromium, a device at a real GATT server, and a platform that runs."""

import asyncio
import itertools
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from doorstep.device.agent import AgentOptions
from doorstep.device.life import State
from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.presence import Presence
from doorstep.device.setup.secret import setup_secret
from doorstep.identity.provisioning import Provisioning, SetupVerifier
from doorstep.onboarding.attestation.transcript import Pattern, in_words
from doorstep.onboarding.ble.exchange import LONG
from doorstep.onboarding.captive import exchange
from doorstep.onboarding.captive.exchange import PageFacts
from doorstep.onboarding.label import SetupLabel, Transport
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.words import STEPS
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.browsers import COLOURS, axe_source
from tests.device.office import _DJANGO, Office
from tests.onboarding.helpers import CREDENTIALS
from tests.onboarding.web.chromium import Bridge, chromium
from tests.server.portal.catalogues import FOLDER, parsed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = "owner@example.org"
MANY_TABS = 60
NAME = "PROV_1"
PASSWORD = "grüne Wiese, 7 Kühe"
HOME = SimulatedNetwork(b"Zuhause", PASSWORD.encode(), rssi=-48)
NEIGHBOURS = [
    HOME,
    SimulatedNetwork(b"guests", rssi=-66),
    *(
        SimulatedNetwork(f"neighbour {number}".encode(), b"not ours", rssi=-70 - number)
        for number in range(9)
    ),
]
LABEL = SetupLabel(NAME, CREDENTIALS.username, CREDENTIALS.pop, Transport.BLE)
AXE_RUN = """async (options) => {
    const { violations } = await axe.run(options);
    return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
}"""
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


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@dataclass
class Stage:
    """A customer's browser at the page, and a device beside it."""

    page: Page
    bridge: Bridge
    device: SimulatedDevice
    made: Provisioning
    wifi: SimulatedWifi
    sent: list[bytes]
    """Bodies that the page sent to anybody."""
    shown: list[str]
    """Patterns that the device showed."""
    board_page: str
    """Address of the board's own page, on an access point that nobody encrypts."""


async def look(page: Page, axe: str, name: str) -> None:
    """Have axe look at the page as it is now, and take its picture where somebody asked for pictures."""
    folder = os.environ.get("PORTAL_SCREENSHOTS")
    for theme, (kind, width) in itertools.product(("light", "dark"), (("desktop", 1280), ("phone", 390))):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # its literals
        await page.set_viewport_size({"width": width, "height": 844})
        wide: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is wider than its window"
        if folder:
            await page.screenshot(path=Path(folder) / f"{name}-{kind}-{theme}.png", full_page=True)
        await page.evaluate(axe)
        assert await page.evaluate(AXE_RUN, COLOURS if theme == "dark" else {}) == [], name


def _saved(path: Path) -> str:
    return path.read_text("utf-8")


@asynccontextmanager
async def browsing(
    office: Office, session: str, locale: str = "en", refused: str = "404"
) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A phone's window, logged in, at the page; an error of its scripts fails the test.

    ``refused``: the status with which the platform may answer, a pattern.
    """
    url = f"http://localhost:{office.plant.settings.portal_port}"
    broken: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, locale=locale)
        await context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
        yield context, page
    # What finds nothing or refuses a code is an answer, though Chromium notes it like an accident.
    assert not [text for text in broken if not re.search(rf"responded with a status of {refused}\b", text)]


def _known_code(office: Office) -> Provisioning:
    """A device whose code this module knows."""
    (made,) = office.make_devices(1)
    verifier = SetupVerifier(NAME, CREDENTIALS.username, CREDENTIALS.salt, CREDENTIALS.verifier)
    return replace(made, setup=verifier)


def _released_code(office: Office) -> Provisioning:
    """A device whose code nobody here knows, but the platform, which may tell it."""
    product, out = "lamp-released", office.plant.state.root / "batch-released"
    policy = ("--claim-policy", "device_key & setup_session")
    office.doorstep("product", "add", product, "--name", "Lamp", "--release-setup-code", *policy)
    office.doorstep("factory", "batch", "--product", product, "--count", "1", "--out", str(out), "--yes")
    (path,) = out.glob("devices/*.json")
    return Provisioning.from_json(path.read_bytes())


@asynccontextmanager
async def arrived(
    office: Office, session: str, phone: BumbleCentral, script: str = "", **window: str
) -> AsyncIterator[tuple[Page, Bridge]]:
    """A window at the set-up page with a radio; ``script`` runs before the page's own.

    ``window`` is what `browsing` takes.
    """
    async with browsing(office, session, **window) as (context, page):
        await page.add_init_script(script)
        bridge = Bridge(phone, NAME)
        await bridge.attach(context, page)
        await page.goto(f"http://localhost:{office.plant.settings.portal_port}/devices/set-up/")
        yield page, bridge


@asynccontextmanager
async def staged(
    office: Office,
    session: str,
    folder: Path,
    make: Callable[[Office], Provisioning] = _known_code,
    **window: str,
) -> AsyncIterator[Stage]:
    """Everything switched on; the device waits for its set-up. ``window`` is what `arrived` takes."""
    made = await asyncio.to_thread(make, office)
    air, wifi, shown = Air(), SimulatedWifi(NEIGHBOURS), list[str]()
    profile = DeviceProfile(made.device_id, setup_secret(made))
    facts = PageFacts(NAME, exchange.Air.CODE)

    async def show(pattern: Pattern) -> None:
        shown.append(in_words(pattern))

    async with BumbleBoard(air) as board:
        device = SimulatedDevice(made, folder, wifi)
        device._options = AgentOptions(
            setup=None,
            doors=(
                lambda joiner: BleDoor(profile, joiner, board, BleName(NAME)),
                lambda joiner: CaptiveServer(profile, joiner, facts, host="127.0.0.1", port=0),
            ),
            presence=Presence(show=show),
        )
        async with (
            device,
            BumbleCentral(air) as phone,
            arrived(office, session, phone, **window) as (page, bridge),
        ):
            board_page = f"http://127.0.0.1:{await device.setup_port()}"
            sent: list[bytes] = []
            page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
            yield Stage(page, bridge, device, made, wifi, sent, shown, board_page)


async def spoil_next_token(page: Page, office: Office) -> None:
    """Give the page, once, a token that the platform will refuse."""
    (expired,) = await asyncio.to_thread(office.make_tokens, OWNER, age_s=601)

    async def answer(route: Route) -> None:
        made = await route.fetch()
        await route.fulfill(response=made, json=await made.json() | {"token": expired})

    await page.route("**/api/v1/registration-tokens", answer, times=1)


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and check that it shows that."""
    for _ in range(MANY_TABS):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus").count():
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", selector
            return
    pytest.fail(f"no Tab reaches {selector}")


_LISTENER = """
    window.announced = [];
    document.addEventListener("DOMContentLoaded", () => {
        const listener = new MutationObserver((changes) => {
            const said = changes.map(({ target }) => target.textContent);
            window.announced.push(...said.filter(Boolean));
        });
        const regions = document.querySelectorAll("#status, #problem-text");
        for (const region of regions) listener.observe(region, { childList: true });
    });
"""
"""Hears what a screen reader would say of the page's live regions."""


def test_customer_sets_a_device_up_by_bluetooth(
    office: Office, session: str, axe: str, tmp_path: Path
) -> None:
    """By keyboard alone, and with ears on what a screen reader says."""

    async def main() -> None:
        async with staged(office, session, tmp_path, script=_LISTENER) as stage:
            page, keys = stage.page, stage.page.keyboard
            await expect(page.locator("#way-bluetooth")).to_be_checked()
            await tab_to(page, "#code")
            await keys.type(f" {CREDENTIALS.pop.upper()[:4]} {CREDENTIALS.pop[4:]} ")
            await tab_to(page, "#bluetooth-alias")
            await keys.type("Greenhouse")
            await tab_to(page, "#choose")
            await keys.press("Enter")
            await expect(page.get_by_role("heading", name="Your Wi-Fi")).to_be_focused()
            await look(page, axe, "set-up-networks")
            await tab_to(page, "#network-list input")
            await expect(
                page.get_by_role("radio", name="Zuhause strong signal, with a password")
            ).to_be_checked()
            assert await page.locator("#network-list input").count() == len(NEIGHBOURS)
            await keys.press("ArrowDown")
            await expect(page.get_by_role("radio", name="guests")).to_be_checked()
            await expect(page.locator("#joining-password")).to_be_hidden()
            await keys.press("ArrowUp")
            await tab_to(page, "#joining-password")
            await keys.type("wrong password")
            await keys.press("Enter")
            await expect(page.locator("#joining-password-error")).to_contain_text("refused the password")
            await expect(page.locator("#joining-password")).to_be_focused()
            described = await page.locator("#joining-password").get_attribute("aria-describedby") or ""
            assert "joining-password-error" in described.split()
            await look(page, axe, "set-up-wrong-password")
            await keys.press("Control+A")
            await keys.type(PASSWORD)
            await keys.press("Enter")
            await expect(page.locator("#status")).to_have_text(
                "Greenhouse has registered. It is yours.", timeout=30_000
            )
            await expect(page.get_by_role("link", name="Open the device")).to_be_focused()
            await look(page, axe, "set-up-done")
            announced: list[str] = await page.evaluate("window.announced")
            assert announced[:3] == [
                f"Connecting to {NAME} …",
                "The device answers.",
                "The connection is secured by the code on the label.",
            ]
            twice = {said for said in announced if announced.count(said) > 1}
            assert twice <= {"The device is joining the network."}  # once for each password
            assert announced[-1] == "Greenhouse has registered. It is yours."
            assert stage.bridge.asked.count("prov-session") == 2  # the wrong password cost no session
            assert stage.wifi.joined is not None
            assert stage.wifi.joined.ssid == HOME.ssid
            assert stage.device.state not in (State.WAITING, State.REGISTERING)
            await keys.press("Enter")
            await expect(page.get_by_role("heading", name="Greenhouse", exact=True)).to_be_visible()

    asyncio.run(main())
    rows = office.rows("SELECT evidence FROM claim ORDER BY id DESC LIMIT 1")
    assert "setup_session" in json.dumps(rows[0][0])


_TEXTS = """[...document.querySelectorAll("main :not(script)")]
    .flatMap((element) => [...element.childNodes])
    .filter((node) => node.nodeType === Node.TEXT_NODE && !node.parentElement.closest("[lang=en]"))
    .map((node) => node.data.trim())"""
"""What stands on the page in its language, shown or not."""


def _english_words() -> set[str]:
    """What pages, steps and the set-up page's scripts say in English and otherwise in German."""
    catalogue = parsed((FOLDER / "de" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8"))
    pages = {one for (one, _), said in catalogue.items() if one not in said}
    steps = {text for words in STEPS.values() for text in astuple(words) if text}
    script = FOLDER.parent / "static" / "portal" / "setup" / "words.js"
    return pages | steps | set(re.findall(r'^    "([^"]+)":', script.read_text("utf-8"), re.MULTILINE))


async def _find_no_english(page: Page) -> None:
    """No text of the page is an English word, and none has an English sentence in it."""
    texts: list[str] = await page.evaluate(_TEXTS)
    words = _english_words()
    assert not [text for text in texts for one in words if one == text or (" " in one and one in text)]


def test_customer_reads_german_from_label_to_device(
    office: Office, session: str, axe: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path, locale="de", refused="40[04]") as stage:
            page = stage.page
            await expect(page.get_by_role("heading", name="Gerät einrichten")).to_be_visible()
            await _find_no_english(page)
            await page.get_by_label("Über das eigene WLAN des Geräts").check()
            await page.get_by_label("Seriennummer oder Geräte-ID").fill("not there")
            await page.get_by_label("Name Ihres WLANs").fill(HOME.ssid.decode())
            await page.get_by_role("button", name="Für das Gerät verschließen").click()
            await expect(page.locator("#serial-error")).to_contain_text("Es gibt hier kein Gerät")
            await page.get_by_label("Seriennummer oder Geräte-ID").fill(stage.made.serial)
            await page.locator("#sealed").get_by_text("Das Etikett hat einen Rubbelcode").click()
            await page.locator("#sealed-claim").fill("no code")
            await page.get_by_role("button", name="Für das Gerät verschließen").click()
            # What is wrong with it is what the core says, in English.
            await expect(page.locator("#sealed-claim-error")).to_have_attribute("lang", "en")
            await page.get_by_label("Über Bluetooth, mit dem Code auf seinem Etikett").check()
            await page.get_by_label("Einrichtungscode").fill(CREDENTIALS.pop)
            await page.get_by_role("button", name="Gerät wählen").click()
            await expect(page.get_by_role("heading", name="Ihr WLAN")).to_be_focused()
            await expect(
                page.get_by_role("radio", name="Zuhause starkes Signal, mit Passwort")
            ).to_be_checked()
            await look(page, axe, "set-up-german")
            await page.locator("#joining-password").fill(PASSWORD)
            await page.get_by_role("button", name="In dieses Netz gehen").click()
            await expect(page.locator("#status")).to_contain_text(
                "hat sich angemeldet. Es gehört Ihnen.", timeout=30_000
            )
            await expect(page.locator("#log")).to_contain_text(f"Verbindung mit {NAME} wird hergestellt …")
            await _find_no_english(page)

    asyncio.run(main())


def test_customer_mends_a_scratch_code_before_the_device_is_asked(
    office: Office, session: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path, refused="400") as stage:
            page = stage.page
            await page.get_by_label("By Bluetooth, with the code on its label").check()
            await page.get_by_label("Set-up code").fill(CREDENTIALS.pop)
            await page.locator("#bluetooth").get_by_text("The label has a scratch-off code").click()
            await page.locator("#bluetooth-claim").fill("no code")
            await page.get_by_role("button", name="Choose the device").click()
            await expect(page.locator("#bluetooth-claim-error")).to_be_visible()
            await expect(page.locator("#bluetooth-claim")).to_be_focused()
            await page.locator("#bluetooth-claim").fill("")
            await page.get_by_role("button", name="Choose the device").click()
            await expect(page.get_by_role("heading", name="Your Wi-Fi")).to_be_focused()

    asyncio.run(main())


def test_customer_registers_again_after_a_refusal(
    office: Office, session: str, axe: str, tmp_path: Path
) -> None:
    """The device is on the network already; neither its code nor the network is asked for again."""

    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page = stage.page
            await page.get_by_label("Set-up code").fill(CREDENTIALS.pop)
            await page.get_by_role("button", name="Choose the device").click()
            await page.locator("#joining-password").fill(PASSWORD)
            await spoil_next_token(page, office)
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#retry-title")).to_be_focused(timeout=30_000)
            await expect(page.locator("#retry-title")).to_contain_text("its registration was refused")
            await look(page, axe, "set-up-refused")
            await spoil_next_token(page, office)
            await page.get_by_role("button", name="Register it again").click()
            await expect(page.locator("#log li", has_text="was refused")).to_have_count(2, timeout=30_000)
            await expect(page.locator("#retry-form")).not_to_have_attribute("data-busy", "yes")
            await page.get_by_role("button", name="Choose another network").click()
            await expect(page.get_by_role("heading", name="Your Wi-Fi")).to_be_focused()
            await page.get_by_role("radio", name="guests").check()
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#status")).to_contain_text("It is yours.", timeout=30_000)
            assert stage.wifi.joined is not None
            assert stage.wifi.joined.ssid == b"guests"
            assert stage.bridge.asked.count("prov-session") == 2

    asyncio.run(main())


def test_device_refuses_a_wrong_code(office: Office, session: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page = stage.page
            await page.get_by_label("Set-up code").fill(replace(LABEL, pop="anothercode22").encode())
            await page.get_by_role("button", name="Choose the device").click()
            await expect(page.locator("#code-error")).to_contain_text("does not belong to this device")
            await expect(page.get_by_label("Set-up code")).to_be_focused()
            await expect(page.get_by_role("heading", name="Your Wi-Fi")).to_be_hidden()
            assert set(stage.bridge.asked) == {"proto-ver", "prov-session"}
            assert stage.wifi.joined is None

    asyncio.run(main())


def test_customer_seals_wifi_in_the_browser_and_brings_it_to_the_device(
    office: Office, session: str, axe: str, tmp_path: Path
) -> None:
    """The password crosses neither the portal nor the air in clear; only this device opens it."""

    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page, sent = stage.page, stage.sent
            await page.get_by_label(re.compile("Through the device.s own Wi-Fi")).check()
            await page.get_by_label("Serial or device id").fill("not there")
            await page.get_by_label("Name of your Wi-Fi").fill(HOME.ssid.decode())
            await page.locator("#sealed-password").fill(PASSWORD)
            await page.get_by_role("button", name="Lock it for the device").click()
            await expect(page.locator("#serial-error")).to_contain_text("There is no device")
            spoken = " ".join(stage.made.serial.upper()).replace("-", "dash", 1) + "."
            await page.get_by_label("Serial or device id").fill(spoken)
            await page.locator("#sealed-alias").fill("Cold room")
            expired = json.dumps({"state": "expired", "text": "Nothing came in time.", "url": ""})
            await page.route(re.compile(r"/added/\d+/"), lambda route: route.fulfill(body=expired), times=1)
            await page.get_by_role("button", name="Lock it for the device").click()
            await expect(page.locator("#status")).to_contain_text("Lock your Wi-Fi once more")
            await expect(page.locator("#seal")).to_be_focused()
            await expect(page.locator("#bring")).to_be_hidden()
            await expect(page.locator("#seal-form")).not_to_have_attribute("data-busy", "yes")
            await page.keyboard.press("Enter")
            await expect(page.locator("#bring-title")).to_be_focused()
            await expect(page.locator("#bring-title")).to_contain_text(stage.made.serial)
            link = await page.locator("#blob-link").get_attribute("href") or ""
            address, _, text = link.partition("#sealed=")
            assert address == "http://192.168.4.1/sealed"
            assert await page.locator("#blob-text").text_content() == text
            await expect(page.locator("#qr svg path")).to_have_count(1)
            await page.get_by_text("Another phone or computer does it").click()
            await look(page, axe, "set-up-sealed")
            async with page.expect_download() as download:
                await page.get_by_role("link", name="Save it as a file").click()
            assert await asyncio.to_thread(_saved, await (await download.value).path()) == text
            assert sent
            assert not [body for body in sent if PASSWORD.encode() in body or HOME.ssid in body]

            beside = await page.context.new_page()
            await beside.goto(f"{stage.board_page}/sealed")
            await beside.get_by_label("Locked text").fill(text[:-2])
            await beside.get_by_role("button", name="Hand it over").click()
            await expect(beside.locator("#say")).to_contain_text("incomplete or was changed")
            await look(beside, axe, "board-sealed")
            await beside.goto(f"{stage.board_page}/?lang=de")
            await beside.goto(f"{stage.board_page}/sealed#sealed={text}")
            await expect(beside.locator("#say")).to_contain_text("Das Gerät")
            assert "#" not in beside.url
            await expect(page.locator("#status")).to_have_text(
                "Cold room has registered. It is yours.", timeout=30_000
            )
            assert stage.wifi.joined is not None
            assert stage.wifi.joined.passphrase == PASSWORD.encode()

    asyncio.run(main())


def test_customer_sets_a_device_up_with_its_button_and_no_code(
    office: Office, session: str, axe: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path) as stage:
            page, shown = stage.page, stage.shown
            await page.get_by_label("By Bluetooth, with its button and no code").check()
            await page.locator("#button-alias").fill("Propagation bench")
            await page.locator("#button-choose").click()
            await expect(page.get_by_role("heading", name="Is it this device?")).to_be_focused()
            assert await page.locator("#pattern").text_content() == shown[-1]
            await look(page, axe, "set-up-compare")
            await expect(page.locator("#compare-device")).to_contain_text(stage.made.serial)
            await page.get_by_role("button", name="No, or I can").click()
            await expect(page.locator("#button-choose")).to_be_focused()
            await page.locator("#button-choose").click()
            await expect(page.get_by_role("heading", name="Is it this device?")).to_be_focused()
            await page.get_by_role("button", name="Yes, it shows the same").click()
            await expect(page.get_by_role("heading", name="Your Wi-Fi")).to_be_focused()
            await page.get_by_label("Name of the network").fill(HOME.ssid.decode())
            await page.locator("#joining-password").fill("wrong password")
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#joining-password-error")).to_contain_text("refused the password")
            await page.locator("#joining-password").fill(PASSWORD)
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#status")).to_have_text(
                "Propagation bench has registered. It is yours.", timeout=30_000
            )
            assert not {"prov-session", LONG} & set(stage.bridge.asked)

            # Its owner moves: a reset device takes the owner's release, which makes for long messages.
            await stage.device.reset_network()
            async with arrived(office, session, stage.bridge.phone) as (page, bridge):
                await page.get_by_label("By Bluetooth, with its button and no code").check()
                await page.locator("#button-choose").click()
                await page.get_by_role("button", name="Yes, it shows the same").click()
                await page.get_by_label("Name of the network").fill(HOME.ssid.decode())
                await page.locator("#joining-password").fill(PASSWORD)
                await spoil_next_token(page, office)
                await page.get_by_role("button", name="Join this network").click()
                await expect(page.locator("#retry-title")).to_be_focused(timeout=30_000)
                assert LONG in bridge.asked
                await expect(page.get_by_text("Touch the device first:")).to_be_visible()
                await page.get_by_role("button", name="Register it again").click()
                await expect(page.locator("#problem-text")).to_contain_text("Nobody has pressed the button")
                assert stage.device._agent is not None
                await stage.device._agent.press_button()
                await page.get_by_role("button", name="Register it again").click()
                await expect(page.get_by_role("link", name="Open the device")).to_be_focused(timeout=30_000)

    asyncio.run(main())


def test_platform_tells_the_code_of_a_device_in_hand_where_its_product_allows(
    office: Office, session: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with staged(office, session, tmp_path, _released_code) as stage:
            page = stage.page
            await page.get_by_label("By Bluetooth, with its button and no code").check()
            await page.locator("#button-choose").click()
            await page.get_by_role("button", name="Yes, it shows the same").click()
            await expect(page.get_by_role("radio", name="Zuhause strong")).to_be_checked()
            await page.locator("#joining-password").fill(PASSWORD)
            await page.get_by_role("button", name="Join this network").click()
            await expect(page.locator("#status")).to_contain_text("It is yours.", timeout=30_000)
            assert stage.bridge.asked.count("prov-session") == 2

    asyncio.run(main())


_DETECTOR = """
    window.BarcodeDetector = class {
        async detect() { return [{ rawValue: "https://elsewhere.example" }, { rawValue: LABEL }]; }
    };
"""
"""Chromium on Linux reads no codes, so this stands in; the camera is the browser's own test picture."""


def test_camera_reads_the_label_where_the_browser_can(office: Office, session: str, tmp_path: Path) -> None:
    async def main() -> None:
        script = _DETECTOR.replace("LABEL", json.dumps(LABEL.encode()))
        async with staged(office, session, tmp_path, script=script) as stage:
            page = stage.page
            await page.context.grant_permissions(["camera"])
            await page.get_by_role("button", name="Scan the QR code").click()
            await expect(page.get_by_label("Set-up code")).to_have_value(LABEL.encode())
            await expect(page.locator("#choose")).to_be_focused()
            await expect(page.locator("#viewfinder")).to_be_hidden()
            assert await page.evaluate("document.getElementById('viewfinder').srcObject.active") is False

    asyncio.run(main())
