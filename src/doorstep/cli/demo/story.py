"""The demo's story, chapter by chapter. Every step goes through the door that its actor would use."""

import asyncio
import csv
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from doorstep.cli.demo.board import Board, Stage
from doorstep.cli.demo.thief import try_photographed_label
from doorstep.cli.running import Platform
from doorstep.cli.subcommand import run_json
from doorstep.device.life import State
from doorstep.device.notices import AskedToShowItself
from doorstep.errors import UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.runtime.settings import Settings
from doorstep.testing.customer import Customer
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi

__all__ = ["DEVICES", "Check", "Story", "Summary"]

DEVICES: Final = 20
_AT_ONCE: Final = 8
"""Devices set up side by side."""
_PATIENCE_S: Final = 60.0
_QUIET_S: Final = 4.0
"""How long a revoked device is watched; it would send every second."""
_NETWORK: Final = SimulatedNetwork(b"Home", b"correct horse battery staple")
_CUSTOMER: Final = "customer@example.com"
_THIEF: Final = "thief@example.com"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and what was seen."""

    what: str
    passed: bool
    seen: str


@dataclass(slots=True)
class Summary:
    """What the demo saw."""

    portal: str
    seconds: float
    logins: dict[str, str] = field(repr=False)
    checks: list[Check] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """Names of the checks that did not hold."""
        return [check.what for check in self.checks if not check.passed]

    @property
    def passed(self) -> bool:
        """Whether all held."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class _Made:
    """One device of the batch as the factory hands it out."""

    provisioning: Provisioning
    label: SetupLabel

    @property
    def serial(self) -> str:
        return self.provisioning.serial

    @property
    def device_id(self) -> str:
        return self.provisioning.device_id


