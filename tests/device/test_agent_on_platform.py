"""The real agent against the real broker, authorizer, device API and ingest of a private deployment."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.life import Blocked, ClaimSetAside, RegistrationHeld, RegistrationRefused, Renewed, State
from doorstep.device.notices import AskedToShowItself, Moved, Notice, ReadingsSent, sentence
from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning, SetupVerifier
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.link import SessionLost
from doorstep.provisioner.provisioner import ONLINE, Provisioner
from doorstep.provisioner.singletouch import KnownDevice, SingleTouch
from doorstep.testing.device import SimulatedDevice
from doorstep.testing.plant import Plant, migrate
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire import senml
from tests.device.office import HOME, Office, give
from tests.wait import until

pytestmark = pytest.mark.slow

TWINS = (False, True) if os.environ.get("DOORSTEP_TEST_CLONES") == "both" else (False,)
"""Without TLS as well only when asked for: the road is the same, and half a minute long."""
ROLES = ("nats-secure", "nats-plain", "authorizer", "device-api", "ingest", "downlink")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Plant.build(tmp_path_factory.mktemp("platform") / "state") as plant:
        migrate(plant)
        plant.start(*ROLES)
        yield Office(plant)


@pytest.fixture
def made(office: Office) -> Provisioning:
    return office.make_devices(1)[0]


def device_with(
    made: Provisioning, folder: Path, token: str | None, *, plain: bool = False
) -> SimulatedDevice:
    """A device whose Wi-Fi was set up, with a token or without."""
    give(made, folder, token)
    return SimulatedDevice(made, folder, SimulatedWifi([HOME]), plain=plain, interval_s=0.2, notify=show)


def show(notice: Notice) -> None:
    """Leave the story in the test's report."""
    if not isinstance(notice, ReadingsSent):
        print(sentence(notice))  # noqa: T201 - pytest shows it when a test fails


def said(device: SimulatedDevice, kind: type) -> str:
    """The sentence for the last event of a kind."""
    told = [notice for notice in device.notices if isinstance(notice, Moved) and type(notice.event) is kind]
    assert told, [sentence(notice) for notice in device.notices]
    return sentence(told[-1])


def run(main: Callable[[], Awaitable[None]], timeout_s: float = 30) -> None:
    async def limited() -> None:
        async with asyncio.timeout(timeout_s):
            await main()

    asyncio.run(limited())


def stored(office: Office, device: str) -> list[tuple[int, int]]:
    """Epoch and sequence number of every stored message of a device."""
    rows = office.rows(
        "SELECT epoch, seq FROM message WHERE device_id = (SELECT id FROM device WHERE device_id = ?)"
        " ORDER BY epoch, seq",
        device,
    )
    return [(int(epoch), int(seq)) for epoch, seq in rows]


def dead(office: Office, device: str) -> list[str]:
    """Reasons of the dead letters of a device."""
    rows = office.rows("SELECT reason FROM dead_letter WHERE device_id = ? ORDER BY id", device)
    return [str(reason) for (reason,) in rows]


async def until_stored(office: Office, device: str, count: int) -> None:
    while len(await asyncio.to_thread(stored, office, device)) < count:  # noqa: ASYNC110 - a database tells nobody
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("plain", [False, True], ids=["mTLS", "plain"])
def test_device_registers_and_its_readings_are_stored(
    office: Office, made: Provisioning, tmp_path: Path, *, plain: bool
) -> None:
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        async with device_with(made, tmp_path / "d", token, plain=plain) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 5)
        assert device.state is State.STOPPED
        store = Store(tmp_path / "d")
        assert store.ticket() is None
        assert not (tmp_path / "d" / "next.pem").exists()

    run(main)
    assert dead(office, made.device_id) == []


