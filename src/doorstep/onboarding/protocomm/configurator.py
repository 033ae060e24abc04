"""The configurator's side of onboarding, without I/O: each method is a conversation of requests and replies.

A conversation is a generator: it yields a `Request`, is sent the reply's bytes, and returns what it
learnt. Conversations of one configurator follow one another; they never overlap.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol, TypeVar, assert_never

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.attestation.transcript import NO_SESSION, session_hash
from doorstep.onboarding.details import CAPABILITY as DETAILS
from doorstep.onboarding.details import details_message
from doorstep.onboarding.failures import RequestRefused
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.capabilities import OWN_LABEL, Capabilities, parse_capabilities
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme, choose_scheme, handshake
from doorstep.onboarding.protocomm.session import Handshake, Rng, SessionCipher
from doorstep.onboarding.steps import STEP_OF_STAGE, Step
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.config import (
    ApplyConfig,
    ConfigApplied,
    ConfigSet,
    ConnectFailure,
    SetConfig,
    StationReport,
    StationReportQuery,
    StationState,
    decode_config,
    encode_config,
)
from doorstep.wire.provisioning.ctrl import (
    Reprovision,
    ReprovisionDone,
    Reset,
    ResetDone,
    decode_ctrl,
    encode_ctrl,
)
from doorstep.wire.provisioning.delivery import (
    Deliver,
    Delivered,
    StageQuery,
    StageReport,
    decode_delivery,
    encode_delivery,
)
from doorstep.wire.provisioning.details import DetailsSet
from doorstep.wire.provisioning.scan import (
    ScanEntry,
    ScanPage,
    ScanPageQuery,
    ScanStart,
    ScanStarted,
    ScanState,
    ScanStateQuery,
    decode_scan,
    encode_scan,
)

__all__ = ["PAGE", "Configurator", "Conversation", "Request"]

T = TypeVar("T")
PAGE = 16
"""Networks asked for at a time: 16 of them fit into one reply of 4096 bytes with room to spare."""


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes for one endpoint of the device."""

    endpoint: str
    body: bytes


Conversation = Generator[Request, bytes, T]


