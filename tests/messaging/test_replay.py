from hypothesis import given
from hypothesis import strategies as st

from doorstep.messaging.replay import (
    NOTHING_SEEN,
    WINDOW_WIDTH,
    mark,
    signed_window,
    unsigned_window,
    was_seen,
)


@given(st.lists(st.integers(0, 300) | st.integers(0, 65_535), max_size=200))
def test_window_remembers_like_a_set(sequences: list[int]) -> None:
    high, window, opened = NOTHING_SEEN, 0, set[int]()
    for sequence in sequences:
        if sequence <= high - WINDOW_WIDTH:
            continue
        assert was_seen(high, window, sequence) == (sequence in opened)
        high, window = mark(high, window, sequence)
        opened.add(sequence)
        assert high == max(opened)
        assert window < 1 << WINDOW_WIDTH
        assert was_seen(high, window, sequence)


@given(st.integers(0, 2**64 - 1))
def test_window_fits_a_signed_column(window: int) -> None:
    column = signed_window(window)
    assert -(2**63) <= column < 2**63
    assert unsigned_window(column) == window