def test_chip_without_a_factory_key_registers_sealed_and_its_readings_are_stored(
    office: Office, tmp_path: Path
) -> None:
    """It has no certificate before or after, and the token crosses no wire readable."""
    (made,) = office.make_devices(1, identity="symmetric_key", sealed="ratchet-16")
    (token,) = office.make_tokens("chips@example.org")
    assert (made.private_key, made.certificate_chain, made.servers.device_api[:7]) == ("", "", "http://")

    async def main() -> None:
        async with device_with(made, tmp_path / "d", token) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 5)
        async with device_with(made, tmp_path / "d", None):  # boots again, without a token
            await until_stored(office, made.device_id, 10)
        await asyncio.to_thread(office.revoke, made.device_id)
        async with device_with(made, tmp_path / "d", None) as device:
            await device.reached(State.BLOCKED)
            assert "blocked" in said(device, Blocked)

    run(main)
    assert Store(tmp_path / "d").ticket() is None
    assert not (tmp_path / "d" / "operational.pem").exists()
    variants = office.rows(
        "SELECT variant FROM sealed_state WHERE device_id = (SELECT id FROM device WHERE device_id = ?)",
        made.device_id,
    )
    assert variants == [("ratchet-16",)]
    assert set(dead(office, made.device_id)) <= {"connect_refused", "revoked"}


@pytest.mark.parametrize("days", [-1, 1])
def test_readings_of_a_device_whose_clock_is_a_day_off_stand_at_the_platforms_time(
    office: Office, made: Provisioning, tmp_path: Path, days: int
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    give(made, tmp_path / "d", token)

    def clock() -> float:
        return time.time() + 86_400 * days

    async def main() -> None:
        wifi = SimulatedWifi([HOME])
        async with SimulatedDevice(
            made, tmp_path / "d", wifi, interval_s=0.2, notify=show, clock=clock
        ) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 3)

    run(main)
    rows = office.rows(
        "SELECT payload, received_us FROM message"
        " WHERE device_id = (SELECT id FROM device WHERE device_id = ?)",
        made.device_id,
    )
    for payload, received_us in rows:
        for reading in senml.decode(bytes(payload)):
            assert abs(senml.absolute_time(reading, received_us / 1e6) - received_us / 1e6) < 60
    assert dead(office, made.device_id) == []


def test_agent_takes_settings_awake_and_a_command_when_it_wakes(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    shown: list[Notice] = []

    def tell(notice: Notice) -> None:
        shown.extend([notice] if isinstance(notice, AskedToShowItself) else [])

    def states() -> list[str]:
        sql = "SELECT state FROM downlink WHERE device_id = (SELECT id FROM device WHERE device_id = ?)"
        return [str(state) for (state,) in office.rows(sql + " ORDER BY number", made.device_id)]

    async def main() -> None:
        give(made, tmp_path / "d", token)
        device = SimulatedDevice(made, tmp_path / "d", SimulatedWifi([HOME]), notify=tell)
        async with device:
            await device.reached(State.OPERATING)
            change = ("command", "settings", made.device_id, "interval=1", "led=true", "--wait", "20")
            await asyncio.to_thread(office.doorstep, *change)
        await asyncio.to_thread(office.doorstep, "command", "send", made.device_id, "identify")
        assert states() == ["acknowledged", "queued"]
        async with device:
            while states()[1] != "acknowledged":  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.1)

    run(main, 60)
    assert len(shown) == 1
    [(version, payload)] = office.rows(
        "SELECT version, payload FROM device_reported"
        " WHERE device_id = (SELECT id FROM device WHERE device_id = ?)",
        made.device_id,
    )
    assert version == 1
    assert {"interval": 1, "led": True}.items() <= json.loads(payload).items()
    assert dead(office, made.device_id) == []


def test_device_boots_again_into_a_new_epoch(office: Office, made: Provisioning, tmp_path: Path) -> None:
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        device = device_with(made, tmp_path / "d", token)
        for boots in range(1, 4):
            async with device:
                await device.reached(State.OPERATING)
                await until_stored(office, made.device_id, 2 * boots)

    run(main)
    assert {epoch for epoch, _ in stored(office, made.device_id)} == {0, 1, 2}
    assert dead(office, made.device_id) == []


