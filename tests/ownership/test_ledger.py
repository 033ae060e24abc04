"""The custody chain: whatever is done to it is noticed."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.ed25519 import SigningKey
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.ownership.ledger import (
    GENESIS,
    TEXT_CAP,
    Entry,
    Event,
    Head,
    Kind,
    LedgerBroken,
    SealedEntry,
    build,
    parse_head,
    verify,
)
from doorstep.wire import cbor

_KEY = SigningKey.from_seed(bytes(range(32)))
_VERIFY = _KEY.verifying_key.verify
_SOLD = Event(Kind.SOLD, "abcdefgh", "operator", {"order": "A-1"})


def _chain(count: int = 4) -> list[SealedEntry]:
    events = [replace(_SOLD, detail={"order": f"A-{number}"}) for number in range(count)]
    return list(build(GENESIS, events, 1_700_000_000_000_000, _KEY.sign))


def _resigned(body: bytes, number: int) -> SealedEntry:
    digest = hashlib.sha256(body).digest()
    return SealedEntry(number, body, digest, _KEY.sign(digest))


@given(st.lists(st.integers(0, 20), max_size=6), st.integers(0, 2**53))
def test_chain_built_in_parts_verifies(parts: list[int], at_us: int) -> None:
    head, chain = GENESIS, list[SealedEntry]()
    for count in parts:
        chain += build(head, [_SOLD] * count, at_us, _KEY.sign)
        head = Head(chain[-1].number, chain[-1].digest) if chain else GENESIS
    assert verify(chain, _VERIFY) == head
    assert [entry.number for entry in chain] == list(range(1, len(chain) + 1))


def test_entry_decodes_to_what_was_written() -> None:
    [sealed] = _chain(1)
    entry = Entry.from_body(sealed.body)
    assert entry.event == replace(_SOLD, detail={"order": "A-0"})
    assert entry.to_body() == sealed.body


def _edited(chain: list[SealedEntry]) -> list[SealedEntry]:
    return [chain[0], replace(chain[1], body=chain[1].body.replace(b"A-1", b"B-1")), *chain[2:]]


def _edited_with_digest(chain: list[SealedEntry]) -> list[SealedEntry]:
    body = chain[1].body.replace(b"A-1", b"B-1")
    return [chain[0], replace(chain[1], body=body, digest=hashlib.sha256(body).digest()), *chain[2:]]


def _renumbered(chain: list[SealedEntry]) -> list[SealedEntry]:
    return [chain[0], *(replace(entry, number=entry.number - 1) for entry in chain[2:])]


def _relinked(chain: list[SealedEntry]) -> list[SealedEntry]:
    entry = replace(Entry.from_body(chain[1].body), previous=GENESIS.digest)
    return [chain[0], _resigned(entry.to_body(), 2), *chain[2:]]


TAMPERED: dict[str, tuple[Callable[[list[SealedEntry]], list[SealedEntry]], str]] = {
    "edit": (_edited, "entry 2 was changed"),
    "edit and new digest": (_edited_with_digest, "entry 2 is not signed"),
    "delete": (lambda chain: [*chain[:1], *chain[2:]], "entry 2 is missing"),
    "delete the first": (lambda chain: chain[1:], "entry 1 is missing"),
    "reorder": (lambda chain: [chain[0], chain[2], chain[1], chain[3]], "entry 2 is missing"),
    "delete and renumber": (_renumbered, "entry 2 was moved"),
    "fork with the key": (_relinked, "entry 2 does not follow"),
    "repeat": (lambda chain: [*chain, chain[-1]], "entry 5 is missing"),
    "foreign bytes": (lambda chain: [*chain, _resigned(b"\x01", 5)], "entry 5 is not an entry"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_noticed(name: str) -> None:
    tamper, says = TAMPERED[name]
    with pytest.raises(LedgerBroken, match=says):
        verify(tamper(_chain()), _VERIFY)


def test_truncation_is_noticed_with_an_anchor_alone() -> None:
    chain = _chain()
    anchor = verify(chain, _VERIFY)
    verify(chain[:3], _VERIFY)
    with pytest.raises(LedgerBroken, match="ends at 3") as caught:
        verify(chain[:3], _VERIFY, anchor)
    assert "backup" in caught.value.next_step
    assert verify(chain, _VERIFY, Head(2, chain[1].digest)) == anchor


def test_rewritten_history_is_noticed_with_an_anchor() -> None:
    anchor = verify(_chain(), _VERIFY)
    rewritten = list(build(GENESIS, [_SOLD] * 5, 5, _KEY.sign))
    with pytest.raises(LedgerBroken, match="anchored entry 4"):
        verify(rewritten, _VERIFY, anchor)


def test_foreign_key_is_noticed() -> None:
    with pytest.raises(LedgerBroken, match="entry 1 is not signed"):
        verify(_chain(), SigningKey.from_seed(bytes(32)).verifying_key.verify)


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
    head = verify(_chain(), _VERIFY)
    assert parse_head(str(head)) == head


@pytest.mark.parametrize(
    "text", ["", "1", "1:zz", "0:" + "00" * 32, "-1:" + "00" * 32, "1:00", "x:" + "00" * 32]
)
def test_malformed_anchor_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage, match="anchor"):
        parse_head(text)
