from hypothesis import given
from hypothesis import strategies as st

from doorstep.messaging.keys import master_secret, next_root
from doorstep.messaging.state import EpochState, SealedState, StoredState

ROOT = bytes(range(32))
EPOCHS = st.builds(
    EpochState,
    st.integers(0, 2**31 - 1),
    st.binary(min_size=16, max_size=16),
    st.integers(-1, 65_535),
    st.integers(0, 2**64 - 1),
)
STATES = st.builds(SealedState, EPOCHS, st.just(ROOT)) | st.builds(
    SealedState, EPOCHS, st.just(ROOT), EPOCHS, st.integers(0, 2**62)
)


@given(STATES)
def test_state_comes_back_from_its_columns(state: SealedState) -> None:
    row = state.columns()
    assert SealedState.from_columns(row) == state
    assert SealedState.from_columns(row).columns() == row
    for number in (row.epoch, row.seq_high, row.window_bits, row.previous_window_bits):
        assert -(2**63) <= number < 2**63
    assert not SealedState.from_columns(row).unsaved


def test_new_state_holds_the_first_epoch_and_the_next_root() -> None:
    state = SealedState.first(ROOT, 7)
    assert state == SealedState(EpochState(7, master_secret(ROOT)), next_root(ROOT))
    assert state.unsaved


def test_row_without_master_holds_the_root_of_its_own_epoch() -> None:
    assert SealedState.from_columns(StoredState(7, ROOT)) == SealedState.first(ROOT, 7)
    assert SealedState.from_columns(StoredState(7, ROOT)).unsaved


def test_secrets_stay_out_of_repr() -> None:
    previous = EpochState(0, b"\x11" * 16)
    state = SealedState(EpochState(1, b"\x22" * 16), b"\x33" * 32, previous, 5)
    for shown in (repr(state), repr(state.columns()), str(state.columns())):
        assert "epoch=1" in shown
        for secret in ("x11", "x22", "x33"):
            assert secret not in shown
