"""The two legacy envelopes: their vectors, what they refuse, and that a refusal tells nothing."""

import hashlib
import json
import os
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import unauthenticated
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.messaging.legacy import article, iot1
from doorstep.messaging.legacy.article import open_article, seal_article
from doorstep.messaging.legacy.board import MAX_RECENT, SESSION_US, Board, BoardState
from doorstep.messaging.legacy.errors import LegacyRefused, LegacyRepeat
from doorstep.messaging.legacy.formats import (
    RISKS,
    Format,
    InsecureFormat,
    UnknownFormat,
    choose,
    read_formats,
)
from doorstep.messaging.legacy.iot1 import MAX_BODY, open_iot1, seal_iot1
from doorstep.messaging.legacy.keys import LegacyKeys, generate, refuse_published
from doorstep.messaging.legacy.login import new_password, password_hash
from doorstep.messaging.legacy.readings import payload_of
from doorstep.wire import senml

PUBLISHED = LegacyKeys(b"abcdef2345678901", b"2345678901abcdef", b"0123456789abcdef", b"mypassphrase")
PRINTED = (
    b"1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,"
    b"564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289"
)
NODE = b"11242238"
KEYS = generate(os.urandom)
OTHERS = generate(os.urandom)
SESSION = b"0123456789abcdef0123456789abcdef"
BODY = json.dumps(
    {"protocol": "iot:1", "chip_id": NODE.decode(), "event": "t", "parameters": {"t": 5}}
).encode()
NOW = 1_000_000_000

numbers = count()


def rng(size: int) -> bytes:
    """Never the same twice."""
    return next(numbers).to_bytes(size, "big")


def flipped(message: bytes, at: int) -> bytes:
    digit = b"0" if message[at : at + 1] != b"0" else b"1"
    return message[:at] + digit + message[at + 1 :]


GOOD = seal_article(KEYS, NODE, b"21.5", SESSION, os.urandom)
GOOD_IOT1 = seal_iot1(KEYS, NODE, BODY, os.urandom)

BAD_ARTICLES = {
    "empty": b"",
    "no hex": b"x" * len(GOOD),
    "three fields": GOOD.rpartition(b",")[0],
    "five fields": GOOD + b",00",
    "blanks in hex": GOOD.replace(b",", b" ,", 1),
    "short iv": GOOD[2:],
    "odd data": GOOD.replace(b",", b",00", 1),
    "no data": b",".join([*GOOD.split(b",")[:2], b"", GOOD.split(b",")[3]]),
    "oversize": b",".join([*GOOD.split(b",")[:2], b"00" * 272, GOOD.split(b",")[3]]),
    "short mac": GOOD[:-2],
    "flipped iv": flipped(GOOD, 3),
    "flipped node": flipped(GOOD, 40),
    "flipped data": flipped(GOOD, 70),
    "flipped mac": flipped(GOOD, -1),
    "another session": seal_article(KEYS, NODE, b"21.5", b"f" * 32, os.urandom),
    "another node": seal_article(KEYS, b"11242239", b"21.5", SESSION, os.urandom),
    "another board's keys": seal_article(OTHERS, NODE, b"21.5", SESSION, os.urandom),
}


def iot1_of(**changed: object) -> bytes:
    return json.dumps(json.loads(GOOD_IOT1) | changed).encode()