def test_device_that_lost_its_memory_registers_again_and_skips_used_epochs(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    first, second = office.make_tokens("owner@example.org", 2)

    async def main() -> None:
        async with device_with(made, tmp_path / "old", first) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 2)
        async with device_with(made, tmp_path / "new", second) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 20)

    run(main)
    assert {epoch for epoch, _ in stored(office, made.device_id)} == {0, 1}
    assert dead(office, made.device_id) == []


@pytest.mark.parametrize(
    ("age_s", "typed", "expected"),
    [
        (0, "no-such-token", "does not accept"),
        (601, None, "has expired"),
    ],
    ids=["wrong", "expired"],
)
def test_device_says_in_plain_words_why_its_token_was_refused(  # noqa: PLR0913, PLR0917 - fixtures
    office: Office, made: Provisioning, tmp_path: Path, age_s: float, typed: str | None, expected: str
) -> None:
    (token,) = office.make_tokens("owner@example.org", age_s=age_s)

    async def main() -> None:
        async with device_with(made, tmp_path / "d", typed or token) as device:
            await device.reached(State.WAITING)
            assert expected in said(device, RegistrationRefused)
            assert "Make a new registration token in the portal" in said(device, RegistrationRefused)
            assert Store(tmp_path / "d").ticket() is None

    run(main)


def test_used_token_is_refused_to_another_device(office: Office, tmp_path: Path) -> None:
    one, other = office.make_devices(2)
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        async with device_with(one, tmp_path / "one", token) as device:
            await device.reached(State.OPERATING)
        async with device_with(other, tmp_path / "other", token) as device:
            await device.reached(State.WAITING)
            assert "is another device's" in said(device, RegistrationRefused)

    run(main)


def test_held_device_waits_through_a_power_cut_and_takes_a_new_token(office: Office, tmp_path: Path) -> None:
    (made,) = office.make_devices(1, policy="device_key & setup_session & sale")
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        device = device_with(made, tmp_path / "d", token)
        for _ in range(2):
            async with device:
                await device.reached(State.HELD)
                assert "holds its registration" in said(device, RegistrationHeld)
                assert await device.setup_port() > 0
        ticket = Store(tmp_path / "d").ticket()
        assert ticket is not None
        assert ticket.held

    run(main)


def test_second_claim_changes_nothing_for_the_owner(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    (photo,) = office.make_tokens("thief@example.org")

    async def main() -> None:
        async with device_with(made, tmp_path / "d", token) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 2)
        async with device_with(made, tmp_path / "d", photo) as device:
            await device.reached(State.OPERATING)
            assert "goes on for its owner" in said(device, ClaimSetAside)
            before = len(await asyncio.to_thread(stored, office, made.device_id))
            await until_stored(office, made.device_id, before + 2)

    run(main)


@pytest.mark.parametrize("plain", [False, True], ids=["mTLS", "plain"])
def test_revoked_device_is_silenced_and_says_so(
    office: Office, made: Provisioning, tmp_path: Path, *, plain: bool
) -> None:
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        async with device_with(made, tmp_path / "d", token, plain=plain) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 2)
            await asyncio.to_thread(office.revoke, made.device_id)
            await device.reached(State.BLOCKED)
            assert "is blocked" in said(device, Blocked)
            before = len(await asyncio.to_thread(stored, office, made.device_id))
            await asyncio.sleep(1)
            assert len(await asyncio.to_thread(stored, office, made.device_id)) == before
        # a restart does not help: it asks, and is told again
        async with device_with(made, tmp_path / "d", None, plain=plain) as device:
            await device.reached(State.BLOCKED)

    run(main)


