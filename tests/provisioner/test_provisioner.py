import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from doorstep.errors import MalformedMessage
from doorstep.onboarding.failures import DowngradeRefused, TooManyGuesses, WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.protocomm.device import CAPABILITIES, DeviceProfile
from doorstep.onboarding.steps import Step
from doorstep.provisioner import provisioner as provisioner_module
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.link import DeviceUnreachable, SessionLost
from doorstep.provisioner.provisioner import ONLINE, Outcome, PlatformCheck, Provisioner
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.device.serving import NEIGHBOURS, Served, serving
from tests.device.setup.test_softap import _Phone
from tests.onboarding.helpers import LABEL, counted_rng
from tests.web import QuietHandler, listening

pytestmark = pytest.mark.roles

HOME = NetworkCredentials(b"home", b"correct horse")
ORDER = RegistrationOrder(b"token", "https://example.test", "lamp")
PAUSE = 0.02


def _provisioner(url: str, heard: list[Step] | None = None, label: SetupLabel = LABEL) -> Provisioner:
    return Provisioner(HttpLink(url), label, tell=(heard if heard is not None else []).append, pause=PAUSE)


async def _saw_it() -> bool:
    return True


async def _never_saw_it() -> bool:
    return False


def _onboard(served: Served, heard: list[Step], check: PlatformCheck, patience: float = 5.0) -> Outcome:
    async def run() -> Outcome:
        async with _provisioner(served.url, heard) as provisioner:
            await provisioner.secure()
            assert await provisioner.deliver(ORDER) == "dev1"
            joined = await provisioner.join(HOME)
            return await provisioner.confirm(joined, check, patience=patience)

    return asyncio.run(run())


def test_two_signals_are_success() -> None:
    heard: list[Step] = []
    with serving(stage=DeviceStage.REGISTERED) as served:
        outcome = _onboard(served, heard, _saw_it)
        assert served.outcomes[0].order == ORDER
    assert outcome == Outcome(Step.REGISTERED, device_said_connected=True, platform_saw_it=True)
    assert outcome.succeeded
    assert heard[:4] == [Step.FOUND, Step.SECURED, Step.DELIVERED, Step.TRYING]
    assert heard[-1] is Step.REGISTERED


def test_device_alone_is_not_success() -> None:
    with serving(stage=DeviceStage.REGISTERING) as served:
        outcome = _onboard(served, [], _never_saw_it, patience=0.2)
    assert outcome == Outcome(Step.REGISTERING, device_said_connected=True, platform_saw_it=False)
    assert not outcome.succeeded


@pytest.mark.parametrize(
    ("stage", "step"), [(DeviceStage.HELD, Step.HELD), (DeviceStage.REFUSED, Step.REFUSED)]
)
def test_registration_turned_down_is_told_at_once(stage: DeviceStage, step: Step) -> None:
    with serving(stage=stage) as served:
        outcome = _onboard(served, [], _never_saw_it, patience=60)
    assert outcome == Outcome(step, device_said_connected=True, platform_saw_it=False)


def test_platform_that_sees_later_is_waited_for() -> None:
    answers = iter([False, False, False, True])

    async def saw_it() -> bool:
        return next(answers)

    with serving() as served:
        assert _onboard(served, [], saw_it).succeeded


def test_broken_platform_check_is_raised() -> None:
    async def breaks() -> bool:
        raise RuntimeError("no such key")

    with serving(stage=DeviceStage.REGISTERED) as served, pytest.raises(RuntimeError, match="no such key"):
        _onboard(served, [], breaks)


def test_wrong_password_is_corrected_in_the_same_session() -> None:
    heard: list[Step] = []

    async def run(url: str) -> list[Step]:
        async with _provisioner(url, heard) as provisioner:
            await provisioner.secure()
            first = await provisioner.join(NetworkCredentials(b"home", b"wrong password"))
            second = await provisioner.join(HOME)
            return [first, second]

    with serving() as served:
        assert asyncio.run(run(served.url)) == [Step.WRONG_PASSWORD, Step.CONNECTED]
        assert len(served.outcomes) == 1
    assert heard.count(Step.SECURED) == 1


FAILURES = {
    "unknown": (NetworkCredentials(b"elsewhere", b"correct horse"), Step.NO_SUCH_NETWORK),
    "router full": (NetworkCredentials(b"full"), Step.NO_ADDRESS),
    "hidden": (NetworkCredentials(b"attic", b"hidden away"), Step.CONNECTED),
    "open": (NetworkCredentials(b"guests"), Step.CONNECTED),
    "odd octets": (NetworkCredentials("Café ☕".encode(), b"x" * 63), Step.CONNECTED),
}


@pytest.mark.parametrize(("network", "step"), FAILURES.values(), ids=FAILURES)
def test_joining_ends_in_a_typed_step(network: NetworkCredentials, step: Step) -> None:
    async def run(url: str) -> Step:
        async with _provisioner(url) as provisioner:
            await provisioner.secure()
            return await provisioner.join(network)

    with serving() as served:
        assert asyncio.run(run(served.url)) is step


def test_networks_are_listed_by_strength() -> None:
    async def run(url: str) -> list[bytes]:
        async with _provisioner(url) as provisioner:
            await provisioner.secure()
            return [network.ssid for network in await provisioner.networks()]

    with serving() as served:
        assert asyncio.run(run(served.url)) == [b"home", b"guests", "Café ☕".encode(), b"", b"full"]


