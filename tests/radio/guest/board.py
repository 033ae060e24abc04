"""A whole board, the phone that sets it up, and a platform to register at: for proofs of the whole way."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import doorstep.cli.device.run  # noqa: F401 - imported before the fork, not in it
from doorstep.cli.main import main
from doorstep.crypto import p256
from doorstep.identity.ids import new_device_id
from doorstep.identity.provisioning import Provisioning, Servers, SetupVerifier
from doorstep.onboarding.access_point import access_point_key
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.runtime.authority import Authority, create_authority
from tests.device.bench import bench
from tests.radio.guest.lab import Host, until

__all__ = ["BOARD", "Board", "Platform", "make_board", "set_up"]

BOARD: Final = "http://192.168.4.1"
PLATFORM: Final = ("10.1.0.1", "platform")


class Platform:
    """A maker's platform behind the home network's router."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.authority = create_authority(folder / "ca", "Test Maker", now=datetime.now(UTC))
        self._told = folder / "told.json"
        self._folder = folder

    def run(self, router: Host) -> str:
        """Serve on the router until it is reset; returns the device API's address."""
        self._told.unlink(missing_ok=True)
        router.fork(asyncio.run, self._serve())
        until(self._told.exists, "platform")
        return str(self.told["url"])

    @property
    def told(self) -> dict[str, Any]:
        """What it has been asked, and how many messages came."""
        told: dict[str, Any] = json.loads(self._told.read_text())
        return told

    async def _serve(self) -> None:
        async with bench(self.authority, self._folder, PLATFORM) as platform:
            while True:
                told = {"url": platform.url, "asked": platform.asked, "published": len(platform.published)}
                fresh = self._told.with_suffix(".fresh")
                fresh.write_text(json.dumps(told))
                fresh.replace(self._told)
                await asyncio.sleep(0.2)


@dataclass
class Board:
    """One made device on a host, its label, and its memory."""

    host: Host
    made: Provisioning
    label: SetupLabel
    folder: Path

    @property
    def key(self) -> str:
        """The access point's key, as the label says."""
        return access_point_key(self.made.setup.verifier)

    def switch_on(self, *arguments: str) -> BaseProcess:
        """Run ``doorstep device run`` with arguments; ``kill()`` is a power cut."""
        file = self.folder.parent / "provisioning.json"
        file.write_bytes(self.made.to_json())
        command = ["doorstep", "device", "run", "--state", str(self.folder), "--provisioning", str(file)]
        return self.host.fork(_run, [*command, "--json", "--plain", "--interval", "1", *arguments])

    def notices(self, **wanted: object) -> list[dict[str, Any]]:
        """Return what the agent said, of all its runs, where it has these fields."""
        lines = [line for line in self.host.said("forked").splitlines() if line.startswith("{")]
        told = [json.loads(line) for line in lines]
        return [notice for notice in told if notice.items() >= wanted.items()]

    def reached(self, state: str, seconds: float = 60) -> None:
        """Wait until the agent is, or was, in a state of its life."""
        until(lambda: self.notices(state=state), f"agent in {state}", seconds)


def make_board(host: Host, authority: Authority, folder: Path) -> Board:
    """Make a device as the factory does."""
    folder.mkdir(parents=True)
    code, key = generate(os.urandom), p256.generate(os.urandom)
    name = new_device_id(os.urandom)
    idevid = authority.issue_idevid(
        key.public_key, device_id=name, device_serial=f"SN-{name}", now=datetime.now(UTC)
    )
    service = f"PROV_{name[:12]}"
    made = Provisioning(
        device_id=name,
        serial=f"SN-{name}",
        product="plug",
        hardware_id=None,
        private_key=key.to_pem().decode(),
        certificate_chain=(idevid.pem + authority.factory.certificate.pem).decode(),
        trust_anchor=authority.root.pem.decode(),
        root_key=os.urandom(32),
        setup=SetupVerifier(service, code.username, code.salt, code.verifier),
        servers=Servers("https://platform:8443", "platform", 8883, 1883),
    )
    return Board(host, made, SetupLabel(service, code.username, code.pop), folder / "state")


def set_up(phone: Host, board: Board, act: Callable[[Provisioner], Awaitable[None]]) -> list[str]:
    """Have a phone open a session with the board and act in it; returns the steps that it was told."""
    steps: list[str] = []

    async def main() -> None:
        app = Provisioner(HttpLink(BOARD), board.label, tell=lambda step: steps.append(step.key))
        async with app:
            await app.secure()
            await act(app)

    phone.inside(asyncio.run, main())
    return steps


def _run(arguments: list[str]) -> None:
    sys.argv = arguments
    main()
