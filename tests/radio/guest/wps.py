"""WPS over the air: the board's door and the router's side of ours, against hostapd and wpa_supplicant."""

import asyncio
from typing import Final

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.wps import WpsDoor
from doorstep.device.wifi.addressing import Addressing
from doorstep.device.wifi.registrar import WpsRegistrar
from doorstep.device.wifi.wpa_supplicant import WpaSupplicantStation
from doorstep.onboarding.joining import JoinState
from doorstep.onboarding.network import Joined
from doorstep.onboarding.wps.failures import Overlap, PinIsOff, WrongPin
from tests.radio.guest.lab import PASSPHRASE, Lab, LabError, until, wpa2
from tests.radio.guest.wifi_station import at

SECONDS: Final = 15.0

WPS: Final = (
    "eap_server=1\nwps_state=2\ndevice_name=router\nuuid=12345678-9abc-def0-1234-56789abcdef0\n"
    "config_methods=label virtual_display virtual_push_button keypad\n"
)


def _station(lab: Lab) -> WpaSupplicantStation:
    return WpaSupplicantStation(lab.device.control, Addressing(lab.device.interface))


def _serve(lab: Lab, more: str = "") -> None:
    lab.router.serve("home", wpa2(), WPS + more)
    lab.router.dhcp_server()
    lab.device.supplicant()


def proof_board_joins_after_both_buttons(lab: Lab) -> str:
    _serve(lab)
    return _press_both(lab)


def _press_both(lab: Lab) -> str:
    async def press_both() -> str:
        joiner = Joiner(_station(lab))
        async with (
            WpsDoor(lab.device.control, joiner) as door,
            WpsRegistrar(lab.router.hostapd_control) as router,
        ):
            outcome, address = await asyncio.gather(door.press(), router.press())
        assert isinstance(outcome, Joined), outcome
        assert address.hex(":") == lab.device.mac
        onboarded = await joiner.wait_connected()
        assert (onboarded.network.ssid, onboarded.network.passphrase) == (b"home", PASSPHRASE.encode())
        return outcome.ip4_addr

    return at(lab.device, press_both())


def proof_board_joins_by_the_pin_that_it_shows(lab: Lab) -> str:
    _serve(lab)

    async def type_pin() -> str:
        shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        joiner = Joiner(_station(lab))
        door = WpsDoor(lab.device.control, joiner, pin_allowed=True)
        router = WpsRegistrar(lab.router.hostapd_control, pin_allowed=True)
        async with door, router:
            joining = asyncio.create_task(door.type_pin(shown.set_result))
            pin = await shown
            await router.take_pin(f"{pin[:4]} {pin[4:]}")
            assert isinstance(await joining, Joined)
        return f"PIN {len(pin)} digits"

    return at(lab.device, type_pin())


def proof_board_refuses_the_pin_unless_allowed(lab: Lab) -> None:
    lab.device.supplicant()

    async def try_it() -> None:
        async with WpsDoor(lab.device.control, Joiner(_station(lab))) as door:
            try:
                await door.type_pin(lambda _pin: None)
            except PinIsOff:
                return
        raise LabError("the PIN was on")

    at(lab.device, try_it())


def proof_two_boards_in_one_window_get_nothing(lab: Lab) -> str:
    _serve(lab)
    lab.phone.supplicant()

    async def press_three() -> str:
        joiner = Joiner(_station(lab))
        async with (
            WpsDoor(lab.device.control, joiner) as door,
            WpsRegistrar(lab.router.hostapd_control) as router,
        ):
            lab.phone.wpa_cli("wps_pbc")
            board = asyncio.create_task(door.press())
            await asyncio.sleep(3)
            failures = await asyncio.gather(router.press(), return_exceptions=True)
            board.cancel()
            await asyncio.gather(board, return_exceptions=True)
        assert isinstance(failures[0], Overlap), failures
        assert joiner.joining.state is JoinState.IDLE
        return failures[0].next_step

    return at(lab.device, press_three())


def proof_router_refuses_a_wrong_pin(lab: Lab) -> str:
    _serve(lab)

    async def mistype() -> str:
        joiner = Joiner(_station(lab))
        door = WpsDoor(lab.device.control, joiner, pin_allowed=True)
        router = WpsRegistrar(lab.router.hostapd_control, pin_allowed=True)
        async with door, router:
            board = asyncio.create_task(door.type_pin(lambda _pin: None))
            (failure,) = await asyncio.gather(router.take_pin("12345670"), return_exceptions=True)
            (told,) = await asyncio.gather(asyncio.wait_for(board, 20), return_exceptions=True)
        assert isinstance(failure, WrongPin), failure
        assert isinstance(told, WrongPin), told
        assert joiner.joining.state is JoinState.IDLE
        return f"both sides: {failure}"

    return at(lab.device, mistype())


def proof_router_that_a_stranger_locked_still_takes_the_button(lab: Lab) -> str:
    """The stranger guesses at the access point's own PIN until hostapd takes none any more."""
    _serve(lab, "ap_pin=12345670\n")
    lab.phone.supplicant()
    for pin in ("00000000", "11111118", "22222226", "33333334"):
        lab.phone.wpa_cli(f"wps_reg {lab.router.mac} {pin}")
        until(lambda: "WPS-FAIL" in lab.phone.said("wpa_supplicant") or _locked(lab), "refusal")
    until(lambda: _locked(lab), "locked router")
    lab.phone.reset()
    return f"locked; then {_press_both(lab)}"


def _locked(lab: Lab) -> bool:
    return "WPS-AP-SETUP-LOCKED" in lab.router.said("hostapd")