@pytest.mark.parametrize("plain", TWINS, ids=str)
def test_clone_01_of_two_agents_with_one_identity_exactly_one_goes_on(
    office: Office, made: Provisioning, tmp_path: Path, *, plain: bool
) -> None:
    """Both hold the same state folder, power cut and all; nothing tells which is the copy."""
    (token,) = office.make_tokens("owner@example.org")
    mine, theirs = tmp_path / "mine", tmp_path / "copy"

    async def main() -> None:
        async with device_with(made, mine, token, plain=plain) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 2)
        shutil.copytree(mine, theirs)
        twins = [
            SimulatedDevice(made, folder, SimulatedWifi([HOME]), plain=plain, interval_s=0.2, notify=show)
            for folder in (mine, theirs)
        ]
        async with twins[0], twins[1]:
            while not await asyncio.to_thread(office.watch):  # noqa: ASYNC110 - as the jobs role
                await asyncio.sleep(1)
            print("CLONE-01: two agents with one state folder were noticed")  # noqa: T201 - the suite's report
            while not any(twin.state is State.BLOCKED for twin in twins):  # noqa: ASYNC110 - whichever it is
                await asyncio.sleep(0.1)
            loser = next(twin for twin in twins if twin.state is State.BLOCKED)
            winner = next(twin for twin in twins if twin is not loser)
            assert "renewed its keys first" in said(loser, Blocked)
            await winner.reached(State.OPERATING)
            before = len(await asyncio.to_thread(stored, office, made.device_id))
            await until_stored(office, made.device_id, before + 5)
            assert (winner.state, loser.state) == (State.OPERATING, State.BLOCKED)

    run(main, timeout_s=120)


def test_device_renews_its_certificate_and_goes_on(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    folder = tmp_path / "d"

    async def main() -> None:
        async with device_with(made, folder, token) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 1)
        held = Store(folder).operational()
        assert held is not None
        five_days_s = 5 * 86_400
        give(made, folder, None)
        device = SimulatedDevice(
            made,
            folder,
            SimulatedWifi([HOME]),
            interval_s=0.2,
            clock=lambda: time.time() + five_days_s,
        )
        async with device:
            await until_stored(office, made.device_id, 5)
            assert "next certificate" in said(device, Renewed)
            fresh = Store(folder).operational()
            assert fresh is not None
            assert fresh.certificate is not None
            assert held.certificate is not None
            assert fresh.certificate.fingerprint != held.certificate.fingerprint
            await until_stored(office, made.device_id, 5)

    run(main)
    assert (folder / "operational.pem").stat().st_mode & 0o077 == 0


def test_platform_that_is_away_is_waited_for(office: Office, made: Provisioning, tmp_path: Path) -> None:
    (token,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        async with device_with(made, tmp_path / "d", token) as device:
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 2)
            await asyncio.to_thread(office.plant.kill, "nats-secure")
            await device.reached(State.CONNECTING, State.JOINING)
            await asyncio.to_thread(office.plant.start, "nats-secure")
            await device.reached(State.OPERATING, timeout_s=40)
            before = len(await asyncio.to_thread(stored, office, made.device_id))
            await until_stored(office, made.device_id, before + 5)

    run(main, 60)
    assert dead(office, made.device_id) == []
    sent = stored(office, made.device_id)
    assert len(sent) == len(set(sent))


CUTS = 20


