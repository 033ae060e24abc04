"""The device's joining of a network: staged, tried, and only when it worked handed on to be stored."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from doorstep.errors import MisuseError
from doorstep.onboarding.lock import LockState, check_open
from doorstep.onboarding.network import (
    Enterprise,
    Joined,
    JoinFailure,
    JoinOutcome,
    NetworkCredentials,
    StaticAddress,
)
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.transitions import follow
from doorstep.wire.provisioning.config import ConnectedNetwork, ConnectFailure, StationReport, StationState
from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["JoinEvent", "JoinState", "Joining", "Onboarded", "advance"]


class JoinState(enum.Enum):
    """Where the attempt stands."""

    IDLE = "idle"
    """No network was put forward."""
    STAGED = "staged"
    """A network was put forward and not tried."""
    TRYING = "trying"
    """The station is joining."""
    FAILED = "failed"
    """It did not work; another network or password may be put forward at once."""
    CONNECTED = "connected"
    """It worked."""


class JoinEvent(enum.Enum):
    """What moves it."""

    STAGE = "stage"
    DETAIL = "add details"
    APPLY = "apply"
    SUCCEED = "succeed"
    FAIL = "fail"
    RESET = "reset"
    REPROVISION = "reprovision"


TRANSITIONS: Final[Mapping[JoinState, Mapping[JoinEvent, JoinState]]] = {
    JoinState.IDLE: {JoinEvent.STAGE: JoinState.STAGED, JoinEvent.RESET: JoinState.IDLE},
    JoinState.STAGED: {
        JoinEvent.STAGE: JoinState.STAGED,
        JoinEvent.DETAIL: JoinState.STAGED,
        JoinEvent.APPLY: JoinState.TRYING,
        JoinEvent.RESET: JoinState.IDLE,
    },
    JoinState.TRYING: {JoinEvent.SUCCEED: JoinState.CONNECTED, JoinEvent.FAIL: JoinState.FAILED},
    JoinState.FAILED: {JoinEvent.STAGE: JoinState.STAGED, JoinEvent.RESET: JoinState.IDLE},
    JoinState.CONNECTED: {JoinEvent.REPROVISION: JoinState.IDLE},
}


def advance(state: JoinState, event: JoinEvent) -> JoinState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


FAILURES: Final = {
    JoinFailure.WRONG_PASSWORD: (ConnectFailure.AUTHENTICATION, DeviceStage.WRONG_PASSWORD),
    JoinFailure.NO_SUCH_NETWORK: (ConnectFailure.NETWORK_NOT_FOUND, DeviceStage.NO_SUCH_NETWORK),
    JoinFailure.NO_ADDRESS: (None, DeviceStage.NO_ADDRESS),
    JoinFailure.RADIO_FAILED: (None, DeviceStage.RADIO_FAILED),
}
"""The wire format knows two reasons; the others are told on our own endpoint only."""

STAGES: Final = {
    JoinState.IDLE: DeviceStage.WAITING,
    JoinState.STAGED: DeviceStage.WAITING,
    JoinState.TRYING: DeviceStage.TRYING,
}


@dataclass(frozen=True, slots=True)
class Onboarded:
    """The network worked: store it now, and register with the order where there is one.

    It comes again when another order arrives while connected, as after a refused one.
    """

    network: NetworkCredentials
    joined: Joined
    order: RegistrationOrder | None


@dataclass(slots=True)
class Joining:
    """One device's attempt; it outlives sessions, because phones lose theirs when the radio hops."""

    state: JoinState = JoinState.IDLE
    network: NetworkCredentials | None = None
    outcome: JoinOutcome | None = None
    later: DeviceStage = DeviceStage.CONNECTED
    order: RegistrationOrder | None = None
    lock: LockState = LockState.OPEN
    """While it is not open, nothing is put forward or brought, whichever way it comes."""

    def stage(self, network: NetworkCredentials) -> None:
        """Put a network forward; raises SetupLocked for a device that is somebody's."""
        check_open(self.lock)
        self.state = advance(self.state, JoinEvent.STAGE)
        self.network, self.outcome = network, None

    def detail(self, enterprise: Enterprise | None, static: StaticAddress | None) -> None:
        """Add to the network put forward how to prove oneself to it, and a fixed address.

        Raises `SettingsError` where they contradict it.
        """
        detailed = advance(self.state, JoinEvent.DETAIL)
        self.network = replace(self._staged(), enterprise=enterprise, static=static)
        self.state = detailed

    def apply(self) -> NetworkCredentials:
        """Start trying; returns the network to join."""
        self.state = advance(self.state, JoinEvent.APPLY)
        return self._staged()

    def finish(self, outcome: JoinOutcome) -> Onboarded | None:
        """Take the station's outcome; returns what to store where it worked."""
        event = JoinEvent.SUCCEED if isinstance(outcome, Joined) else JoinEvent.FAIL
        self.state = advance(self.state, event)
        self.outcome, self.later = outcome, DeviceStage.CONNECTED
        return self._onboarded()

    def bring(self, order: RegistrationOrder) -> Onboarded | None:
        """Take a registration order; returns it with the network where the device is on one already.

        Raises SetupLocked for a device that is somebody's.
        """
        check_open(self.lock)
        self.order = order
        if self.state is JoinState.CONNECTED:  # or who asks would still hear how an earlier order ended
            self.later = DeviceStage.REGISTERING
        return self._onboarded()

    def report(self, stage: DeviceStage) -> None:
        """Say how the registration goes, for whoever asks; only once connected."""
        if self.state is JoinState.CONNECTED:
            self.later = stage

    def reset(self) -> None:
        """Forget the failed attempt."""
        self.state = advance(self.state, JoinEvent.RESET)
        self.network = self.outcome = None

    def reprovision(self) -> None:
        """Open for another network; what is stored stays stored until that one is joined."""
        self.state = advance(self.state, JoinEvent.REPROVISION)
        self.network = self.outcome = None

    def stage_report(self) -> DeviceStage:
        """Say how far the device got, in our own words."""
        if isinstance(self.outcome, JoinFailure):
            return FAILURES[self.outcome][1]
        return STAGES.get(self.state, self.later)

    def station_report(self) -> StationReport:
        """Say how far the device got, in the words that stock clients know."""
        if isinstance(self.outcome, JoinFailure):
            failure = FAILURES[self.outcome][0]
            return StationReport(
                StationState.FAILED if failure is not None else StationState.DISCONNECTED, failure
            )
        if isinstance(self.outcome, Joined):
            network = ConnectedNetwork(
                self.outcome.ip4_addr,
                self.outcome.auth,
                self._staged().ssid,
                self.outcome.bssid,
                self.outcome.channel,
            )
            return StationReport(StationState.CONNECTED, network=network)
        return StationReport(
            StationState.CONNECTING if self.state is JoinState.TRYING else StationState.DISCONNECTED
        )

    def _staged(self) -> NetworkCredentials:
        if self.network is None:
            raise MisuseError("no network was put forward")
        return self.network

    def _onboarded(self) -> Onboarded | None:
        if self.network is None or not isinstance(self.outcome, Joined):
            return None
        order, self.order = self.order, None
        return Onboarded(self.network, self.outcome, order)