IV, CIPHERTEXT, MAC = json.loads(GOOD_IOT1)["parameters"]
BAD_IOT1 = {
    "empty": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "deep": b"[" * 8_000,
    "oversize": GOOD_IOT1 + b" " * 9_000,
    "another event": iot1_of(event="message.plain"),
    "no list": iot1_of(parameters={"a": 1}),
    "two parameters": iot1_of(parameters=[IV, MAC]),
    "numbers": iot1_of(parameters=[1, 2, 3]),
    "no hex": iot1_of(parameters=[IV, "zz", MAC]),
    "short iv": iot1_of(parameters=[IV[2:], CIPHERTEXT, MAC]),
    "no body": iot1_of(parameters=[IV, "", MAC]),
    "half a block": iot1_of(parameters=[IV, CIPHERTEXT[2:], MAC]),
    "long body": iot1_of(parameters=[IV, "00" * (MAX_BODY + 32), MAC]),
    "flipped iv": iot1_of(parameters=[flipped(IV.encode(), 1).decode(), CIPHERTEXT, MAC]),
    "flipped body": iot1_of(parameters=[IV, flipped(CIPHERTEXT.encode(), 1).decode(), MAC]),
    "flipped mac": iot1_of(parameters=[IV, CIPHERTEXT, flipped(MAC.encode(), 1).decode()]),
    "another node": seal_iot1(KEYS, NODE, BODY.replace(NODE, b"11242239"), os.urandom),
    "no node": seal_iot1(KEYS, NODE, b"{}", os.urandom),
    "no text": seal_iot1(KEYS, NODE, b"\xff", os.urandom),
    "another board's keys": seal_iot1(OTHERS, NODE, BODY, os.urandom),
}


def test_articles_printed_line_decodes_to_node_11242238_data_5_and_its_hmac_verifies() -> None:
    assert open_article(PUBLISHED, b"11242238", b"", PRINTED) == b"5"
    iv = unauthenticated.cbc_blocks_open(
        PUBLISHED.iv_key, PUBLISHED.static_iv, bytes.fromhex(PRINTED[:32].decode())
    )
    assert iv == b" f9dc2766548509e"
    assert PUBLISHED.mac(b"11242238", iv, b"5", b"").hex() == PRINTED.rpartition(b",")[2].decode()


def test_platform_seals_the_articles_printed_line() -> None:
    assert PRINTED.startswith(
        unauthenticated.cbc_blocks_seal(PUBLISHED.iv_key, PUBLISHED.static_iv, b" f9dc2766548509e")
        .hex()
        .encode()
    )


@given(st.binary(max_size=256).filter(lambda data: not data.endswith(b"\0")), st.integers(0, 2**32))
def test_platform_opens_what_it_seals_in_the_articles_envelope(data: bytes, node: int) -> None:
    name = str(node).encode()
    assert open_article(KEYS, name, SESSION, seal_article(KEYS, name, data, SESSION, os.urandom)) == data


@given(st.dictionaries(st.text(max_size=20), st.one_of(st.integers(), st.text(max_size=50)), max_size=8))
def test_platform_opens_what_it_seals_in_iot1(parameters: dict[str, object]) -> None:
    body = json.dumps({"chip_id": NODE.decode(), "parameters": parameters}).encode()
    assert open_iot1(KEYS, NODE, seal_iot1(KEYS, NODE, body, os.urandom)) == body


@pytest.mark.parametrize("message", BAD_ARTICLES.values(), ids=BAD_ARTICLES)
def test_platform_refuses_every_bad_article_alike(message: bytes) -> None:
    with pytest.raises(LegacyRefused) as refused:
        open_article(KEYS, NODE, SESSION, message)
    assert refused.value.message == LegacyRefused().message


@pytest.mark.parametrize("message", BAD_IOT1.values(), ids=BAD_IOT1)
def test_platform_refuses_every_bad_iot1_alike(message: bytes) -> None:
    with pytest.raises(LegacyRefused) as refused:
        open_iot1(KEYS, NODE, message)
    assert refused.value.message == LegacyRefused().message


def test_platform_refuses_a_good_article_without_a_session() -> None:
    with pytest.raises(LegacyRefused):
        open_article(KEYS, NODE, None, GOOD)
    with pytest.raises(LegacyRefused):  # what the printed line did: no session at all
        open_article(PUBLISHED, NODE, None, PRINTED)


