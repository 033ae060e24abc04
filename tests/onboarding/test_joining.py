import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition, MisuseError
from doorstep.onboarding.joining import TRANSITIONS, JoinEvent, Joining, JoinState, advance
from doorstep.onboarding.network import Joined, JoinFailure, NetworkCredentials
from doorstep.wire.provisioning.config import ConnectFailure, StationState
from doorstep.wire.provisioning.delivery import DeviceStage

HOME = NetworkCredentials(b"home", b"correct horse")
JOINED = Joined("10.0.0.2")

REPORTS = {
    JoinFailure.WRONG_PASSWORD: (
        StationState.FAILED,
        ConnectFailure.AUTHENTICATION,
        DeviceStage.WRONG_PASSWORD,
    ),
    JoinFailure.NO_SUCH_NETWORK: (
        StationState.FAILED,
        ConnectFailure.NETWORK_NOT_FOUND,
        DeviceStage.NO_SUCH_NETWORK,
    ),
    JoinFailure.NO_ADDRESS: (StationState.DISCONNECTED, None, DeviceStage.NO_ADDRESS),
    JoinFailure.RADIO_FAILED: (StationState.DISCONNECTED, None, DeviceStage.RADIO_FAILED),
}


def _trying() -> Joining:
    joining = Joining()
    joining.stage(HOME)
    assert joining.stage_report() is DeviceStage.WAITING
    assert joining.apply() == HOME
    return joining


@pytest.mark.parametrize("failure", JoinFailure)
def test_failure_is_reported_in_both_vocabularies(failure: JoinFailure) -> None:
    joining = _trying()
    assert joining.station_report().state is StationState.CONNECTING
    assert joining.stage_report() is DeviceStage.TRYING
    joining.finish(failure)
    report = joining.station_report()
    assert (report.state, report.failure, joining.stage_report()) == REPORTS[failure]


def test_success_is_reported_in_both_vocabularies() -> None:
    joining = _trying()
    joining.finish(JOINED)
    report = joining.station_report()
    assert report.state is StationState.CONNECTED
    assert report.network is not None
    assert (report.network.ip4_addr, report.network.ssid) == ("10.0.0.2", b"home")
    assert joining.stage_report() is DeviceStage.CONNECTED


def test_wrong_password_is_corrected_without_reset() -> None:
    joining = _trying()
    joining.finish(JoinFailure.WRONG_PASSWORD)
    joining.stage(HOME)
    assert joining.station_report().state is StationState.DISCONNECTED
    joining.apply()
    joining.finish(JOINED)
    assert joining.state is JoinState.CONNECTED


def test_reset_and_reprovision_return_to_idle() -> None:
    joining = _trying()
    joining.finish(JoinFailure.NO_ADDRESS)
    joining.reset()
    assert joining == Joining()
    joining = _trying()
    joining.finish(JOINED)
    joining.reprovision()
    assert (joining.state, joining.network) == (JoinState.IDLE, None)


def test_network_is_needed_before_it_is_named() -> None:
    with pytest.raises(MisuseError):
        Joining(JoinState.STAGED).apply()


@given(st.lists(st.sampled_from(JoinEvent), max_size=12))
def test_machine_moves_by_its_table_or_refuses(events: list[JoinEvent]) -> None:
    state = JoinState.IDLE
    for event in events:
        allowed = event in TRANSITIONS[state]
        try:
            state = advance(state, event)
        except IllegalTransition:
            assert not allowed
        else:
            assert allowed


def test_every_state_is_reached() -> None:
    reached = {JoinState.IDLE} | {target for row in TRANSITIONS.values() for target in row.values()}
    assert reached == set(JoinState)
