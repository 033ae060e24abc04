"""The ways of life through the portal, on a phone by keyboard: a customer's, a wholesaler's and the staff's.

Real roles, a real agent that registers itself and sends. axe looks at each step as it is then. With
PORTAL_SCREENSHOTS=folder each step is photographed, too: the pictures of docs/tutorials.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from doorstep.identity.provisioning import Provisioning
from doorstep.server.accounts.models import Organisation, OrganisationKind, Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import record_sale
from doorstep.server.fleet.models import Device
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.plant import Plant
from doorstep.testing.wifi import SimulatedWifi
from tests.device.office import HOME, Office, give
from tests.server.making import devices, wholesaler
from tests.server.portal.browsing import axe_source, phone, shots_folder, violations
from tests.server.portal.keyboard import follow, log_in_by_keyboard, open_menu, press, tab_to, type_into
from tests.server.portal.world import PASSWORD, World, furnish, person

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_ROLES: Final = ("nats-secure", "nats-plain", "authorizer", "device-api", "ingest", "web")


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """Every role that a device and a browser meet, on the state folder and the database of these tests."""
    with Plant.build(Path(settings.STATE.root), database_url=settings.DOORSTEP.database_url) as plant:
        plant.start(*_ROLES)
        yield plant


@pytest.fixture(scope="module")
def portal(plant: Plant) -> str:
    """Address of this deployment's portal."""
    return plant.settings.base_url


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@contextmanager
def switched_on(*boards: SimulatedDevice) -> Iterator[None]:
    """Run devices in a thread of their own: the browser's loop has this one."""
    over = threading.Event()

    async def live() -> None:
        async with AsyncExitStack() as on:
            for board in boards:
                await on.enter_async_context(board)
            await asyncio.to_thread(over.wait)

    with ThreadPoolExecutor(1) as pool:
        living = pool.submit(asyncio.run, live())
        try:
            yield
        finally:
            over.set()
            living.result()


def _step(page: Page, axe: str, name: str) -> None:
    """Have axe look at the page as it is now, and take its picture where somebody asked for pictures."""
    if folder := shots_folder():
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=folder / f"walk-{name}-phone-light.png", full_page=True)
    found = violations(page, axe)
    assert not found, "\n".join(found)


def _home(name: str) -> User:
    """Somebody who owns a house of their own."""
    house = Organisation.objects.create(name=name, kind=OrganisationKind.CUSTOMER)
    return person(house, Role.OWNER)


def test_customer_walks_from_signing_up_to_handing_over(  # noqa: PLR0913, PLR0917 - fixtures
    chromium: Browser, page: Page, plant: Plant, portal: str, axe: str, tmp_path: Path
) -> None:
    office = Office(plant)
    porch, cellar = office.make_devices(2)
    _sign_up(page, portal, axe)
    _make_a_passkey(page, portal, axe)
    boards = [
        SimulatedDevice(made, tmp_path / name, SimulatedWifi([HOME]))
        for made, name in ((porch, "porch"), (cellar, "cellar"))
    ]
    give(porch, tmp_path / "porch", _token_for(page, axe, "Porch"))
    with switched_on(boards[0]):
        _watch_it_come(page, axe, "Porch")
    open_menu(page, "Devices")
    follow(page, "Only make a token")
    give(cellar, tmp_path / "cellar", _token_for(page, axe, "Cellar"))
    with switched_on(boards[1]):
        _watch_it_come(page, axe, "Cellar")
    colleague, neighbour = _home("A colleague's own"), _home("Next door")
    _invite_into_a_group(page, axe, colleague)
    with phone(chromium) as other:
        _look_as_the_colleague(other, portal, axe, colleague, cellar)
    _offer(page, portal, axe, neighbour)
    with phone(chromium) as theirs:
        _take_over(theirs, portal, axe, neighbour, porch)
    open_menu(page, "Coming and going")
    follow(page, "Porch")
    expect(page.get_by_role("region", name="Newest readings")).to_contain_text("Temperature")
    _step(page, axe, "kept")


