"""The configurator's side of Wi-Fi Easy Connect over TCP: it calls a device, or waits until devices ask.

A device on the same network is called at its address. A device that is on no network yet asks over the air,
and an access point that relays Easy Connect brings its frames here; hostapd does with ``dpp_controller``.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from doorstep.crypto.p256 import PrivateKey
from doorstep.errors import DoorstepError
from doorstep.onboarding.dpp.configuration import Akm, Configuration, EnrolleeRequest
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.exchange import State
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.runtime.tcp import TcpServer
from doorstep.wire.dpp import (
    TCP_PORT,
    ActionFrame,
    Attribute,
    Attributes,
    FrameReader,
    FrameType,
    Message,
    encode_frame,
)

__all__ = ["PATIENCE", "DppController", "configure"]

PATIENCE: Final = 120.0
"""Seconds that a person may take to switch the device on."""
CONNECT_TIMEOUT: Final = 5.0
REPLY_TIMEOUT: Final = 10.0
ANNOUNCEMENT_TIMEOUT: Final = 10.0
MAX_CONNECTIONS: Final = 32
CHUNK: Final = 4096

Tell = Callable[[Step], None]


async def configure(  # noqa: PLR0913 - each is a thing that a person may say
    uri: str,
    network: NetworkCredentials,
    *,
    address: str | None = None,
    port: int = TCP_PORT,
    akm: Akm = Akm.PSK_SAE,
    signer: PrivateKey | None = None,
    order: RegistrationOrder | None = None,
    patience: float = PATIENCE,
    tell: Tell = lambda _step: None,
    rng: Callable[[int], bytes] = os.urandom,
) -> EnrolleeRequest:
    """Give the network to the device of the label ``uri``; returns what the device says of itself.

    With ``address`` the device is called there; without, it is waited for on ``port`` until it asks through
    a relay. ``order`` reaches devices that speak Easy Connect themselves, not those whose Wi-Fi driver does.
    That it took the network is not yet that it joined: the platform has to see it. Raises `MalformedUri`,
    `SettingsError`, `DeviceUnreachable`, `NotTheLabelsDevice`, `DeviceRefused`, `WrongRole` and
    `ConfigurationRejected`.
    """
    label, configuration = BootstrapUri.decode(uri), Configuration(network, akm, signer, order)
    if address is not None:
        return await _call(Configurator(label, configuration, rng), address, port, tell)
    here = DppController(configuration, [label], port=port, tell=lambda _label, step: tell(step), rng=rng)
    async with here as waiting:
        return await waiting.configured(label, patience=patience)


class DppController(TcpServer):
    """Listens while entered, and gives one network to each of the labels' devices that asks."""

    def __init__(  # noqa: PLR0913 - what to give to whom, and where to wait
        self,
        configuration: Configuration,
        labels: Iterable[BootstrapUri],
        *,
        host: str = "0.0.0.0",  # noqa: S104 - relays are other machines
        port: int = TCP_PORT,
        tell: Callable[[BootstrapUri, Step], None] = lambda _label, _step: None,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``port`` 0 takes a free one; ``tell`` hears how each device gets on."""
        super().__init__("Easy Connect's configurator", host, port)
        self._configuration = configuration
        self._labels = {label.chirp_hash: label for label in labels}
        self._tell = tell
        self._rng = rng
        self._configured: dict[bytes, asyncio.Future[EnrolleeRequest]] = {}
        self._failures: dict[bytes, DoorstepError] = {}

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        loop = asyncio.get_running_loop()
        self._configured = {name: loop.create_future() for name in self._labels}
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and hang up."""
        await super().__aexit__(kind, error, trace)
        for waiting in self._configured.values():
            waiting.cancel()

    def admits(self) -> bool:
        """See TcpServer."""
        return len(self._connected) < MAX_CONNECTIONS

    async def configured(self, label: BootstrapUri, *, patience: float = PATIENCE) -> EnrolleeRequest:
        """Wait until the label's device took the network; a device that failed may ask again meanwhile.

        Raises what ended its last try, or `DeviceUnreachable` where it never asked.
        """
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(self._configured[label.chirp_hash])
        except TimeoutError:
            raise self._failures.get(label.chirp_hash, _never_asked()) from None

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer. `configured` tells what ended a known device's try; strangers are not news."""
        with suppress(DoorstepError):
            await self._answer(_Wire(reader, writer))

    async def _answer(self, wire: "_Wire") -> None:
        async with asyncio.timeout(ANNOUNCEMENT_TIMEOUT):
            asker = _announced(await wire.receive())
        label = self._labels.get(asker)
        if label is None or self._configured[asker].done():
            return
        core = Configurator(label, self._configuration, self._rng)
        try:
            enrollee = await _converse(core, wire, lambda step: self._tell(label, step))
        except DoorstepError as failure:
            self._failures[asker] = failure
            raise
        if not self._configured[asker].done():
            self._configured[asker].set_result(enrollee)


class _Wire:
    """One TCP connection as frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = self._read()

    async def receive(self) -> Message:
        """Return the next frame; raises `DeviceUnreachable` where the other side hangs up."""
        async for message in self._frames:
            return message
        raise DeviceUnreachable(
            "The device hung up.", next_step="Put the device back into its set-up mode and try again."
        )

    async def send(self, message: Message) -> None:
        self._writer.write(encode_frame(message))
        await self._writer.drain()

    async def _read(self) -> AsyncIterator[Message]:
        frames = FrameReader()
        while octets := await self._reader.read(CHUNK):
            for message in frames.feed(octets):
                yield message


async def _call(core: Configurator, address: str, port: int, tell: Tell) -> EnrolleeRequest:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError) as error:
        raise _silent(f"at {address} port {port}", type(error).__name__) from None
    try:
        return await _converse(core, _Wire(reader, writer), tell)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _converse(core: Configurator, wire: _Wire, tell: Tell) -> EnrolleeRequest:
    """Carry the exchange to its end; raises what ended it otherwise."""
    try:
        await wire.send(core.start())
        while core.state is not State.DONE:
            async with asyncio.timeout(REPLY_TIMEOUT):
                message = await wire.receive()
            if isinstance(message, ActionFrame) and message.kind is FrameType.PRESENCE_ANNOUNCEMENT:
                continue  # a relay passes on each cry of a device that has not heard us yet
            await _step(core, message, wire, tell)
    except (OSError, TimeoutError) as error:
        raise _silent("of the label", type(error).__name__) from None
    if core.enrollee is None:
        raise DeviceUnreachable("The device said nothing of itself.")
    return core.enrollee


async def _step(core: Configurator, message: Message, wire: _Wire, tell: Tell) -> None:
    before = core.state
    answer = core.receive(message)
    for frame in answer.frames:
        await wire.send(frame)
    if answer.failure is not None:
        raise answer.failure
    if core.state is not before:
        for step in _STEPS.get(core.state, ()):
            tell(step)


_STEPS: Final = {State.AUTHENTICATED: (Step.FOUND, Step.SECURED), State.DONE: (Step.TRYING,)}


def _announced(message: Message) -> bytes:
    if not isinstance(message, ActionFrame) or message.kind is not FrameType.PRESENCE_ANNOUNCEMENT:
        return b""
    return Attributes.decode(message.body).get(Attribute.RESPONDER_KEY_HASH)


def _silent(which: str, why: str) -> DeviceUnreachable:
    return DeviceUnreachable(
        f"The device {which} does not answer ({why}).",
        next_step="Check that it is on, in its set-up mode, and that its label is the one that was scanned.",
    )


def _never_asked() -> DeviceUnreachable:
    return DeviceUnreachable(
        "The device of this label has not asked for a network.",
        next_step="Check that it is on and in its set-up mode, and that an access point nearby relays Easy "
        "Connect to this computer; or name the device's address.",
    )
