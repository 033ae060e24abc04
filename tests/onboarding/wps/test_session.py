from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import DoorstepError, IllegalTransition
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.wps.failures import (
    Overlap,
    PinIsOff,
    SetupLocked,
    UnusableNetwork,
    WalkTimeOver,
    WpsBroken,
    WrongPin,
)
from doorstep.onboarding.wps.session import (
    EVENTS,
    TRANSITIONS,
    WALK_TIME,
    DeviceSession,
    RouterSession,
    State,
)
from doorstep.wire.wpa_control import ControlEvent
from tests.wire.test_wps import KEY, KIND, SSID, attribute

HOME = NetworkCredentials(b"home", b"correct horse")


def said(name: str, text: str = "", **fields: str) -> ControlEvent:
    return ControlEvent(name, text, fields)


def credential(*attributes: bytes) -> ControlEvent:
    return said("WPS-CRED-RECEIVED", attribute(0x100E, b"".join(attributes)).hex())


def opened() -> DeviceSession:
    session = DeviceSession()
    session.open(100.0)
    return session


SUCCESS = said("WPS-SUCCESS")


def test_device_learns_the_network_when_the_exchange_has_succeeded() -> None:
    session = opened()
    assert session.hear(said("WPS-M2D", config_error="0")) is None
    assert session.hear(SUCCESS) is None  # of what? nothing was given
    assert session.hear(credential(SSID, KIND, KEY)) is None
    assert "correct" not in repr(session)
    assert session.hear(SUCCESS) == HOME
    assert session.state is State.DONE


OPEN, WEP, ENTERPRISE = (attribute(0x1003, kind) for kind in (b"\0\1", b"\0\4", b"\0\x10"))


@pytest.mark.parametrize(
    ("attributes", "network"),
    [
        ((SSID, attribute(0x1003, b"\0\x22"), KEY), HOME),
        ((SSID, OPEN), NetworkCredentials(b"home")),
        ((SSID, KIND, attribute(0x1027, b"0a" * 32)), NetworkCredentials(b"home", b"0a" * 32)),
    ],
    ids=["mixed", "open", "key"],
)
def test_device_takes(attributes: tuple[bytes, ...], network: NetworkCredentials) -> None:
    session = opened()
    session.hear(credential(*attributes))
    assert session.hear(SUCCESS) == network


@pytest.mark.parametrize(
    "event",
    [
        credential(SSID, WEP, attribute(0x1027, b"12345")),
        credential(SSID, ENTERPRISE),
        credential(SSID, KIND),
        credential(SSID, OPEN, KEY),
        credential(SSID, KIND, attribute(0x1027, b"short")),
        said("WPS-CRED-RECEIVED", "no hexadecimal digits"),
        said("WPS-CRED-RECEIVED"),
    ],
    ids=["WEP", "enterprise", "no key", "key of an open one", "short key", "no digits", "nothing"],
)
def test_device_refuses_network(event: ControlEvent) -> None:
    session = opened()
    with pytest.raises(UnusableNetwork):
        session.hear(event)
    assert session.state is State.FAILED


def test_device_takes_the_first_network_that_it_can_join() -> None:
    session = opened()
    enterprise = attribute(0x100E, SSID + ENTERPRISE)
    session.hear(said("WPS-CRED-RECEIVED", (enterprise + attribute(0x100E, SSID + KIND + KEY)).hex()))
    assert session.hear(SUCCESS) == HOME


FAILURES: list[tuple[ControlEvent, type[DoorstepError]]] = [
    (said("WPS-OVERLAP-DETECTED"), Overlap),
    (said("WPS-TIMEOUT"), WalkTimeOver),
    (said("WPS-M2D", config_error="12"), Overlap),
    (said("WPS-FAIL", config_error="15"), SetupLocked),
    (said("WPS-FAIL", config_error="16"), WalkTimeOver),
    (said("WPS-FAIL", config_error="17"), WalkTimeOver),
    (said("WPS-FAIL", config_error="18"), WrongPin),
    (said("WPS-FAIL", config_error="7"), WpsBroken),
]


@pytest.mark.parametrize(("event", "failure"), FAILURES)
@pytest.mark.parametrize("kind", [DeviceSession, RouterSession])
def test_session_ends_with_a_sentence_and_a_next_step(
    kind: type[DeviceSession | RouterSession], event: ControlEvent, failure: type[DoorstepError]
) -> None:
    session = kind()
    session.open(0.0)
    with pytest.raises(failure) as refusal:
        session.hear(event)
    assert session.state is State.FAILED
    assert refusal.value.next_step
    session.open(1.0)  # it can be tried again at once


@pytest.mark.parametrize("code", ["", "0", "x", "٣", "123456"])
def test_session_goes_on_after_a_failure_that_says_nothing(code: str) -> None:
    assert opened().hear(said("WPS-FAIL", config_error=code)) is None


def test_session_ends_after_two_minutes() -> None:
    session = opened()
    assert session.left(100.0 + WALK_TIME - 1) == 1
    with pytest.raises(WalkTimeOver, match="two minutes"):
        session.left(100.0 + WALK_TIME)
    assert session.state is State.FAILED


def test_session_opens_once() -> None:
    with pytest.raises(IllegalTransition, match="'opening' while open"):
        opened().open(101.0)


@pytest.mark.parametrize(
    ("text", "address"),
    [("02:00:00:00:01:00 1234-uuid", b"\2\0\0\0\1\0"), ("nobody", b"")],
    ids=["address", "none"],
)
def test_router_says_who_got_the_network(text: str, address: bytes) -> None:
    session = RouterSession()
    session.open(0.0)
    assert session.hear(SUCCESS) is None
    assert session.hear(said("WPS-REG-SUCCESS", text)) == address
    assert session.state is State.DONE


@given(
    st.sampled_from(EVENTS),
    st.text(max_size=40),
    st.dictionaries(st.just("config_error"), st.text(max_size=4)),
)
def test_session_answers_whatever_a_driver_says_with_a_documented_error(
    name: str, text: str, fields: dict[str, Any]
) -> None:
    for session in (DeviceSession(), RouterSession()):
        session.open(0.0)
        try:
            session.hear(ControlEvent(name, text, fields))
        except DoorstepError as failure:
            assert failure.next_step  # noqa: PT017 - every failure has one


def test_pin_is_off_says_what_to_do() -> None:
    assert "button" in PinIsOff().next_step


def test_every_state_is_reached() -> None:
    assert {State.CLOSED} | {to for moves in TRANSITIONS.values() for to in moves.values()} == set(State)