def _sign_up(page: Page, portal: str, axe: str) -> None:
    page.goto(f"{portal}/")
    follow(page, "No account yet? Sign up")
    type_into(page, "E-mail address", f"ada-{now_us()}@example.org")
    type_into(page, "Password", PASSWORD)
    type_into(page, "Home or company", "Ada's house")
    _step(page, axe, "sign-up")
    follow(page, "Sign up")
    follow(page, "Outgoing mail")
    follow(page, "Confirm your e-mail address")
    link = page.get_by_role("article").get_by_role("link").first.text_content() or ""
    page.goto(link.strip())
    follow(page, "Yes, it is mine")
    expect(page.get_by_role("heading", name="No devices yet")).to_be_visible()
    _step(page, axe, "empty")


def _make_a_passkey(page: Page, portal: str, axe: str) -> None:
    """Make one, and log in with it alone."""
    wires = page.context.new_cdp_session(page)
    wires.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    wires.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    press(page, "Your account")
    follow(page, "Your account")
    follow(page, "Passkeys and codes")
    follow(page, "Add a passkey")
    _prove(page)
    _step(page, axe, "passkey")
    press(page, "Make the passkey")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert page.locator("main ul.mono li").count() == 10
    press(page, "Your account")
    follow(page, "Log out")
    page.wait_for_url("**/login/**")
    press(page, "Use a passkey")
    page.wait_for_url(f"{portal}/")
    follow(page, "Add your first device")


def _prove(page: Page) -> None:
    """Say that it is still oneself, as before each grave change."""
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    type_into(page, "Password", PASSWORD)
    follow(page, "Go on")


def _token_for(page: Page, axe: str, name: str) -> str:
    type_into(page, "Name", name)
    follow(page, "Make a token")
    expect(page.get_by_role("heading", name=f"Set up {name} now")).to_be_visible()
    _step(page, axe, f"token-{name.lower()}")
    return page.locator("#token").text_content() or ""


def _watch_it_come(page: Page, axe: str, name: str) -> None:
    """The device registers itself, and its page shows what it sends."""
    come = page.locator("#progress-text")
    expect(come).to_have_text(f"{name} has registered. It is yours.")
    follow(page, "Open the device")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.locator("#status")).to_have_text("Live")
    expect(page.locator(".chart .curve").first).to_be_visible()
    _step(page, axe, f"live-{name.lower()}")


def _invite_into_a_group(page: Page, axe: str, colleague: User) -> None:
    open_menu(page, "Groups")
    type_into(page, "Name", "Outside")
    follow(page, "Make the group")
    expect(page.get_by_role("heading", name="No device stands here yet")).to_be_visible()
    type_into(page, "Another device", "Porch")
    follow(page, "Put it into the group")
    expect(page.get_by_role("row", name="Porch")).to_be_visible()
    _step(page, axe, "group")
    follow(page, "Invite somebody")
    _prove(page)
    type_into(page, "E-mail address", colleague.email)
    type_into(page, "Role", "Viewer")
    tab_to(page, "All devices")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Outside")
    page.keyboard.press("Space")
    _step(page, axe, "invite")
    follow(page, "Send the invitation")
    expect(page.get_by_text(f"A mail is on its way to {colleague.email}.")).to_be_visible()


def _look_as_the_colleague(page: Page, portal: str, axe: str, colleague: User, unseen: Provisioning) -> None:
    """One group, and nothing else of the house."""
    log_in_by_keyboard(page, portal, colleague)
    page.goto(f"{portal}/invitations/")
    follow(page, "Accept")
    expect(page.get_by_text("Welcome to Ada's house.")).to_be_visible()
    open_menu(page, "Devices")
    expect(page.get_by_role("row", name="Porch")).to_be_visible()
    expect(page.get_by_role("row", name="Cellar")).to_have_count(0)
    _step(page, axe, "colleague")
    follow(page, "Porch")
    expect(page.locator(".value").first).to_contain_text("°C")
    expect(page.get_by_role("link", name="Hand it over …")).to_have_count(0)
    answer = page.request.get(f"{portal}/devices/{unseen.device_id}/")
    assert answer.status == 404


def _offer(page: Page, portal: str, axe: str, neighbour: User) -> None:
    open_menu(page, "Devices")
    follow(page, "Porch")
    follow(page, "Hand it over …")
    type_into(page, "E-mail address of the new owner", neighbour.email)
    type_into(page, "The readings until then", "Keep")
    type_into(page, "A note for the other side", "It hangs left of the door")
    _step(page, axe, "hand-over")
    follow(page, "Offer it")
    expect(page.locator(".badge")).to_have_text("Offered")