@pytest.mark.parametrize(
    ("opened", "good", "bad"),
    [
        (lambda message: open_article(KEYS, NODE, SESSION, message), GOOD, BAD_ARTICLES),
        (lambda message: open_iot1(KEYS, NODE, message), GOOD_IOT1, BAD_IOT1),
    ],
    ids=["article", "iot1"],
)
def test_platform_does_the_same_work_for_good_and_bad(
    opened: Callable[[bytes], bytes], good: bytes, bad: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def counted(name: str, real: Callable[..., bytes]) -> Callable[..., bytes]:
        def call(*given: object) -> bytes:
            steps.append(name)
            return real(*given)

        return call

    for module in (article, iot1):
        monkeypatch.setattr(module, "cbc_blocks_open", counted("decrypt", unauthenticated.cbc_blocks_open))
    monkeypatch.setattr(LegacyKeys, "mac", counted("mac", LegacyKeys.mac))
    opened(good)
    wanted = steps.copy()
    for message in bad.values():
        steps.clear()
        with pytest.raises(LegacyRefused):
            opened(message)
        assert steps == wanted


@pytest.mark.parametrize(
    ("node", "data"), [(b"1" * 33, b""), (b"1", b"1" * 257), (b"1\0", b""), (b"1", b"5\0")]
)
def test_platform_seals_nothing_that_the_article_can_not_carry(node: bytes, data: bytes) -> None:
    with pytest.raises(MisuseError):
        seal_article(KEYS, node, data, SESSION, os.urandom)


@pytest.mark.parametrize("body", [b"1" * (MAX_BODY + 1), b"1\0", b"\0001"])
def test_platform_seals_nothing_that_iot1_can_not_carry(body: bytes) -> None:
    with pytest.raises(MisuseError):
        seal_iot1(KEYS, NODE, body, os.urandom)


def article_board(**state: Any) -> Board:
    return Board(Format.ARTICLE, NODE, KEYS, BoardState(**state))


def sent(board: Board, said: bytes = b"5") -> bytes:
    return seal_article(board.keys, board.node_id, said, board.state.session.encode(), os.urandom)


def test_board_sends_one_message_for_each_session_id() -> None:
    board = article_board()
    numbers = []
    for _ in range(3):
        board.give_session(NOW, rng)
        numbers.append(board.receive(sent(board), NOW).number)
        with pytest.raises(LegacyRefused):
            board.receive(sent(board), NOW)
    assert numbers == [NOW, NOW + 1, NOW + 2]


@pytest.mark.parametrize("message", BAD_ARTICLES.values(), ids=BAD_ARTICLES)
def test_board_loses_its_session_id_whatever_the_result(message: bytes) -> None:
    board = article_board(session=SESSION.decode(), session_until_us=NOW + 1)
    with pytest.raises(LegacyRefused):
        board.receive(message, NOW)
    with pytest.raises(LegacyRefused):
        board.receive(GOOD, NOW)


def test_board_may_use_a_session_id_for_ten_minutes() -> None:
    for late, good in ((SESSION_US - 1, True), (SESSION_US, False)):
        board = article_board()
        board.give_session(NOW, rng)
        if good:
            assert board.receive(sent(board), NOW + late).said == b"5"
        else:
            with pytest.raises(LegacyRefused):
                board.receive(sent(board), NOW + late)


def test_board_repeats_a_taken_message_and_keeps_its_next_session_id() -> None:
    board = article_board()
    board.give_session(NOW, rng)
    message = sent(board)
    board.receive(message, NOW)
    board.give_session(NOW, rng)
    before = board.state
    with pytest.raises(LegacyRepeat):
        board.receive(message.upper(), NOW)
    assert board.state == before


def test_iot1_board_repeats_none_of_its_newest_messages() -> None:
    board = Board(Format.IOT1, NODE, KEYS)
    messages = [seal_iot1(KEYS, NODE, BODY, rng) for _ in range(MAX_RECENT + 1)]
    for message in messages:
        board.receive(message, NOW)
    for message in messages[1:]:
        with pytest.raises(LegacyRepeat):
            board.receive(message, NOW)
    assert board.receive(messages[0], NOW).said == BODY  # what the format can't promise


def test_listening_board_gets_one_message_for_each_id_that_it_announced() -> None:
    board = article_board()
    assert board.seal_from(b"7", b"on", NOW, os.urandom) is None
    board.announce(SESSION, NOW)
    sealed = board.seal_from(b"7", b"on", NOW, os.urandom)
    assert sealed is not None
    assert open_article(KEYS, b"7", SESSION, sealed) == b"on"
    assert board.seal_from(b"7", b"off", NOW, os.urandom) is None
    board.announce(SESSION, NOW)
    assert board.seal_from(b"7", b"off", NOW + SESSION_US, os.urandom) is None


def test_listening_iot1_board_gets_every_message() -> None:
    board = Board(Format.IOT1, b"other", OTHERS)
    sealed = board.seal_from(NODE, BODY, NOW, os.urandom)
    assert sealed is not None
    assert open_iot1(OTHERS, NODE, sealed) == BODY


@pytest.mark.parametrize("session", [b"", b"short", b"a" * 65, b"a" * 20 + b",", b"a" * 20 + b"\xff"])
def test_board_announces_nothing_but_letters_and_digits(session: bytes) -> None:
    board = article_board()
    with pytest.raises(MalformedMessage):
        board.announce(session, NOW)
    assert board.state == BoardState()


READINGS: dict[tuple[Format, bytes], dict[str, object]] = {
    (Format.ARTICLE, b"5"): {"data": 5},
    (Format.ARTICLE, b"-21.50"): {"data": -21.5},
    (Format.ARTICLE, b"1e9"): {"data": "1e9"},
    (Format.ARTICLE, b"on"): {"data": "on"},
    (Format.IOT1, BODY): {"t": 5},
    (Format.IOT1, b'{"event":"start","parameters":{}}'): {"event": "start"},
    (Format.IOT1, b'{"event":"start","parameters":[1]}'): {"event": "start"},
}


@pytest.mark.parametrize(("said", "wanted"), READINGS.items())
def test_platform_keeps_what_a_board_said_as_readings(
    said: tuple[Format, bytes], wanted: dict[str, object]
) -> None:
    payload = payload_of(*said)
    assert json.loads(payload) == wanted
    assert senml.check(payload) == 1


@pytest.mark.parametrize(
    "said", [(Format.ARTICLE, b"\xff"), (Format.IOT1, b'{"parameters":{"t":NaN}}'), (Format.IOT1, b"{")]
)
def test_platform_finds_no_readings_in_what_is_none(said: tuple[Format, bytes]) -> None:
    with pytest.raises(MalformedMessage):
        payload_of(*said)


@pytest.mark.parametrize("one", Format)
def test_product_takes_no_legacy_format_without_consent(one: Format) -> None:
    with pytest.raises(InsecureFormat, match="insecure") as refused:
        choose([one])
    assert refused.value.format is one
    assert choose([one], [one]) == (one,)
    assert RISKS[one] in refused.value.message


def test_product_takes_no_unknown_format() -> None:
    with pytest.raises(UnknownFormat):
        choose(["plain"])
    assert read_formats("article iot1-aessha1") == tuple(Format)
    assert read_formats("") == ()


def test_board_has_keys_of_its_own() -> None:
    refuse_published(KEYS)
    with pytest.raises(MisuseError, match="everybody has"):
        refuse_published(PUBLISHED)
    assert LegacyKeys.from_bytes(KEYS.to_bytes()) == KEYS
    assert not any(secret.decode() in repr(KEYS) for secret in (KEYS.iv_key, KEYS.data_key, KEYS.passphrase))


@pytest.mark.parametrize("stored", [b"", b"a" * 55, b"a" * 113, b"a" * 47 + b"\n" + b"a" * 20, b"\xff" * 60])
def test_platform_reads_no_keys_that_no_board_can_have(stored: bytes) -> None:
    with pytest.raises(MalformedMessage):
        LegacyKeys.from_bytes(stored)


@pytest.mark.parametrize("one", Format)
def test_format_tells_its_own_risk(one: Format) -> None:
    assert one.risk == RISKS[one]


def test_password_is_no_proof_and_its_hash_does_not_hold_it() -> None:
    password = new_password(lambda size: bytes(range(size)))
    assert password == "legacy.AAECAwQFBgcICQoLDA0ODxAR"
    assert password_hash(password) == hashlib.sha256(password.encode()).hexdigest()
