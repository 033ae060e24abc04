"""The configurator's side of onboarding, without I/O: each method is a conversation of requests and replies.

A conversation is a generator: it yields a `Request`, is sent the reply's bytes, and returns what it
learnt. Conversations of one configurator follow one another; they never overlap.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.capabilities import OWN_LABEL, Capabilities, check_against_label, parse_capabilities
from doorstep.onboarding.failures import RequestRefused
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sec2 import Rng, handshake_as_configurator
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

if TYPE_CHECKING:
    from doorstep.crypto.aead import LockstepGcm

__all__ = ["Configurator", "Conversation", "Request"]

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

    def __init__(self, label: SetupLabel, rng: Rng) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._label = label
        self._rng = rng
        self._cipher: LockstepGcm | None = None
        self._capabilities: Capabilities | None = None

    @property
    def secured(self) -> bool:
        """Tell whether a session stands; it ends with the first exchange that goes wrong."""
        return self._cipher is not None

    @property
    def takes_orders(self) -> bool:
        """Tell whether the device has our own endpoint; stock firmware does not."""
        return self._capabilities is not None and OWN_LABEL in self._capabilities.apps

    def find(self) -> Conversation[Capabilities]:
        """Ask the device what it is; raises `DowngradeRefused` where it offers less than its label."""
        offered = parse_capabilities((yield Request("proto-ver", b"---")))
        check_against_label(self._label, offered)
        self._capabilities = offered
        return offered

    def secure(self) -> Conversation[None]:
        """Prove the code to the device and have it prove its verifier; raises `WrongCode`."""
        self._cipher = None
        handshake = handshake_as_configurator(self._label.username, self._label.pop, self._rng)
        body = next(handshake)
        while True:
            reply = yield Request("prov-session", body)
            try:
                body = handshake.send(reply)
            except StopIteration as done:
                self._cipher = done.value
                return

    def networks(self) -> Conversation[tuple[ScanEntry, ...]]:
        """Have the device scan and return what it hears, strongest first as the device sorts."""
        started = decode_scan((yield from self._ask("prov-scan", encode_scan(ScanStart()))))
        _succeeded(started, ScanStarted, "scan")
        state = decode_scan((yield from self._ask("prov-scan", encode_scan(ScanStateQuery()))))
        count = _succeeded(state, ScanState, "scan").count
        found: list[ScanEntry] = []
        while len(found) < count:
            query = ScanPageQuery(len(found), min(PAGE, count - len(found)))
            page = decode_scan((yield from self._ask("prov-scan", encode_scan(query))))
            entries = _succeeded(page, ScanPage, "list its networks").entries
            if not 1 <= len(entries) <= query.count:
                raise MalformedMessage("the device lists another number of networks than it announced")
            found.extend(entries)
        return tuple(found)

    def deliver(self, order: RegistrationOrder) -> Conversation[str]:
        """Hand over the registration order; returns the device's id."""
        message = encode_delivery(Deliver(order.token, order.server, order.alias))
        reply = decode_delivery((yield from self._ask(OWN_LABEL, message)))
        return _succeeded(reply, Delivered, "take the registration order").device_id

    def put_forward(self, network: NetworkCredentials) -> Conversation[None]:
        """Set a network and have the device try it."""
        message = SetConfig(network.ssid, network.passphrase, network.bssid, network.channel)
        was_set = decode_config((yield from self._ask("prov-config", encode_config(message))))
        _succeeded(was_set, ConfigSet, "take the network")
        applied = decode_config((yield from self._ask("prov-config", encode_config(ApplyConfig()))))
        _succeeded(applied, ConfigApplied, "try the network")

    def progress(self) -> Conversation[Step]:
        """Ask how far the device got; finer where it has our own endpoint."""
        if self.takes_orders:
            stage = decode_delivery((yield from self._ask(OWN_LABEL, encode_delivery(StageQuery()))))
            return STEP_OF_STAGE[_succeeded(stage, StageReport, "say how far it got").stage]
        report = decode_config((yield from self._ask("prov-config", encode_config(StationReportQuery()))))
        return _step_of(_succeeded(report, StationReport, "say how far it got"))

    def reset(self) -> Conversation[None]:
        """Have the device forget a failed attempt; stock firmware demands it before the next one."""
        reply = decode_ctrl((yield from self._ask("prov-ctrl", encode_ctrl(Reset()))))
        _succeeded(reply, ResetDone, "forget the failed attempt")

    def reprovision(self) -> Conversation[None]:
        """Have a connected device open for another network."""
        reply = decode_ctrl((yield from self._ask("prov-ctrl", encode_ctrl(Reprovision()))))
        _succeeded(reply, ReprovisionDone, "take another network")

    def _ask(self, endpoint: str, plain: bytes) -> Conversation[bytes]:
        """Exchange one sealed message; a reply that is lost or does not hold leaves no session behind."""
        cipher, self._cipher = self._cipher, None
        if cipher is None:
            raise ProtocolViolation("the session is not secured", next_step="Secure it first.")
        answer = cipher.open((yield Request(endpoint, cipher.seal(plain))))
        self._cipher = cipher
        return answer


R = TypeVar(
    "R",
    ScanStarted,
    ScanState,
    ScanPage,
    ConfigSet,
    ConfigApplied,
    StationReport,
    ResetDone,
    ReprovisionDone,
    Delivered,
    StageReport,
)


def _succeeded(reply: object, kind: type[R], what: str) -> R:
    """Return a reply of the expected kind; raise where it is another, or says no."""
    if not isinstance(reply, kind):
        raise ProtocolViolation(f"the device answered with {type(reply).__name__} instead of {kind.__name__}")
    if reply.status is not Status.SUCCESS:
        raise RequestRefused(what, reply.status)
    return reply


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
