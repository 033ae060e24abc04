"""That the laboratory itself is what the other proofs take it for."""

import socket
from typing import Final

from tests.radio.guest.lab import PASSPHRASE, Lab, until, wpa2

SECONDS: Final = 10.0


def proof_station_joins_access_point_and_gets_an_address(lab: Lab) -> str:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    lab.phone.join("home", PASSPHRASE)
    lease = lab.phone.dhcp_client()
    assert lease["ip"].startswith("10.1.0.")
    assert " 0% packet loss" in lab.phone.run("ping -c 2 -W 3 10.1.0.1")
    assert lab.phone.mac in lab.router.hostapd_cli("all_sta")
    return f"{lab.phone.status()['key_mgmt']}, {lease['ip']}"


def proof_hosts_share_nothing_but_the_air(lab: Lab) -> None:
    def listen() -> int:
        with socket.create_server(("127.0.0.1", 4711)):
            return lab.phone.inside(_reaches, ("127.0.0.1", 4711))

    assert lab.device.inside(listen) != 0


def proof_forked_program_lives_in_its_host_until_killed(lab: Lab) -> None:
    child = lab.device.fork(_serve_for_ever)
    until(lambda: lab.device.inside(_reaches, ("127.0.0.1", 4712)) == 0, "forked server")
    child.kill()
    child.join()
    assert lab.device.inside(_reaches, ("127.0.0.1", 4712)) != 0


def _serve_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 4712)) as server:
        while True:
            server.accept()[0].close()


def _reaches(address: tuple[str, int]) -> int:
    with socket.socket() as client:
        return client.connect_ex(address)