class Story:
    """Tells the life of twenty devices on a running platform."""

    def __init__(self, settings: Settings, platform: Platform, board: Board) -> None:
        self._settings = settings
        self._state = platform.state
        self._board = board
        self._began = time.monotonic()
        self._checks: list[Check] = []
        password = secrets.token_hex(6)
        self._passwords = {_CUSTOMER: f"customer-{password}", _THIEF: f"thief-{password}"}
        self._staff = platform.staff

    async def run(self, tell: Callable[[Summary], None], *, leave: bool) -> Summary:
        """Play all chapters; without ``leave`` go on until the task is cancelled."""
        async with AsyncExitStack() as stack:
            with self._board.shown():
                made = await asyncio.to_thread(self._manufacture)
                await asyncio.to_thread(self._sell, made)
                customer = stack.enter_context(
                    await asyncio.to_thread(self._sign_up, _CUSTOMER, "Example Home")
                )
                devices = [await stack.enter_async_context(self._simulated(one)) for one in made]
                await self._set_up(made, devices, customer)
                await self._watch_readings(made, customer)
                await self._command(made[0], devices[0], customer)
                await self._refuse_the_thief(made[0], customer)
                await self._revoke(made[-1], devices[-1], customer)
            summary = self._summary()
            tell(summary)
            if not leave:
                self._invite(summary)
                await asyncio.Event().wait()
        return summary

    def _manufacture(self) -> list[_Made]:
        self._board.begin(f"Factory: {DEVICES} devices with keys, certificates and labels")
        run_json("product", "add", "thermo", "--name", "Thermo One")
        folder = self._state.root.parent / "batch"
        result = run_json(
            "factory", "batch", "--product", "thermo", "--count", str(DEVICES), "--out", str(folder), "--yes"
        )
        made = _read_batch(folder)
        for one in made:
            self._board.put(one.serial, Stage.MADE)
        self._board.end(f"batch {result['batch_id']}, {result['devices_per_s']} devices/s")
        return made

    def _sell(self, made: Sequence[_Made]) -> None:
        self._board.begin("ERP: the order is sold to the customer")
        key = run_json("account", "api-key", "--name", "ERP", "--scope", "maker:sales:write")["key"]
        answer = httpx.post(
            f"{self._settings.base_url}/api/v1/sales",
            json={"order": "A-1001", "serials": [one.serial for one in made], "buyer": {"email": _CUSTOMER}},
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "order-A-1001"},
            timeout=30,
            trust_env=False,
        )
        if not answer.is_success:
            raise UnavailableError(f"the sale was not stored: {answer.status_code} {answer.text[:200]}")
        for one in made:
            self._board.put(one.serial, Stage.SOLD)
        self._board.end(f"order A-1001, {len(made)} serials")

    def _sign_up(self, address: str, organisation: str) -> Customer:
        self._board.begin(f"Portal: {address} signs up and confirms the mail")
        customer = Customer(self._settings.base_url, address, self._passwords[address], self._state.mail)
        customer.sign_up(organisation)
        self._board.end(f"organisation “{organisation}”")
        return customer

    def _simulated(self, one: _Made) -> SimulatedDevice:
        folder = self._state.root.parent / "devices" / one.device_id
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        return SimulatedDevice(one.provisioning, folder, SimulatedWifi([_NETWORK]))

    async def _set_up(
        self, made: Sequence[_Made], devices: Sequence[SimulatedDevice], customer: Customer
    ) -> None:
        self._board.begin("Set-up: each device gets Wi-Fi and a token over an encrypted session")
        began = time.monotonic()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one_by_one(one: _Made, device: SimulatedDevice, number: int) -> bool:
            async with gate:
                return await self._set_up_one(one, device, customer, f"Room {number}")

        results = await asyncio.gather(
            *(
                one_by_one(one, device, n)
                for n, (one, device) in enumerate(zip(made, devices, strict=True), 1)
            )
        )
        seen = f"{sum(results)}/{len(made)} registered themselves in {time.monotonic() - began:.1f} s"
        self._board.end(seen)
        self._check("devices registered", sum(results) == len(made), seen)

    async def _set_up_one(self, one: _Made, device: SimulatedDevice, customer: Customer, alias: str) -> bool:
        token = await asyncio.to_thread(customer.make_token, alias)
        url = f"http://127.0.0.1:{await device.setup_port()}"
        order = RegistrationOrder(token.encode(), self._settings.device_api_url, alias)

        async def platform_saw_it() -> bool:
            return await asyncio.to_thread(customer.owns, one.device_id)

        async with Provisioner(HttpLink(url), one.label, pause=0.3) as phone:
            await phone.secure()
            await phone.networks()
            await phone.deliver(order)
            joined = await phone.join(NetworkCredentials(_NETWORK.ssid, _NETWORK.passphrase))
            self._board.put(one.serial, Stage.ON_WIFI)
            outcome = await phone.confirm(joined, platform_saw_it)
        if outcome.succeeded:
            self._board.put(one.serial, Stage.REGISTERED)
        return outcome.succeeded

    async def _watch_readings(self, made: Sequence[_Made], customer: Customer) -> None:
        self._board.begin("Readings: sealed by the device, opened by ingest, shown in the portal")
        deadline = time.monotonic() + _PATIENCE_S
        waiting = {one.device_id: one for one in made}
        while waiting and time.monotonic() < deadline:
            for one in list(waiting.values()):
                rows = await asyncio.to_thread(customer.readings, one.device_id, 4)
                if rows:
                    del waiting[one.device_id]
                    self._board.put(one.serial, Stage.SENDING)
                    self._board.show_value(one.serial, _temperature(rows))
            await asyncio.sleep(0.2)
        seen = f"{len(made) - len(waiting)}/{len(made)} devices with readings in the portal's API"
        self._board.end(seen)
        self._check("readings in the portal", not waiting, seen)

    async def _command(self, one: _Made, device: SimulatedDevice, customer: Customer) -> None:
        self._board.begin("Command: the owner asks one device to show itself")
        path = f"/devices/{one.device_id}/commands"
        asked = await asyncio.to_thread(customer.post, path, {"name": "identify"})
        answer, deadline = asked, time.monotonic() + _PATIENCE_S
        while answer["closed_us"] is None and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            answer = await asyncio.to_thread(customer.get, f"{path}/{asked['command_id']}")
        shown = sum(isinstance(notice, AskedToShowItself) for notice in device.notices)
        took = ((answer["closed_us"] or asked["asked_us"]) - asked["asked_us"]) / 1000
        seen = f"{answer['state']} after {took:.0f} ms, carried out {shown} times".replace("1 times", "once")
        self._board.end(seen)
        self._check("command carried out", answer["state"] == "acknowledged" and shown == 1, seen)

    async def _refuse_the_thief(self, victim: _Made, customer: Customer) -> None:
        self._board.begin("Thief: somebody photographed a label and tries to register the device")
        with await asyncio.to_thread(self._sign_up_quietly, _THIEF) as thief:
            token = await asyncio.to_thread(thief.make_token, "mine now")
            refusal = await try_photographed_label(victim.provisioning, self._settings.device_api_url, token)
            owned = await asyncio.to_thread(customer.owns, victim.device_id)
            stolen = await asyncio.to_thread(thief.owns, victim.device_id)
        refused = refusal is not None and owned and not stolen
        seen = f"“{refusal}” The owner still has it." if refused else "NOT REFUSED"
        self._board.end(seen)
        self._check("photographed label refused", refused, seen)

    def _sign_up_quietly(self, address: str) -> Customer:
        thief = Customer(self._settings.base_url, address, self._passwords[address], self._state.mail)
        thief.sign_up("Elsewhere")
        return thief

    async def _revoke(self, one: _Made, device: SimulatedDevice, customer: Customer) -> None:
        self._board.begin("Revocation: one device is blocked while it sends")
        asked = await asyncio.to_thread(customer.revoke, one.device_id, "demo: reported stolen")
        done = asked
        deadline = time.monotonic() + _PATIENCE_S
        while done["purged_us"] is None and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            done = await asyncio.to_thread(customer.revoke, one.device_id, "demo: reported stolen")
        self._board.put(one.serial, Stage.REVOKED)
        before = await asyncio.to_thread(customer.readings, one.device_id, 1)
        await asyncio.sleep(_QUIET_S)
        after = await asyncio.to_thread(customer.readings, one.device_id, 1)
        silent = done["purged_us"] is not None and before == after
        cut_off = device.state is not State.OPERATING
        took = (done["purged_us"] or done["asked_us"]) - done["asked_us"]
        seen = f"finished {took / 1000:.0f} ms after the click, then silent for {_QUIET_S:.0f} s"
        self._board.end(seen if silent and cut_off else "STILL HEARD")
        self._check("revoked device silent", silent and cut_off, seen)

    def _check(self, what: str, passed: bool, seen: str) -> None:  # noqa: FBT001 - what every check has
        self._checks.append(Check(what, passed, seen))

    def _summary(self) -> Summary:
        logins = {_CUSTOMER: self._passwords[_CUSTOMER]}
        if self._staff is not None:
            logins[self._staff[0]] = self._staff[1]
        return Summary(
            self._settings.base_url, round(time.monotonic() - self._began, 1), logins, self._checks
        )

    def _invite(self, summary: Summary) -> None:
        say = self._board.console.print
        say(f"\n[bold green]Look around:[/] [bold]{summary.portal}[/]\n")
        for address, password in summary.logins.items():
            say(f"  {address:<28} password  [bold]{password}[/]", highlight=False)
        say(f"  mail that was sent             {summary.portal}/developer/")
        say("\nThe devices go on sending. Ctrl-C ends the demo and removes its folder.", highlight=False)


def _read_batch(folder: Path) -> list[_Made]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels: Mapping[str, str] = {row["serial"]: row["setup"] for row in csv.DictReader(file)}
    files = sorted((folder / "devices").glob("*.json"))
    made = [Provisioning.from_json(path.read_bytes()) for path in files]
    return [_Made(one, SetupLabel.decode(labels[one.serial])) for one in made]


def _temperature(rows: Sequence[Mapping[str, Any]]) -> str:
    value = next((row["value"] for row in reversed(rows) if row["name"] == "temperature"), None)
    return "" if value is None else f"{value} °C"