class Configurator:
    """Onboards one device by its label."""

    def __init__(
        self, label: SetupLabel, rng: Rng, *, allow_old_security: bool = False, page: int = PAGE
    ) -> None:
        """``rng`` returns that many unpredictable bytes; ``allow_old_security`` consents to `risk`.

        ``page`` is how many networks fit into one reply of the transport.
        """
        self._page = page
        self._label = label
        self._rng = rng
        self._allow_old = allow_old_security
        self._scheme: Scheme | None = None
        self._cipher: SessionCipher | None = None
        self._capabilities: Capabilities | None = None
        self.transcript = NO_SESSION
        """Hash of the handshake that secured the session; zeros before."""

    @property
    def secured(self) -> bool:
        """Tell whether a session stands; it ends with the first exchange that goes wrong."""
        return self._cipher is not None

    @property
    def takes_orders(self) -> bool:
        """Tell whether the device has our own endpoint; stock firmware does not."""
        return self._capabilities is not None and OWN_LABEL in self._capabilities.apps

    @property
    def risk(self) -> str:
        """What an attacker can still do with the device's scheme, empty with security 2; known once found."""
        return RISKS.get(self._scheme, "") if self._scheme is not None else ""

    def find(self) -> Conversation[Capabilities]:
        """Ask the device what it is.

        Raises `DowngradeRefused` where it offers less than its label, `OldSecurityRefused` where even that
        needs a consent that nobody gave.
        """
        self._scheme = None
        offered = parse_capabilities((yield Request("proto-ver", b"---")))
        self._choose(offered)
        self._capabilities = offered
        return offered

    def secure(self) -> Conversation[None]:
        """Prove the code to the device and have it prove the same; raises `WrongCode`."""
        self._cipher, self.transcript, heard = None, NO_SESSION, list[bytes]()
        turns = self._handshake()
        body = next(turns)
        while True:
            reply = yield Request("prov-session", body)
            heard += (body, reply)
            try:
                body = turns.send(reply)
            except StopIteration as done:
                self._cipher, self.transcript = done.value, session_hash(heard)
                return

    def networks(self) -> Conversation[tuple[ScanEntry, ...]]:
        """Have the device scan and return what it hears, strongest first as the device sorts."""
        started = yield from self._ask("prov-scan", encode_scan(ScanStart()), decode_scan, ScanStarted)
        _check(started, "scan")
        state = yield from self._ask("prov-scan", encode_scan(ScanStateQuery()), decode_scan, ScanState)
        _check(state, "scan")
        found: list[ScanEntry] = []
        while len(found) < state.count:
            query = ScanPageQuery(len(found), min(self._page, state.count - len(found)))
            page = yield from self._ask("prov-scan", encode_scan(query), decode_scan, ScanPage)
            _check(page, "list its networks")
            if not 1 <= len(page.entries) <= query.count:
                raise MalformedMessage("the device lists another number of networks than it announced")
            found.extend(page.entries)
        return tuple(found)

    def deliver(self, order: RegistrationOrder) -> Conversation[str]:
        """Hand over the registration order; returns the device's id."""
        message = encode_delivery(Deliver(order.token, order.server, order.alias))
        reply = yield from self._ask(OWN_LABEL, message, decode_delivery, Delivered)
        _check(reply, "take the registration order")
        return reply.device_id

    def put_forward(self, network: NetworkCredentials) -> Conversation[None]:
        """Set a network and have the device try it.

        Raises `SettingsError` before anything is sent where it needs what this device cannot take.
        """
        details = self._details(network)
        message = encode_config(SetConfig(network.ssid, network.passphrase, network.bssid, network.channel))
        _check((yield from self._ask("prov-config", message, decode_config, ConfigSet)), "take the network")
        if details is not None:
            taken = yield from self._ask(OWN_LABEL, details, decode_delivery, DetailsSet)
            _check(taken, "take the network's details")
        message = encode_config(ApplyConfig())
        _check(
            (yield from self._ask("prov-config", message, decode_config, ConfigApplied)), "try the network"
        )

    def _details(self, network: NetworkCredentials) -> bytes | None:
        own = None if self._capabilities is None else self._capabilities.apps.get(OWN_LABEL)
        if own is None or DETAILS not in own.caps:
            network.check_plain("This device's firmware")
        return details_message(network)

    def progress(self) -> Conversation[Step]:
        """Ask how far the device got; finer where it has our own endpoint."""
        if self.takes_orders:
            query = encode_delivery(StageQuery())
            told = yield from self._ask(OWN_LABEL, query, decode_delivery, StageReport)
            _check(told, "say how far it got")
            return STEP_OF_STAGE[told.stage]
        query = encode_config(StationReportQuery())
        report = yield from self._ask("prov-config", query, decode_config, StationReport)
        _check(report, "say how far it got")
        return _step_of(report)

    def reset(self) -> Conversation[None]:
        """Have the device forget a failed attempt; stock firmware demands it before the next one."""
        reply = yield from self._ask("prov-ctrl", encode_ctrl(Reset()), decode_ctrl, ResetDone)
        _check(reply, "forget the failed attempt")

    def reprovision(self) -> Conversation[None]:
        """Have a connected device open for another network."""
        reply = yield from self._ask("prov-ctrl", encode_ctrl(Reprovision()), decode_ctrl, ReprovisionDone)
        _check(reply, "take another network")

    def _choose(self, offered: Capabilities) -> None:
        self._scheme = choose_scheme(self._label, offered, allow_old=self._allow_old)

    def _handshake(self) -> Handshake:
        if self._scheme is None:
            raise ProtocolViolation("the device was not asked what it is", next_step="Find it first.")
        return handshake(self._scheme, self._label, self._rng)

    def _ask(
        self, endpoint: str, plain: bytes, decode: Callable[[bytes], object], kind: type[T]
    ) -> Conversation[T]:
        """Exchange one sealed message; a reply that is lost or makes no sense leaves no session behind.

        With security 1 nonsense is the only sign of a forged or lost message.
        """
        cipher, self._cipher = self._cipher, None
        if cipher is None:
            raise ProtocolViolation("the session is not secured", next_step="Secure it first.")
        reply = decode(cipher.open((yield Request(endpoint, cipher.seal(plain)))))
        if not isinstance(reply, kind):
            raise ProtocolViolation(
                f"the device answered with {type(reply).__name__} instead of {kind.__name__}"
            )
        self._cipher = cipher
        return reply


class _HasStatus(Protocol):
    @property
    def status(self) -> Status: ...


def _check(reply: _HasStatus, what: str) -> None:
    """Raise where the device says no."""
    if reply.status is not Status.SUCCESS:
        raise RequestRefused(what, reply.status)


def _step_of(report: StationReport) -> Step:
    match report.state:
        case StationState.CONNECTED:
            return Step.CONNECTED
        case StationState.CONNECTING:
            return Step.TRYING
        case StationState.DISCONNECTED:
            return Step.NO_ADDRESS
        case StationState.FAILED if report.failure is ConnectFailure.NETWORK_NOT_FOUND:
            return Step.NO_SUCH_NETWORK
        case StationState.FAILED:
            return Step.WRONG_PASSWORD
        case _:
            assert_never(report.state)
