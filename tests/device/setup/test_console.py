import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from doorstep.device.setup.console import ConsoleServer
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import SettingsError
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme
from doorstep.onboarding.steps import Step
from doorstep.provisioner import link as phone
from doorstep.provisioner.console import ConsoleLink
from doorstep.provisioner.link import DeviceUnreachable, SessionLost
from doorstep.provisioner.provisioner import Outcome, Provisioner
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart
from tests.device.serving import NEIGHBOURS
from tests.onboarding.helpers import LABEL as SEC2_LABEL
from tests.onboarding.helpers import PROFILE as SEC2_PROFILE

LABEL = SetupLabel("PROV_1", "", "abcd1234", security=1)
PROFILE = DeviceProfile("dev1", Sec1Code("abcd1234"), allow_old_security=True)
HOME = NetworkCredentials(b"home", b"correct horse")
ORDER = RegistrationOrder(b"token", "https://example.test", "lamp")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _line(serve: Serve) -> AsyncIterator[Streams]:
    """Give the configurator's end of a line whose other end is served."""
    ours, theirs = [await asyncio.open_connection(sock=end) for end in socket.socketpair()]
    serving = asyncio.ensure_future(serve(*theirs))
    try:
        yield ours
    finally:
        for _, writer in (ours, theirs):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _server(joiner: Joiner | None = None) -> ConsoleServer:
    return ConsoleServer(PROFILE, joiner or Joiner(SimulatedWifi(NEIGHBOURS)))


def _provisioner(streams: Streams, risks: list[str], label: SetupLabel = LABEL) -> Provisioner:
    return Provisioner(ConsoleLink(*streams), label, warn=risks.append, pause=0.02)


async def _saw_it() -> bool:
    return True


def test_device_is_set_up_over_a_console_line() -> None:
    risks: list[str] = []

    async def run() -> Outcome:
        joiner = Joiner(SimulatedWifi(NEIGHBOURS))
        server = _server(joiner)
        async with _line(server.serve) as streams, _provisioner(streams, risks) as provisioner:
            await provisioner.secure()
            assert {network.ssid for network in await provisioner.networks()} >= {b"home", b"guests"}
            assert await provisioner.deliver(ORDER) == "dev1"
            assert (
                await provisioner.join(NetworkCredentials(b"home", b"wrong password")) is Step.WRONG_PASSWORD
            )
            joined = await provisioner.join(HOME)
            assert (await joiner.wait_connected()).order == ORDER
            joiner.joining.report(DeviceStage.REGISTERED)
            outcome = await provisioner.confirm(joined, _saw_it)
        await joiner.close()
        return outcome

    assert asyncio.run(run()).succeeded
    assert risks == [RISKS[Scheme.SEC1]]


def test_attempt_to_join_outlives_the_line_and_the_session_does_not() -> None:
    async def run() -> None:
        joiner = Joiner(SimulatedWifi(NEIGHBOURS))
        server = _server(joiner)
        async with _line(server.serve) as streams, _provisioner(streams, []) as provisioner:
            await provisioner.secure()
            await provisioner._link.hold(provisioner._core.put_forward(HOME))
        assert (await joiner.wait_connected()).network == HOME
        assert not server._runner.core.busy
        await joiner.close()

    asyncio.run(run())


def test_refusal_comes_as_a_sentence_and_the_device_lives_on() -> None:
    async def run() -> None:
        async with _line(_server().serve) as streams:
            wrong = SetupLabel("PROV_1", "", "wrong", security=1)
            async with _provisioner(streams, [], wrong) as provisioner:
                with pytest.raises(WrongCode):
                    await provisioner.secure()
                provisioner._link._session = -1  # type: ignore[attr-defined]
                with pytest.raises(SessionLost, match="not an endpoint"):
                    await provisioner._link._ask("proto-ver", b"---")

    asyncio.run(run())


def test_another_session_number_ends_the_session() -> None:
    async def run() -> None:
        async with _line(_server().serve) as streams, _provisioner(streams, []) as provisioner:
            await provisioner.secure()
            provisioner._link._session ^= 1  # type: ignore[attr-defined]
            with pytest.raises(SessionLost, match="before the session was secured"):
                await provisioner.networks()

    asyncio.run(run())


def test_failure_of_the_device_itself_is_a_sentence_too(caplog: pytest.LogCaptureFixture) -> None:
    class Unsortable(SimulatedWifi):
        async def scan(self, request: ScanStart) -> list[ScanEntry]:  # noqa: ARG002 — the port's
            return [None]  # type: ignore[list-item]

    async def run() -> None:
        async with (
            _line(_server(Joiner(Unsortable([]))).serve) as streams,
            _provisioner(streams, []) as provisioner,
        ):
            await provisioner.secure()
            with pytest.raises(SessionLost, match="The device failed"):
                await provisioner.networks()

    asyncio.run(run())
    assert "console set-up failed" in caplog.text


def test_device_that_would_serve_old_security_says_so_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    _server()
    assert "old security" in caplog.text
    assert "abcd1234" not in caplog.text


def test_security_2_is_refused_on_both_ends() -> None:
    with pytest.raises(SettingsError, match="does not fit"):
        ConsoleServer(SEC2_PROFILE, Joiner(SimulatedWifi(NEIGHBOURS)))

    async def offer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"prov":{"ver":"v1.1","sec_ver":2,"sec_patch_ver":1,"cap":[]}}'.hex().encode() + b"\n")
        await reader.readline()

    async def run() -> None:
        async with _line(offer) as streams, _provisioner(streams, [], SEC2_LABEL) as provisioner:
            with pytest.raises(SettingsError, match="does not fit"):
                await provisioner.secure()

    asyncio.run(run())


async def _logs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"I (12) boot: hello\r\n> \r\n")
    await writer.drain()
    writer.write(b"2d2d\r\n")
    await writer.drain()
    await reader.readline()
    writer.write(b"log\n" * 300)
    await writer.drain()


def test_configurator_skips_the_log_but_not_for_ever() -> None:
    async def run() -> None:
        async with _line(_logs) as streams:
            link = ConsoleLink(*streams)
            assert await link._ask("proto-ver", b"---") == b"--"
            with pytest.raises(DeviceUnreachable, match="its log"):
                await link._ask("proto-ver", b"---")
            await link.close()

    asyncio.run(run())


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.close()


def test_line_that_ends_is_told() -> None:
    async def run() -> None:
        async with _line(_hangs_up) as streams:
            link = ConsoleLink(*streams)
            with pytest.raises(DeviceUnreachable, match="line ended"):
                await link._ask("proto-ver", b"---")
            with pytest.raises(DeviceUnreachable):
                await link._ask("proto-ver", b"---")

    asyncio.run(run())


def test_late_reply_answers_nothing_that_is_asked_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "REPLY_TIMEOUT", 0.05)
    may_answer = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await may_answer.wait()
        writer.write(b"aaaa\n")
        await writer.drain()
        await reader.readline()
        writer.write(b"bbbb\n")

    async def run() -> None:
        async with _line(late) as streams:
            link = ConsoleLink(*streams)
            with pytest.raises(DeviceUnreachable, match="TimeoutError"):
                await link._ask("proto-ver", b"---")
            may_answer.set()
            await asyncio.sleep(0.02)
            monkeypatch.setattr(phone, "REPLY_TIMEOUT", 5.0)
            assert await link._ask("proto-ver", b"---") == b"\xbb\xbb"

    asyncio.run(run())
