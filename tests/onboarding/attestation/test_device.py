"""The device's side of an attestation, and what its transcript binds."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.errors import MalformedMessage, PeerError, ProtocolViolation, VerificationFailed
from doorstep.identity import statement
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.device import (
    ATTEST,
    COMMIT,
    PATIENCE,
    TRIES,
    Attestor,
    TooManyAttestations,
)
from doorstep.onboarding.attestation.phone import Attestation, attest
from doorstep.onboarding.attestation.transcript import (
    NO_SESSION,
    PATTERNS,
    commitment_of,
    in_words,
    pattern_of,
    session_hash,
)

KEY = p256.generate(os.urandom)
CHALLENGE = bytes(range(32))
HELLO = bytes((COMMIT,))
SHOW = bytes((ATTEST,))


def device(name: str = "binsypko") -> Attestor:
    return Attestor(name, KEY.sign, os.urandom)


def talk(
    here: Attestor, *, window: int | None = 1, session: bytes = NO_SESSION, phones: bytes = NO_SESSION
) -> Attestation:
    phone = attest(CHALLENGE, os.urandom, phones)
    body = next(phone).body
    try:
        while True:
            body = phone.send(here.answer(body, session=session, window=window, now=0.0).reply).body
    except StopIteration as done:
        made: Attestation = done.value
        return made


def transcript_in(made: Attestation) -> bytes | None:
    return statement.verify(made.statement, KEY.public_key, purpose=Purpose.ATTEST).transcript


def test_statement_holds_the_phones_transcript() -> None:
    made = talk(device())
    assert transcript_in(made) == made.transcript


def test_transcripts_of_two_genuine_devices_cannot_be_swapped() -> None:
    here, there = talk(device("aaaaaaaa")), talk(device("bbbbbbbb"))
    assert transcript_in(there) != here.transcript
    assert transcript_in(here) != there.transcript


def test_transcript_binds_the_session() -> None:
    session = session_hash([b"one", b"two"])
    made = talk(device(), session=session, phones=session)
    assert transcript_in(made) == made.transcript
    between = talk(device(), session=session, phones=session_hash([b"one", b"2"]))
    assert transcript_in(between) != between.transcript


def test_hash_of_a_session_cannot_be_split_otherwise() -> None:
    assert session_hash([b"ab", b"c"]) != session_hash([b"a", b"bc"])


def test_pattern_is_shown_only_to_somebody_who_is_there() -> None:
    for window in (None, 3):
        here, nonce = device(), os.urandom(32)
        here.answer(HELLO + commitment_of(nonce), session=NO_SESSION, window=window, now=0)
        answer = here.answer(SHOW + nonce + CHALLENGE, session=NO_SESSION, window=window, now=1)
        assert (answer.pattern is None) == (window is None)


def test_device_takes_three_conversations_a_window() -> None:
    here = device()
    for _ in range(TRIES):
        talk(here)
    with pytest.raises(TooManyAttestations):
        talk(here)
    talk(here, window=None)
    talk(here, window=2)


def test_commitment_without_its_nonce_counts_too() -> None:
    here = device()
    for _ in range(TRIES):
        here.answer(HELLO + os.urandom(32), session=NO_SESSION, window=1, now=0)
    with pytest.raises(TooManyAttestations):
        here.answer(HELLO + os.urandom(32), session=NO_SESSION, window=1, now=0)


def test_device_refuses_another_nonce_than_was_committed_to() -> None:
    here = device()
    here.answer(HELLO + commitment_of(bytes(32)), session=NO_SESSION, window=1, now=0)
    with pytest.raises(VerificationFailed):
        here.answer(SHOW + os.urandom(32) + CHALLENGE, session=NO_SESSION, window=1, now=0)
    with pytest.raises(ProtocolViolation):
        here.answer(SHOW + bytes(32) + CHALLENGE, session=NO_SESSION, window=1, now=0)


def test_device_nonce_is_good_once_and_for_a_minute() -> None:
    here = device()
    here.answer(HELLO + commitment_of(bytes(32)), session=NO_SESSION, window=1, now=0)
    with pytest.raises(ProtocolViolation):
        here.answer(SHOW + bytes(32) + CHALLENGE, session=NO_SESSION, window=1, now=PATIENCE)
    with pytest.raises(ProtocolViolation):
        device().answer(SHOW + bytes(32) + CHALLENGE, session=NO_SESSION, window=1, now=0)


BAD = {
    "nothing": b"",
    "unknown kind": b"\x03" + bytes(32),
    "short commitment": HELLO + bytes(31),
    "long commitment": HELLO + bytes(33),
    "challenge too short": SHOW + bytes(32) + bytes(15),
    "challenge too long": SHOW + bytes(32) + bytes(65),
}


@pytest.mark.parametrize("name", BAD)
def test_device_refuses(name: str) -> None:
    with pytest.raises(MalformedMessage):
        device().answer(BAD[name], session=NO_SESSION, window=1, now=0)


@given(st.binary(max_size=140))
def test_device_raises_nothing_but_what_it_says(body: bytes) -> None:
    try:
        device().answer(body, session=NO_SESSION, window=None, now=0)
    except PeerError:
        return


def test_phone_refuses_a_nonce_of_another_size() -> None:
    phone = attest(CHALLENGE, os.urandom)
    next(phone)
    with pytest.raises(MalformedMessage):
        phone.send(bytes(31))


def test_patterns_are_spread_and_said_in_words() -> None:
    seen = {pattern_of(number.to_bytes(32)) for number in range(4000)}
    assert len(seen) == PATTERNS
    assert all(1 <= count <= 6 for pattern in seen for count in pattern)
    assert in_words((3, 1, 6)) == "3, then 1, then 6"
