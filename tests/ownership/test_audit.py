"""The audit trail's core: what was written is what is read, and no change goes unnoticed."""

import hashlib
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.ed25519 import SigningKey
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.ownership import audit
from doorstep.ownership.audit import AuditBroken, AuditEntry, Details, Record, fitting
from doorstep.ownership.ledger import GENESIS, Head, SealedEntry
from doorstep.wire import cbor

KEY = SigningKey.from_seed(bytes(32))
LEDGER = Head(3, bytes([7]) * 32)
Sealed = tuple[SealedEntry, bytes | None]


def _record(number: int) -> Record:
    return Record(f"user:{number}@2", "revoke", "portal", 2, "abcdefgh")


def _trail(count: int, ledger: Head = LEDGER) -> list[Sealed]:
    head, entries = GENESIS, list[Sealed]()
    for number in range(count):
        salt = os.urandom(audit.SALT_BYTES)
        told = Details({"blocked": False}, {"blocked": True}, "192.0.2.1").to_bytes()
        sealed = audit.seal(head, _record(number), told, number, ledger=ledger, salt=salt, sign=KEY.sign)
        head = Head(sealed.number, sealed.digest)
        entries.append((sealed, salt + told))
    return entries


def _verify(entries: list[Sealed], anchor: Head = GENESIS) -> Head:
    return audit.verify(entries, KEY.verifying_key, {3: LEDGER.digest}.get, anchor)


def test_reader_verifies_a_whole_trail_and_its_anchor() -> None:
    entries = _trail(3)
    head = _verify(entries)
    assert head.number == 3
    second = entries[1][0]
    assert _verify(entries, Head(2, second.digest)) == head
    assert _verify([], GENESIS) == GENESIS


def test_erased_details_leave_the_chain_whole() -> None:
    entries = _trail(2)
    assert _verify([(entries[0][0], None), entries[1]]).number == 2


def test_entry_before_the_ledgers_first_names_none() -> None:
    assert _verify(_trail(1, GENESIS)).number == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one[1:], "missing"),
        (lambda one: [one[0], (replace(one[1][0], body=one[1][0].body + b"x"), None)], "digest"),
        (lambda one: [one[0], (replace(one[1][0], signature=bytes(64)), None)], "signed"),
        (lambda one: [one[0], (one[1][0], b"other")], "before and after"),
        (lambda one: [one[0], _other(one)], "follow"),
        (lambda one: [one[0], _nonsense(2)], "not an entry"),
        (lambda _: [_unseen()], "ledger entry 9"),
    ],
)
def test_reader_notices(change: object, said: str) -> None:
    assert callable(change)
    with pytest.raises(AuditBroken, match=said):
        _verify(change(_trail(3)))


def test_reader_notices_a_cut_by_the_anchor() -> None:
    entries = _trail(3)
    with pytest.raises(AuditBroken, match="anchored entry 3"):
        _verify(entries[:2], Head(3, entries[2][0].digest))


def _other(entries: list[Sealed]) -> Sealed:
    return _trail(2)[1]


def _nonsense(number: int) -> Sealed:
    return _sealed(number, cbor.encode({"number": number}))


def _unseen() -> Sealed:
    sealed = _trail(1)[0][0]
    entry = AuditEntry.from_body(sealed.body)
    return _sealed(1, replace(entry, ledger=Head(9, bytes(32))).to_body())


def _sealed(number: int, body: bytes) -> Sealed:
    digest = hashlib.sha256(body).digest()
    return SealedEntry(number, body, digest, KEY.sign(digest)), None


@pytest.mark.parametrize(
    "change",
    [
        {"number": "1"},
        {"ledger": [1]},
        {"ledger": [1, b"short"]},
        {"details": b""},
        {"more": 1},
        {"actor": None},
    ],
)
def test_reader_refuses_an_entry_of_another_form(change: dict[str, cbor.Value]) -> None:
    value = cbor.decode(_trail(1)[0][0].body)
    assert isinstance(value, dict)
    with pytest.raises(MalformedMessage):
        AuditEntry.from_body(cbor.encode({**value, **change}))


def test_details_have_a_cap() -> None:
    with pytest.raises(MisuseError, match="at most"):
        Details({f"name {number}": "x" * 100 for number in range(100)}, {}, "").to_bytes()


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"before": {}, "after": {}, "address": 1},
        {"before": {1: 1}, "after": {}, "address": ""},
        {"before": {"a": b""}, "after": {}, "address": ""},
    ],
)
def test_reader_refuses_details_of_another_form(value: cbor.Value) -> None:
    with pytest.raises(MalformedMessage):
        Details.from_bytes(cbor.encode(value))


_values = st.dictionaries(
    st.text(max_size=10),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=90),
    max_size=5,
)


@given(_values, _values, st.text(max_size=45))
def test_details_come_back_as_they_were(
    before: dict[str, audit.Value], after: dict[str, audit.Value], address: str
) -> None:
    told = Details(before, after, address)
    assert Details.from_bytes(told.to_bytes()) == told


def test_trail_tells_a_small_change_whole() -> None:
    assert fitting({"role": "viewer"}, {"role": "admin", "groups": "A"}) == (
        {"role": "viewer"},
        {"role": "admin", "groups": "A"},
    )


@given(st.integers(40, 400), st.text(max_size=200))
def test_trail_tells_of_a_great_change_what_fits_and_how_much_more_there_was(count: int, text: str) -> None:
    wide = {f"name {number}": text for number in range(count)}
    before, after = fitting(wide, wide)
    Details(before, after, "2001:db8:1234:5678:1234:5678:1234:5678").to_bytes()
    assert after.get("and more", 0) == count - len(before)
