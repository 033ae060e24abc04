"""The device's side of onboarding, without I/O: requests in, replies and wishes out.

The shell carries bytes, scans, joins, and tells the core how that went. One session at a time, in
strict lock-step: whatever goes wrong inside it ends it, and the peer starts over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from doorstep.errors import DoorstepError, IllegalTransition, ProtocolViolation, SettingsError
from doorstep.onboarding.delivery import answer_delivery
from doorstep.onboarding.details import CAPABILITY as DETAILS
from doorstep.onboarding.failures import UnknownEndpoint, WrongCode
from doorstep.onboarding.guesses import GuessBook
from doorstep.onboarding.joining import Joining, JoinState, Onboarded
from doorstep.onboarding.lock import check_open
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.capabilities import OWN_LABEL, AppCapabilities, Capabilities
from doorstep.onboarding.protocomm.credentials import Sec1Code, Sec2Verifier
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme
from doorstep.onboarding.protocomm.session import DeviceSession, SessionState
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.config import (
    ApplyConfig,
    ConfigApplied,
    ConfigSet,
    SetConfig,
    StationReportQuery,
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
from doorstep.wire.provisioning.scan import (
    MAX_SCAN_ENTRIES,
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
from doorstep.wire.provisioning.session import encode_session

__all__ = [
    "CAPABILITIES",
    "Answer",
    "DeviceOnboarding",
    "DeviceProfile",
    "JoinWanted",
    "ScanWanted",
    "Secured",
    "Wish",
]

CAPABILITIES: Final = Capabilities(
    version="v1.1",
    sec_ver=2,
    sec_patch_ver=1,
    caps=("wifi_prov", "wifi_scan"),
    apps={OWN_LABEL: AppCapabilities("1", ("delivery", "stage", DETAILS))},
)
"""What our devices say of themselves before anything is proven; only the scheme varies with the product."""


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """Which device this is, told to proven peers only, and its half of the set-up secret."""

    device_id: str
    secret: Sec2Verifier | Sec1Code
    allow_old_security: bool = False
    """The maker's consent to security 1, for boards that cannot compute better."""

    def __post_init__(self) -> None:
        """Refuse security 1 without consent."""
        if self.risk and not self.allow_old_security:
            raise SettingsError(
                f"The device would speak security 1. {self.risk}",
                next_step="Give it a verifier for security 2, or accept the risk with allow_old_security.",
            )

    @property
    def risk(self) -> str:
        """What an attacker can still do, empty with security 2."""
        return RISKS[Scheme.SEC1] if isinstance(self.secret, Sec1Code) else ""


@dataclass(frozen=True, slots=True)
class Secured:
    """A peer has proven that it knows the code."""


@dataclass(frozen=True, slots=True)
class ScanWanted:
    """Scan at the pace asked for, which keeps an access point alive, then call `scanned`."""

    request: ScanStart


@dataclass(frozen=True, slots=True)
class JoinWanted:
    """Join, then tell `Joining.finish`; nothing may be stored before."""

    network: NetworkCredentials