def test_power_cut_at_any_moment_never_uses_an_epoch_twice(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    """Kill -9 the agent's process at its first lines or after a random time, then let it live."""
    (token,) = office.make_tokens("owner@example.org")
    give(made, tmp_path / "d", token)
    (tmp_path / "passphrase").write_bytes(HOME.passphrase)
    command = [
        *(sys.executable, "-m", "doorstep", "device", "run", "--json", "--interval", "0.05"),
        *("--state", str(tmp_path / "d"), "--setup-host", "127.0.0.1", "--setup-port", "0"),
        *("--simulate-wifi", "home", "--simulate-passphrase-file", str(tmp_path / "passphrase")),
    ]
    chance = random.Random(20)
    epochs = [
        one_life(
            command, lines=chance.randrange(1, 14) if cut % 2 else None, seconds=chance.uniform(0.2, 2.5)
        )
        for cut in range(CUTS)
    ]
    epochs.append(one_life(command, lines=30, seconds=60))
    assert epochs[-1], "the last life sent nothing"
    used = [epoch for life in epochs for epoch in life]
    assert used == sorted(set(used)), epochs
    asyncio.run(asyncio.wait_for(until_stored(office, made.device_id, 10), 30))
    assert dead(office, made.device_id) == []
    # What a cut caught on its way is sent again as the same message; sealed anew it would be stored twice.
    payloads = office.rows(
        "SELECT payload FROM message"
        " WHERE channel = 'data' AND device_id = (SELECT id FROM device WHERE device_id = ?)",
        made.device_id,
    )
    assert len(payloads) == len(set(payloads))


def one_life(command: list[str], *, lines: int | None, seconds: float) -> list[int]:
    """Run the agent until it said so many lines, or so long; kill it; return the epochs it sent in."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    timer = threading.Timer(60 if lines else seconds, process.kill)
    timer.start()
    said: list[bytes] = []
    for line in process.stdout:
        said.append(line)
        if lines is not None and len(said) >= lines:
            process.kill()
    process.stdout.close()
    timer.cancel()
    assert process.wait() == -signal.SIGKILL, b"".join(said).decode()
    told = [json.loads(line) for line in said if line.endswith(b"}\n")]
    return list(dict.fromkeys(line["epoch"] for line in told if line["notice"] == "ReadingsSent"))


def with_known_code(made: Provisioning) -> tuple[Provisioning, SetupLabel]:
    """A device whose set-up code we know, as its owner reads it from the label."""
    code = generate(os.urandom)
    setup = SetupVerifier(made.setup.service_name, code.username, code.salt, code.verifier)
    return replace(made, setup=setup), SetupLabel(setup.service_name, code.username, code.pop)


async def set_up(device: SimulatedDevice, label: SetupLabel, token: str, *, again: bool = False) -> Step:
    """Do what a phone does: secure, deliver the order, send the network, wait for the device's word."""

    async def sends() -> bool:
        return device.state is State.OPERATING

    url = f"http://127.0.0.1:{await device.setup_port()}"
    async with Provisioner(HttpLink(url), label, pause=0.1) as phone:
        await phone.secure()
        await phone.deliver(RegistrationOrder(token.encode(), device.made.servers.device_api))
        network = NetworkCredentials(HOME.ssid, HOME.passphrase)
        step = Step.CONNECTED if again else await phone.join(network)
        return (await phone.confirm(step, sends)).step


async def allow(office: Office, device: SimulatedDevice) -> None:
    """Bring the owner's release to a device that was reset."""
    signed = await asyncio.to_thread(office.release, device.made.device_id)
    async with SingleTouch(HttpLink(f"http://127.0.0.1:{await device.setup_port()}")) as phone:
        await phone.release(signed)


def test_touched_device_is_sealed_for_and_its_readings_are_stored(
    office: Office, made: Provisioning, tmp_path: Path
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    key = PrivateKey.from_pkcs8(made.private_key.encode()).public_key
    known = KnownDevice(made.device_id, made.serial, may_set_up=True, sentence="Yours.", key=key)
    order = RegistrationOrder(token.encode(), made.servers.device_api)
    content = SealedContent((NetworkCredentials(HOME.ssid, HOME.passphrase),), order)

    async def main() -> None:
        device = SimulatedDevice(made, tmp_path / "d", SimulatedWifi([HOME]), interval_s=0.2, notify=show)
        async with device:
            link = HttpLink(f"http://127.0.0.1:{await device.setup_port()}")
            async with SingleTouch(link, pause=0.1) as phone:
                assert await phone.bring(known, content) in ONLINE
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 3)

    run(main)
    assert dead(office, made.device_id) == []


def test_whole_path_from_set_up_to_stored_readings(office: Office, tmp_path: Path) -> None:
    made, label = with_known_code(office.make_devices(1)[0])
    (expired,) = office.make_tokens("owner@example.org", age_s=601)
    (fresh,) = office.make_tokens("owner@example.org")

    async def main() -> None:
        device = SimulatedDevice(made, tmp_path / "d", SimulatedWifi([HOME]), interval_s=0.2, notify=show)
        async with device:
            assert await set_up(device, label, expired) is Step.REFUSED
            assert await set_up(device, label, fresh, again=True) is Step.REGISTERED
            await device.reached(State.OPERATING)
            await until_stored(office, made.device_id, 3)
            # somebody with a photo of the label and a hand on the device gets nowhere: the code is dead
            (photo,) = await asyncio.to_thread(office.make_tokens, "thief@example.org")
            await device.reset_network()
            with pytest.raises(SessionLost, match="belongs to somebody"):
                await set_up(device, label, photo)
            # the owner allows set-up again and repeats it: nothing changes
            (again,) = await asyncio.to_thread(office.make_tokens, "owner@example.org")
            await allow(office, device)
            assert await set_up(device, label, again) is Step.REGISTERED
            await device.reached(State.OPERATING)
            # even then it is the owner who keeps the device
            await device.reset_network()
            await allow(office, device)
            assert await set_up(device, label, photo) is Step.HELD
            await device.reached(State.OPERATING)

    run(main, 60)
    owners = office.rows(
        "SELECT o.name, device.disputed FROM device JOIN organisation o ON o.id = owner_id"
        " WHERE device_id = ?",
        made.device_id,
    )
    assert [(str(name), bool(disputed)) for name, disputed in owners] == [("owner@example.org", True)]


EXAMPLE = Path(__file__).parents[2] / "firmware" / "linux" / "example.py"


@pytest.fixture
def sensor(tmp_path: Path) -> Path:
    file = tmp_path / "temp"
    file.write_text("21500\n")
    return file


@pytest.fixture
def programs() -> Iterator[list["subprocess.Popen[bytes]"]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for program in running:
        program.kill()
        program.wait()


def numbers(office: Office, device: str) -> list[int]:
    """The numbers of the stored readings, as the platform has them in order."""
    rows = office.rows(
        "SELECT payload FROM message WHERE channel = 'data'"
        " AND device_id = (SELECT id FROM device WHERE device_id = ?) ORDER BY epoch, seq",
        device,
    )
    readings = [reading for (payload,) in rows for reading in senml.decode(bytes(payload))]
    return [int(reading.value) for reading in readings if reading.name == "number"]


def test_readings_of_an_outage_survive_kill_9_and_are_stored_once_in_order(
    office: Office,
    made: Provisioning,
    tmp_path: Path,
    sensor: Path,
    programs: list["subprocess.Popen[bytes]"],
) -> None:
    (token,) = office.make_tokens("owner@example.org")
    give(made, tmp_path / "d", token)
    command: list[str | Path] = [sys.executable, EXAMPLE, tmp_path / "d", sensor, "0.2"]
    programs.append(subprocess.Popen(command, env=os.environ))
    until(lambda: len(numbers(office, made.device_id)) >= 3, seconds=30)
    office.plant.stop("nats-secure")
    time.sleep(3)  # it goes on measuring
    programs[0].kill()
    programs[0].wait()
    assert len(numbers(office, made.device_id)) < 12
    office.plant.start("nats-secure")
    programs.append(subprocess.Popen(command, env=os.environ))
    until(lambda: 0 in numbers(office, made.device_id)[5:], seconds=30)
    told = numbers(office, made.device_id)
    again = told.index(0, 1)
    assert again > 10
    assert told == [*range(again), *range(len(told) - again)]