def _take_over(page: Page, portal: str, axe: str, neighbour: User, made: Provisioning) -> None:
    """The new owner accepts, and reads nothing of what the old one did."""
    log_in_by_keyboard(page, portal, neighbour)
    open_menu(page, "Coming and going")
    follow(page, made.serial)
    expect(page.get_by_text("It hangs left of the door")).to_be_visible()
    type_into(page, "Name", "Front door")
    _step(page, axe, "accept")
    follow(page, "Accept")
    open_menu(page, "Devices")
    follow(page, "Front door")
    expect(page.locator("#no-readings")).to_contain_text("None yet.")
    expect(page.locator(".value")).to_have_count(0)
    _step(page, axe, "taken-over")


def test_wholesaler_walks_from_receiving_to_dispatching(page: Page, portal: str, axe: str) -> None:
    shop, branch = wholesaler(), wholesaler()
    number = f"D-{shop.pk}"
    for one, name in ((shop, "Valley shop"), (branch, "Harbour shop")):
        one.name = name
        one.save()
    serials = [one.serial for one in devices(3)]
    record_sale(number, serials, shop, actor="operator", source="api", now_us=now_us(), box="BOX-7")
    log_in_by_keyboard(page, portal, person(shop, Role.OWNER))
    expect(page.get_by_text("on its way")).to_have_count(3)
    _step(page, axe, "stock")
    follow(page, "Receive")
    type_into(page, "Devices", "BOX-7")
    follow(page, "They have come")
    expect(page.get_by_text("3 devices received.")).to_be_visible()
    _step(page, axe, "received")
    follow(page, "Done")
    follow(page, "Dispatch")
    type_into(page, "Devices", f"{serials[1]}\nSN-nobody")
    type_into(page, "E-mail address of the wholesaler", branch.email)
    type_into(page, "Order number", f"{number}-2")
    follow(page, "Dispatch")
    expect(page.get_by_text("1 device dispatched.")).to_be_visible()
    expect(page.get_by_text("1 could not be done.")).to_be_visible()
    expect(page.get_by_label("Devices")).to_have_value("SN-nobody")
    _step(page, axe, "dispatched")
    open_menu(page, "Orders")
    follow(page, f"{number}-2")
    expect(page.get_by_role("row", name=serials[1])).to_contain_text("on its way")
    _step(page, axe, "order")


@pytest.fixture(scope="module")
def disputed() -> World:
    """A deployment with a case in it, which the test decides."""
    return furnish()


def test_staff_walks_from_a_batch_to_a_decision_of_two(
    chromium: Browser, page: Page, portal: str, axe: str, disputed: World
) -> None:
    second = person(disputed.staff.memberships.get().organisation, Role.ADMIN)
    log_in_by_keyboard(page, portal, disputed.staff)
    open_menu(page, "Batches")
    follow(page, disputed.batch.number)
    expect(page.get_by_role("row", name=disputed.unsold.serial)).to_contain_text("Made")
    _step(page, axe, "batch")
    open_menu(page, "Sales")
    follow(page, "Sell")
    type_into(page, "Devices", disputed.unsold.serial)
    type_into(page, "E-mail address of the customer", "bob@example.org")
    type_into(page, "Order number", f"S-{disputed.order}")
    follow(page, "Sell")
    expect(page.get_by_text("1 device sold.")).to_be_visible()
    _step(page, axe, "sold")
    _decide(page, axe, disputed, "Propose to take the device away")
    expect(page.get_by_text("One of you would take it away. Somebody else has to agree.")).to_be_visible()
    _step(page, axe, "proposed")
    expect(page.get_by_role("button", name="Confirm: take the device away")).to_have_count(0)
    with phone(chromium) as other:
        log_in_by_keyboard(other, portal, second)
        _decide(other, axe, disputed, "Confirm: take the device away")
        expect(other.get_by_text("Upheld; an appeal is possible", exact=True)).to_be_visible()
        _step(other, axe, "decided")
    owner = Device.objects.get(pk=disputed.disputed.pk).owner
    assert owner == disputed.owner.memberships.get().organisation, "it moves after the time to appeal"


def _decide(page: Page, axe: str, world: World, button: str) -> None:
    open_menu(page, "Disputes")
    follow(page, f"Case {world.case}")
    expect(page.get_by_role("heading", name="The claimant")).to_be_visible()
    type_into(page, "In your words", "The invoice of the claimant names this serial.")
    follow(page, button)