Wish = Secured | ScanWanted | JoinWanted | Onboarded


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, `None` while a blocking scan holds it back, and what the shell is to do."""

    reply: bytes | None
    wishes: tuple[Wish, ...] = ()


class DeviceOnboarding:
    """One device's onboarding; sessions come and go, the attempt to join and the order stay."""

    def __init__(
        self,
        device_id: str,
        session: DeviceSession[Any],
        joining: Joining,
        guesses: GuessBook | None = None,
        *,
        offers: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """``session`` is of the profile's scheme: see `open_device_session`.

        ``joining`` and ``guesses`` are the board's; without a book the count ends with this object.
        ``offers`` returns what the board has beside sessions, for the capabilities under our own label.
        """
        self._device_id = device_id
        self._offers = offers
        self._session = session
        self._guesses = guesses or GuessBook()
        self._joining = joining
        self._networks: tuple[ScanEntry, ...] = ()
        self._scan: ScanStart | None = None
        self._endpoints: dict[str, Callable[[bytes], tuple[bytes | None, tuple[Wish, ...]]]] = {
            "prov-scan": self._on_scan,
            "prov-config": self._on_config,
            "prov-ctrl": self._on_ctrl,
            OWN_LABEL: self._on_delivery,
        }

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of what can be asked, in the order in which they were made."""
        return ("proto-ver", "prov-session", *self._endpoints)

    @property
    def busy(self) -> bool:
        """Tell whether a peer is in the middle of a session."""
        return self._session.state is not SessionState.OPEN

    @property
    def transcript(self) -> bytes:
        """Hash of the handshake of the session under way; zeros where none is secured."""
        return self._session.transcript

    def end_session(self) -> None:
        """Drop the session's keys, as when another peer opens one; the attempt to join goes on."""
        self._session.end()
        self._drop_waiting_scan()

    def receive(self, endpoint: str, body: bytes, now: float) -> Answer:
        """Answer one request; ``now`` is seconds on a clock that never goes back.

        Raises `PeerError` or `RefusedError` where there is no answer; the session is over then.
        """
        if endpoint == "proto-ver":
            return Answer(self._capabilities().encode())
        try:
            if endpoint == "prov-session":
                return self._on_session(body, now)
            return self._on_sealed(endpoint, body)
        except DoorstepError:
            self.end_session()
            raise

    def scanned(self, networks: Sequence[ScanEntry] | None) -> bytes | None:
        """Take what a scan found, `None` if it failed; returns the reply that waited for it, sealed."""
        strongest = sorted(networks or (), key=lambda entry: entry.rssi, reverse=True)
        self._networks = tuple(strongest[:MAX_SCAN_ENTRIES])
        scan, self._scan = self._scan, None
        if scan is None or not scan.blocking:
            return None
        status = Status.INTERNAL_ERROR if networks is None else Status.SUCCESS
        return self._session.seal(encode_scan(ScanStarted(status)))

    def _capabilities(self) -> Capabilities:
        session, caps, own = (
            self._session,
            CAPABILITIES.caps + self._session.caps,
            CAPABILITIES.apps[OWN_LABEL],
        )
        apps = {OWN_LABEL: replace(own, caps=own.caps + self._offers())}
        return replace(
            CAPABILITIES, sec_ver=session.scheme, sec_patch_ver=session.patch, caps=caps, apps=apps
        )

    def _on_session(self, body: bytes, now: float) -> Answer:
        self._drop_waiting_scan()
        if self._joining.state is JoinState.IDLE:  # else somebody asks how a set-up ended that was allowed
            check_open(self._joining.lock)
        self._guesses.check(now)
        try:
            reply = self._session.answer(body)
        except WrongCode:
            self._guesses.count(now)
            return Answer(encode_session(self._session.refusal))
        if self._session.state is not SessionState.SECURED:
            return Answer(reply)
        self._guesses.clear()
        return Answer(reply, (Secured(),))

    def _on_sealed(self, endpoint: str, body: bytes) -> Answer:
        handler = self._endpoints.get(endpoint)
        if handler is None:
            raise UnknownEndpoint(endpoint)
        if self._scan is not None and self._scan.blocking:
            raise ProtocolViolation("a request came while the one before it was still being answered")
        plain, wishes = handler(self._session.open(body))
        return Answer(None if plain is None else self._session.seal(plain), wishes)

    def _drop_waiting_scan(self) -> None:
        if self._scan is not None and self._scan.blocking:
            self._scan = None

    def _on_scan(self, plain: bytes) -> tuple[bytes | None, tuple[Wish, ...]]:
        message = decode_scan(plain)
        match message:
            case ScanStart():
                self._networks, self._scan = (), message
                reply = None if message.blocking else encode_scan(ScanStarted())
                return reply, (ScanWanted(message),)
            case ScanStateQuery():
                return encode_scan(ScanState(self._scan is None, len(self._networks))), ()
            case ScanPageQuery():
                return encode_scan(self._page(message)), ()
            case _:
                raise ProtocolViolation("the configurator sent a scan reply")

    def _page(self, query: ScanPageQuery) -> ScanPage:
        if query.start + query.count > len(self._networks):
            return ScanPage((), Status.INVALID_ARGUMENT)
        return ScanPage(self._networks[query.start : query.start + query.count])

    def _on_config(self, plain: bytes) -> tuple[bytes, tuple[Wish, ...]]:
        message = decode_config(plain)
        match message:
            case StationReportQuery():
                return encode_config(self._joining.station_report()), ()
            case SetConfig():
                return encode_config(ConfigSet(self._stage(message))), ()
            case ApplyConfig():
                return self._apply()
            case _:
                raise ProtocolViolation("the configurator sent a config reply")

    def _stage(self, message: SetConfig) -> Status:
        try:
            network = NetworkCredentials(message.ssid, message.passphrase, message.bssid, message.channel)
        except SettingsError:
            return Status.INVALID_ARGUMENT
        return _attempt(lambda: self._joining.stage(network))

    def _apply(self) -> tuple[bytes, tuple[Wish, ...]]:
        try:
            network = self._joining.apply()
        except IllegalTransition:
            return encode_config(ConfigApplied(Status.INTERNAL_ERROR)), ()
        return encode_config(ConfigApplied()), (JoinWanted(network),)

    def _on_ctrl(self, plain: bytes) -> tuple[bytes, tuple[Wish, ...]]:
        message = decode_ctrl(plain)
        match message:
            case Reset():
                return encode_ctrl(ResetDone(_attempt(self._joining.reset))), ()
            case Reprovision():
                return encode_ctrl(ReprovisionDone(_attempt(self._joining.reprovision))), ()
            case _:
                raise ProtocolViolation("the configurator sent a ctrl reply")

    def _on_delivery(self, plain: bytes) -> tuple[bytes, tuple[Wish, ...]]:
        return answer_delivery(plain, self._device_id, self._joining)


def _attempt(move: Callable[[], None]) -> Status:
    """Turn a move at the wrong moment into the status that stock devices answer."""
    try:
        move()
    except IllegalTransition:
        return Status.INTERNAL_ERROR
    return Status.SUCCESS
