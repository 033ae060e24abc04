from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, cycle, islice

import pytest

from doorstep.errors import IllegalTransition
from doorstep.onboarding.esptouch.listening import (
    CHANNELS,
    TRANSITIONS,
    Listener,
    ListenEvent,
    ListenState,
    advance,
)
from doorstep.onboarding.esptouch.v1 import PACE, encode_v1, rounds_v1
from doorstep.onboarding.esptouch.v2 import AnnouncementRefused, encode_v2
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.monitor import DataFrame
from tests.onboarding.esptouch.air import FRAME, Air, listen
from tests.onboarding.esptouch.test_v1 import BSSID, HOME, IP

OTHER = NetworkCredentials(b"next door", b"another password", BSSID)
NEIGHBOUR = b"\x02neigh"


def announcing(
    network: NetworkCredentials = HOME, sender: bytes = b"\x02phone", seed: int = 1
) -> Iterator[DataFrame]:
    return Air(loss=0.1, seed=seed).frames(rounds_v1(encode_v1(network, IP)), sender)


def test_table_knows_every_state_and_ends_nowhere() -> None:
    assert TRANSITIONS.keys() == set(ListenState)
    assert {state for row in TRANSITIONS.values() for state in row.values()} == set(ListenState)


def test_illegal_moves_are_refused() -> None:
    with pytest.raises(IllegalTransition):
        advance(ListenState.SEARCHING, ListenEvent.WHOLE)


def test_board_hops_over_every_channel_where_nobody_announces() -> None:
    listener = Listener(0.0)
    seen = [listener.channel(step / 100) for step in range(300)]
    assert tuple(dict.fromkeys(seen)) == CHANNELS
    assert seen[0] == seen[200] == CHANNELS[0]


@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_board_finds_the_channel_of_the_announcer(tuning: float) -> None:
    """Also where changing the channel takes twice as long as a dwell."""
    listener, now, channel, deaf = Listener(0.0), 0.0, 1, 0.0
    for frame in islice(announcing(), 20_000):
        now += PACE
        if now < deaf:
            continue
        if listener.channel(now) != channel:
            channel, deaf = listener.channel(now), now + tuning
            listener.tuned(deaf)
        elif channel == 11 and listener.hear(frame, now) is not None:
            break
    assert listener.state is ListenState.HEARD
    assert listener.channel(now + 100) == 11


def test_board_leaves_a_channel_where_groups_are_talked_to_but_nothing_is_announced() -> None:
    listener = Listener(0.0)
    for step in range(10):
        listener.hear(replace(FRAME, size=300, sequence=step), 0.01 * step)
    assert listener.state.value == "staying"
    assert listener.channel(6.0) == CHANNELS[0]
    assert listener.channel(7.0) == CHANNELS[1]


def test_board_searches_on_when_the_announcer_falls_silent() -> None:
    listener = Listener(0.0, channels=(6,))
    listen(listener, announcing(), pace=PACE, most=100)
    assert listener.state is ListenState.LOCKED
    listener.channel(100.0)
    assert listener.state.value == "searching"


def test_a_second_announcer_confuses_nobody() -> None:
    mixed = chain.from_iterable(zip(announcing(), announcing(OTHER, NEIGHBOUR, seed=2), strict=False))
    heard = listen(Listener(0.0, channels=(6,)), mixed, pace=PACE / 2, most=12_000)
    assert heard is not None
    assert heard.network.passphrase in (HOME.passphrase, OTHER.passphrase)
    assert (heard.network.ssid == HOME.ssid) == (heard.network.passphrase == HOME.passphrase)


def test_noise_of_a_neighbour_and_frames_to_single_stations_confuse_nobody() -> None:
    noise = (
        replace(FRAME, transmitter=NEIGHBOUR, size=size, sequence=size) for size in cycle(range(70, 1500, 7))
    )
    singles = (replace(FRAME, destination=b"\x02other", size=size) for size in cycle(range(70, 1500, 11)))
    mixed = chain.from_iterable(zip(announcing(), noise, singles, strict=False))
    heard = listen(Listener(0.0, channels=(6,)), mixed, pace=PACE / 3, most=20_000)
    assert heard is not None
    assert heard.network.passphrase == HOME.passphrase


def test_phone_and_access_point_that_relays_it_are_read_apart() -> None:
    relayed = (replace(frame, transmitter=b"\x02acces", size=frame.size - 2) for frame in announcing(seed=3))
    mixed = chain.from_iterable(zip(announcing(), relayed, strict=False))
    heard = listen(Listener(0.0, channels=(6,)), mixed, pace=PACE / 2, most=12_000)
    assert heard is not None
    assert heard.network.passphrase == HOME.passphrase


def test_board_listens_again_after_a_wrong_password() -> None:
    listener = Listener(0.0, channels=(6,))
    assert listen(listener, announcing(), pace=PACE, most=6_000) is not None
    assert listen(listener, announcing(), pace=PACE, most=6_000) is None
    listener.again(0.0)
    heard = listen(listener, announcing(OTHER, NEIGHBOUR), pace=PACE, most=6_000)
    assert heard is not None
    assert heard.network.ssid == OTHER.ssid


def test_board_remembers_no_more_senders_than_it_must() -> None:
    listener = Listener(0.0, channels=(6,))
    for number in range(1000):
        listener.hear(replace(FRAME, transmitter=number.to_bytes(6), size=100), 0.0)
    assert len(listener._senders) == 32


def test_board_tells_of_an_announcement_that_its_product_does_not_take() -> None:
    frames = Air().frames(cycle(encode_v2(HOME, bytes)))
    with pytest.raises(AnnouncementRefused):
        listen(Listener(0.0, channels=(6,), key=bytes(16)), frames, pace=PACE, most=1000)
