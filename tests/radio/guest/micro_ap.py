"""The board's own access point: a phone sets the board up through it, and one radio hops."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from doorstep.device.store import Store, Ticket
from doorstep.device.wifi.access_point import AccessPointPlan, SupplicantAccessPoint
from doorstep.device.wifi.addressing import Addressing
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.provisioner import Provisioner
from tests.radio.guest.board import Board, Platform, make_board, set_up
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, until, wpa2

SECONDS: Final = 50.0
HOME: Final = NetworkCredentials(b"home", PASSPHRASE.encode())
WRONG: Final = NetworkCredentials(b"home", b"not the password")
TOKEN: Final = b"A" * 43


def by_supplicant(lab: Lab) -> list[str]:
    """Start the board's wpa_supplicant and return the agent's arguments for it."""
    lab.device.supplicant()
    folder = str(lab.device.control.parent)
    return ["--wifi", "wpa-supplicant", "--interface", lab.device.interface, "--control-folder", folder]


def home(lab: Lab) -> tuple[Platform, str]:
    """Have the home network, and the platform behind its router."""
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    platform = Platform(Path(mkdtemp()) / "maker")
    return platform, platform.run(lab.router)


def new_board(lab: Lab, platform: Platform) -> Board:
    return make_board(lab.device, platform.authority, Path(mkdtemp()) / "board")


def visit(lab: Lab, board: Board, key: str) -> dict[str, str]:
    """Have the phone join the board's access point; returns what it was told with its address."""
    board.reached("waiting")
    until(lambda: board.notices(notice="SetupOpened"), "open set-up")
    lab.phone.join(board.label.name, key)
    return lab.phone.dhcp_client()


def set_up_with_one_mistake(lab: Lab, board: Board, platform: Platform, url: str) -> list[str]:
    """The phone delivers the order, mistypes the password, types it right, and asks the platform."""
    heard: list[bytes] = []

    async def seen() -> bool:
        return bool(platform.told["published"])

    async def act(app: Provisioner) -> None:
        heard.extend(entry.ssid for entry in await app.networks())
        await app.deliver(RegistrationOrder(TOKEN, url))
        assert await app.join(WRONG) is Step.WRONG_PASSWORD
        step = await app.join(HOME, patience=8)
        await asyncio.to_thread(until, lambda: platform.told["published"], "reading at the platform", 60)
        outcome = await app.confirm(step, seen, patience=1)
        assert outcome.platform_saw_it

    steps = set_up(lab.phone, board, act)
    assert b"home" in heard
    assert not board.notices(notice="JoinFailed")
    return steps


def proof_phone_sets_board_up_on_its_wpa2_access_point(lab: Lab) -> str:
    platform, url = home(lab)
    board = new_board(lab, platform)
    board.switch_on("--access-point", "wpa2", *by_supplicant(lab))
    lease = visit(lab, board, board.key)
    assert lease["ip"].startswith("192.168.4.")
    assert (lease["router"], lease["dns"]) == ("192.168.4.1", "192.168.4.1")
    steps = set_up_with_one_mistake(lab, board, platform, url)
    board.reached("operating")
    assert json.loads((board.folder / "network.json").read_text())["ssid"]
    assert "mode=AP" not in lab.device.wpa_cli("status")
    return " ".join(steps)


def proof_phone_is_told_the_set_up_page_with_its_address(lab: Lab) -> str:
    page = "https://192.168.4.1/captive"
    lab.device.supplicant()
    plan = AccessPointPlan(b"lamp \xc3\xbc", PASSPHRASE.encode(), portal=page)
    lab.device.fork(asyncio.run, _be_point(lab.device, plan))
    lab.phone.join("lamp \xfc", PASSPHRASE)
    lease = lab.phone.dhcp_client()
    assert bytes.fromhex(lease["opt114"]).decode() == page, lease  # udhcpc has no name for it
    assert " 0% packet loss" in lab.phone.run("ping -c 1 -W 3 192.168.4.1")
    return lease["ip"]


async def _be_point(board: Host, plan: AccessPointPlan) -> None:
    await SupplicantAccessPoint(board.control, Addressing(board.interface), plan).start()
    await asyncio.Event().wait()


def proof_stranger_without_the_key_stays_outside(lab: Lab) -> None:
    platform = Platform(Path(mkdtemp()) / "maker")
    board = new_board(lab, platform)
    board.switch_on("--access-point", "wpa2", *by_supplicant(lab))
    until(lambda: board.notices(notice="SetupOpened"), "open set-up")
    lab.phone.supplicant(f'network={{\nssid="{board.label.name}"\npsk="not the password"\n}}\n')
    until(lambda: "WRONG_KEY" in lab.phone.said("wpa_supplicant"), "refusal")


def proof_phone_sets_board_up_on_its_open_access_point(lab: Lab) -> None:
    platform, url = home(lab)
    board = new_board(lab, platform)
    board.switch_on("--access-point", "open", *by_supplicant(lab))
    visit(lab, board, "")

    async def act(app: Provisioner) -> None:
        await app.deliver(RegistrationOrder(TOKEN, url))
        await app.join(HOME, patience=5)

    set_up(lab.phone, board, act)
    board.reached("operating")


def proof_board_rejoins_when_the_router_returns_after_a_power_cut(lab: Lab) -> str:
    return rejoin_after_a_power_cut(lab, by_supplicant)


def rejoin_after_a_power_cut(lab: Lab, start_radio: Callable[[Lab], list[str]]) -> str:
    """The power goes for all; the board is back before its router, and tries until that is there."""
    platform, url = home(lab)
    board = new_board(lab, platform)
    store = Store.open(board.folder)
    store.adopt(board.made)
    store.keep_network(HOME)
    store.keep_ticket(Ticket(TOKEN.decode(), url))
    store.close()
    running = board.switch_on("--access-point", "wpa2", *start_radio(lab))
    board.reached("operating")
    running.kill()
    lab.device.reset()
    lab.router.reset()
    board.switch_on("--access-point", "wpa2", *start_radio(lab))
    until(lambda: len(board.notices(event="JoinFailed")) >= 2, "two attempts in vain", 90)
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    platform.run(lab.router)
    until(lambda: board.notices(state="online")[1:], "board on its network again", 90)
    assert store.network() == HOME
    return f"{len(board.notices(event='JoinFailed'))} attempts in vain"