def test_silent_device_is_checked_and_never_called_failed() -> None:
    heard: list[Step] = []

    async def run(url: str, hang_up: Callable[[], object]) -> Outcome:
        async with _provisioner(url, heard) as provisioner:
            await provisioner.secure()
            hang_up_after = asyncio.get_running_loop().call_later(0.2, hang_up)
            joined = await provisioner.join(HOME, patience=0.6)
            hang_up_after.cancel()
            assert joined is Step.CHECKING
            return await provisioner.confirm(joined, _never_saw_it, patience=0.2)

    leaving = serving(SimulatedWifi(NEIGHBOURS, delay=60))
    served = leaving.__enter__()
    outcome = asyncio.run(run(served.url, lambda: leaving.__exit__(None, None, None)))
    assert outcome == Outcome(Step.CHECKING, device_said_connected=False, platform_saw_it=False)
    assert not outcome.succeeded
    assert heard[-1] is Step.CHECKING


def test_device_with_one_radio_is_registered_once_the_platform_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provisioner_module, "LAST_WORD", 0.1)
    asked_at: list[float] = []

    async def run(url: str, hang_up: Callable[[], object]) -> Outcome:
        async with _provisioner(url) as phone:
            await phone.secure()
            asyncio.get_running_loop().call_later(0.2, hang_up)
            joined = await phone.join(HOME, patience=0.6)
            asked_at.append(time.monotonic())
            return await phone.confirm(joined, _saw_it, patience=60)

    leaving = serving(SimulatedWifi(NEIGHBOURS, delay=60))
    served = leaving.__enter__()
    outcome = asyncio.run(run(served.url, lambda: leaving.__exit__(None, None, None)))
    assert outcome == Outcome(Step.REGISTERED, device_said_connected=False, platform_saw_it=True)
    assert outcome.succeeded
    assert time.monotonic() - asked_at[0] < 30, "it does not wait until patience ends"


def test_lost_session_is_opened_again() -> None:
    heard: list[Step] = []

    async def run(served: Served) -> Step:
        async with _provisioner(served.url, heard) as provisioner:
            await provisioner.secure()
            await provisioner._link.hold(provisioner._core.put_forward(HOME))
            thief = _Phone(served)
            await asyncio.to_thread(thief.secure)
            thief.hang_up()
            return await provisioner._listen(Step.TRYING, until=lambda step: step in ONLINE, patience=10)

    with serving() as served:
        assert asyncio.run(run(served)) is Step.CONNECTED
    assert heard[:2] == [Step.FOUND, Step.SECURED]


def test_wrong_code_is_named() -> None:
    async def run(url: str) -> None:
        wrong = SetupLabel(LABEL.name, LABEL.username, "wrong")
        async with _provisioner(url, label=wrong) as provisioner:
            with pytest.raises(WrongCode) as caught:
                await provisioner.secure()
            assert "label" in caught.value.next_step

    with serving() as served:
        asyncio.run(run(served.url))


Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def _fake_device(reply: Reply) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(QuietHandler):
        def post(self) -> None:
            self.body()
            asked.append(self.path)
            status, headers, body = reply
            self.answer(status, body, headers)

    with listening(Handler) as url:
        yield url, asked


DOWNGRADE = json.dumps({"prov": {"ver": "v1.1", "sec_ver": 1, "cap": ["no_pop"]}}).encode()
BAD_DEVICES = {
    "downgrade": ((200, {}, DOWNGRADE), DowngradeRefused),
    "endless reply": ((200, {}, b"x" * 4097), MalformedMessage),
    "failure": ((500, {}, b"broken\x1b[2J"), SessionLost),
    "another server": ((404, {}, b""), DeviceUnreachable),
    "make wait": ((429, {"Retry-After": "30"}, b"later"), TooManyGuesses),
    "make wait, never mind how long": ((429, {"Retry-After": "later"}, b"later"), SessionLost),
}


@pytest.mark.parametrize(("reply", "error"), BAD_DEVICES.values(), ids=BAD_DEVICES)
def test_bad_device_learns_nothing(reply: Reply, error: type[Exception]) -> None:
    async def run(url: str) -> None:
        async with _provisioner(url) as provisioner:
            with pytest.raises(error) as caught:
                await provisioner.secure()
            assert "\x1b" not in str(caught.value)

    with _fake_device(reply) as (url, asked):
        asyncio.run(run(url))
        assert asked == ["/proto-ver"]


def test_device_that_is_not_there_is_named() -> None:
    async def run() -> None:
        async with _provisioner("http://127.0.0.1:1") as provisioner:
            with pytest.raises(DeviceUnreachable, match=r"127\.0\.0\.1:1"):
                await provisioner.secure()

    asyncio.run(run())


def test_imitated_device_that_returns_after_silence_is_a_stranger() -> None:
    """The real device leaves, and something without its verifier answers in its place."""
    with serving(SimulatedWifi(NEIGHBOURS, delay=60)) as real, serving(profile=_other_device()) as stranger:

        async def run() -> None:
            link = HttpLink(real.url)
            async with Provisioner(link, LABEL, pause=PAUSE) as provisioner:
                await provisioner.secure()
                link._client.base_url = stranger.url  # the radio's other end changes
                with pytest.raises(WrongCode):
                    await provisioner._listen(Step.TRYING, until=lambda _step: False, patience=5)

        asyncio.run(run())


def _other_device() -> DeviceProfile:
    return DeviceProfile("dev2", generate(counted_rng(b"another factory")).for_device())


def test_our_own_document_is_the_one_that_devices_send() -> None:
    with serving() as served:
        phone = _Phone(served)
        assert phone.post("proto-ver", b"---") == (200, CAPABILITIES.encode())
        phone.hang_up()
