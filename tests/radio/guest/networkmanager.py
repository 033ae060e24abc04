"""The board's Wi-Fi by NetworkManager: the same ways to join, and its access point."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from doorstep.device.wifi.networkmanager import NetworkManagerStation
from doorstep.onboarding.network import (
    EapMethod,
    Enterprise,
    Joined,
    JoinFailure,
    JoinOutcome,
    NetworkCredentials,
    StaticAddress,
)
from doorstep.wire.provisioning.scan import AuthMode, ScanStart
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, sh, until, wpa2
from tests.radio.guest.micro_ap import (
    HOME,
    WRONG,
    home,
    new_board,
    rejoin_after_a_power_cut,
    set_up_with_one_mistake,
    visit,
)
from tests.radio.guest.wifi_station import at, der, make_pki, serve_enterprise

SECONDS: Final = 50.0
BUS: Final = Path("/run/dbus/system_bus_socket")


def start_networkmanager(board: Host) -> None:
    """Start what a desktop's system has running: D-Bus, wpa_supplicant, NetworkManager."""
    sh("mkdir -p /run/dbus; rm -f /run/dbus/*")
    board.start("dbus-daemon --system --nofork --nopidfile")
    until(BUS.exists, "D-Bus")
    board.start("wpa_supplicant -u -s")
    # As in a container: where /sys is read-only, NetworkManager takes links as they are, without udev.
    board.start('sh -c "mount -o remount,ro /sys; exec NetworkManager --debug"', "NetworkManager")
    managed = f"{board.interface}:wifi:disconnected"
    until(lambda: managed in board.run("nmcli -t -f DEVICE,TYPE,STATE device", check=False), "managed radio")


def by_networkmanager(lab: Lab) -> list[str]:
    """Start NetworkManager and return the agent's arguments for it."""
    start_networkmanager(lab.device)
    return ["--wifi", "networkmanager", "--interface", lab.device.interface]


def join(lab: Lab, *networks: NetworkCredentials) -> list[JoinOutcome]:
    start_networkmanager(lab.device)
    radio = NetworkManagerStation(lab.device.interface)

    async def tries() -> list[JoinOutcome]:
        return [await radio.try_connect(network) for network in networks]

    return at(lab.device, tries())


def proof_board_joins_after_a_wrong_password(lab: Lab) -> str:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    wrong, right, again = join(lab, WRONG, HOME, HOME)
    assert wrong is JoinFailure.WRONG_PASSWORD, wrong
    assert isinstance(right, Joined), right
    assert right.ip4_addr.startswith("10.1.0.1")
    assert (right.auth, right.channel, right.bssid.hex(":")) == (AuthMode.WPA2, 6, lab.router.mac)
    assert again == right
    assert "doorstep" not in lab.device.run("ls /etc/NetworkManager/system-connections", check=False)
    heard = at(lab.device, NetworkManagerStation(lab.device.interface).scan(ScanStart()))
    assert b"home" in {entry.ssid for entry in heard}
    return right.ip4_addr


def proof_board_joins_hidden_network_with_a_fixed_address(lab: Lab) -> None:
    lab.router.serve("hid\xfcden \xff", wpa2(), "ignore_broadcast_ssid=1\n")
    lab.router.address("10.1.0.1/24")
    static = StaticAddress("10.1.0.77/24", "10.1.0.1", ("10.1.0.1",))
    (outcome,) = join(lab, NetworkCredentials("hid\xfcden \xff".encode(), PASSPHRASE.encode(), static=static))
    assert isinstance(outcome, Joined), outcome
    assert outcome.ip4_addr == "10.1.0.77"
    assert "default via 10.1.0.1" in lab.device.run("ip route")


def proof_board_joins_wpa3_after_a_wrong_password(lab: Lab) -> None:
    lab.router.serve(
        "home", f"wpa=2\nwpa_key_mgmt=SAE\nieee80211w=2\nrsn_pairwise=CCMP\nsae_password={PASSPHRASE}\n"
    )
    lab.router.dhcp_server()
    wrong, right = join(lab, WRONG, HOME)
    assert wrong is JoinFailure.WRONG_PASSWORD, wrong
    assert isinstance(right, Joined), right


def proof_board_says_that_network_gives_no_address_or_is_not_there(lab: Lab) -> None:
    lab.router.serve("home", wpa2())
    missing, silent = join(lab, NetworkCredentials(b"elsewhere", PASSPHRASE.encode()), HOME)
    assert missing is JoinFailure.NO_SUCH_NETWORK, missing
    assert silent is JoinFailure.NO_ADDRESS, silent


def proof_board_joins_enterprise_network(lab: Lab) -> None:
    pki = Path(mkdtemp())
    make_pki(pki)
    serve_enterprise(lab.router, pki)
    lab.router.dhcp_server()
    ca = der(pki / "ca.pem", "x509")
    own, key = der(pki / "lamp.pem", "x509"), der(pki / "lamp.key", "pkey")
    ways = (
        Enterprise(EapMethod.PEAP, "lamp", ca, "radius.example", "pass ä word".encode()),
        Enterprise(EapMethod.TTLS, "plug", ca, password=b"plain"),
        Enterprise(EapMethod.TLS, "lamp-7", ca, certificate=own, private_key=key),
    )
    outcomes = join(lab, *(NetworkCredentials(b"office", enterprise=way) for way in ways))
    assert all(isinstance(outcome, Joined) for outcome in outcomes), outcomes


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
