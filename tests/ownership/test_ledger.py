"""Entries of the custody ledger: what they can say, and their one byte form."""

from dataclasses import replace

import pytest

from doorstep.crypto.ed25519 import SigningKey
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.ownership.ledger import (
    GENESIS,
    TEXT_CAP,
    Entry,
    Event,
    Head,
    Kind,
    SealedEntry,
    build,
    parse_head,
)
from doorstep.wire import cbor

_KEY = SigningKey.from_seed(bytes(range(32)))
_SOLD = Event(Kind.SOLD, "abcdefgh", "operator", {"order": "A-1"})


def _chain(count: int = 4) -> list[SealedEntry]:
    events = [replace(_SOLD, detail={"order": f"A-{number}"}) for number in range(count)]
    return list(build(GENESIS, events, 1_700_000_000_000_000, lambda _: _KEY.sign))


def test_entry_decodes_to_what_was_written() -> None:
    [sealed] = _chain(1)
    entry = Entry.from_body(sealed.body)
    assert entry.event == replace(_SOLD, detail={"order": "A-0"})
    assert entry.to_body() == sealed.body


def _body(**changes: cbor.Value) -> bytes:
    value: dict[str, cbor.Value] = {
        "number": 1,
        "at_us": 5,
        "kind": "sold",
        "device": "abcdefgh",
        "actor": "operator",
        "detail": {"order": "A"},
        "previous": bytes(32),
    }
    return cbor.encode({key: one for key, one in {**value, **changes}.items() if one != "absent"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        cbor.encode([1]),
        _body(kind="absent"),
        _body(more=1),
        _body(number="1"),
        _body(kind="stolen"),
        _body(detail={"order": True}),
        _body(detail={1: "A"}),
        _body(detail={"order": b"A"}),
        _body(detail={}),
        _body(detail={"order": "A", "buyer": "somebody"}),
        _body(actor="x" * (TEXT_CAP + 1)),
        _body(actor="user:3@"),
        _body(actor="user:3@seven"),
        _body(actor="user:3@07"),
        _body(actor="user:3@7@8"),
        _body(device=""),
        _body(kind="key_added", detail={"organisation": 7, "key": "00" * 32}),
        _body(detail={"order": "x" * 2100}),
    ],
)
def test_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Entry.from_body(body)


@pytest.mark.parametrize(
    ("actor", "detail"), [("operator", {"order": "A", "buyer": "x"}), ("x" * (TEXT_CAP + 1), {"order": "A"})]
)
def test_event_says_what_its_kind_says_and_no_more(actor: str, detail: dict[str, str | int]) -> None:
    with pytest.raises(MisuseError):
        Event(Kind.SOLD, "abcdefgh", actor, detail)


def test_anchor_is_written_and_read() -> None:
    head = Head(4, _chain()[-1].digest)
    assert parse_head(str(head)) == head


@pytest.mark.parametrize(
    "text", ["", "1", "1:zz", "0:" + "00" * 32, "-1:" + "00" * 32, "1:00", "x:" + "00" * 32]
)
def test_malformed_anchor_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage, match="anchor"):
        parse_head(text)
