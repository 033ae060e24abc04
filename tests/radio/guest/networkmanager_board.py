"""A whole board whose Wi-Fi is NetworkManager's: its access point, and the way back after a power cut."""

from typing import Final

from tests.radio.guest.lab import Lab
from tests.radio.guest.micro_ap import (
    home,
    new_board,
    rejoin_after_a_power_cut,
    set_up_with_one_mistake,
    visit,
)
from tests.radio.guest.networkmanager import by_networkmanager

SECONDS: Final = 75.0


def proof_phone_sets_board_up_on_its_wpa2_access_point(lab: Lab) -> str:
    platform, url = home(lab)
    board = new_board(lab, platform)
    board.switch_on("--access-point", "wpa2", *by_networkmanager(lab))
    visit(lab, board, board.key)
    steps = set_up_with_one_mistake(lab, board, platform, url)
    board.reached("operating")
    return " ".join(steps)


def proof_board_rejoins_when_the_router_returns_after_a_power_cut(lab: Lab) -> str:
    return rejoin_after_a_power_cut(lab, by_networkmanager)
