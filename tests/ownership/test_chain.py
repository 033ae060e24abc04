"""The custody chain: whatever is done to it is noticed."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.ed25519 import SigningKey
from doorstep.ownership.chain import START, LedgerBroken, follow, verify
from doorstep.ownership.ledger import GENESIS, Entry, Event, Head, Kind, SealedEntry, build

_KEY = SigningKey.from_seed(bytes(range(32)))
_PLATFORM = _KEY.verifying_key
_SHOP = SigningKey.from_seed(bytes(range(1, 33)))
_KEYS = {None: _KEY, 7: _SHOP}
_SOLD = Event(Kind.SOLD, "abcdefgh", "operator", {"order": "A-1"})


def _sign_for(organisation: int | None) -> Callable[[bytes], bytes]:
    return _KEYS[organisation].sign


def _chain(count: int = 4) -> list[SealedEntry]:
    events = [replace(_SOLD, detail={"order": f"A-{number}"}) for number in range(count)]
    return list(build(GENESIS, events, 1_700_000_000_000_000, _sign_for))


def _resigned(body: bytes, number: int) -> SealedEntry:
    digest = hashlib.sha256(body).digest()
    return SealedEntry(number, body, digest, _KEY.sign(digest))


@given(st.lists(st.integers(0, 20), max_size=6), st.integers(0, 2**53))
def test_chain_built_in_parts_verifies(parts: list[int], at_us: int) -> None:
    head, chain = GENESIS, list[SealedEntry]()
    for count in parts:
        chain += build(head, [_SOLD] * count, at_us, _sign_for)
        head = Head(chain[-1].number, chain[-1].digest) if chain else GENESIS
    assert verify(chain, _PLATFORM) == head
    assert [entry.number for entry in chain] == list(range(1, len(chain) + 1))


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
        verify(tamper(_chain()), _PLATFORM)


def test_truncation_is_noticed_with_an_anchor_alone() -> None:
    chain = _chain()
    anchor = verify(chain, _PLATFORM)
    verify(chain[:3], _PLATFORM)
    with pytest.raises(LedgerBroken, match="ends at 3") as caught:
        verify(chain[:3], _PLATFORM, anchor)
    assert "backup" in caught.value.next_step
    assert verify(chain, _PLATFORM, Head(2, chain[1].digest)) == anchor


def test_rewritten_history_is_noticed_with_an_anchor() -> None:
    anchor = verify(_chain(), _PLATFORM)
    rewritten = list(build(GENESIS, [_SOLD] * 5, 5, _sign_for))
    with pytest.raises(LedgerBroken, match="anchored entry 4"):
        verify(rewritten, _PLATFORM, anchor)


def test_foreign_key_is_noticed() -> None:
    with pytest.raises(LedgerBroken, match="entry 1 is not signed"):
        verify(_chain(), SigningKey.from_seed(bytes(32)).verifying_key)


def _key_added(key: str = _SHOP.verifying_key.raw.hex(), actor: str = "platform", at: int | str = 7) -> Event:
    return Event(Kind.KEY_ADDED, "", actor, {"organisation": at, "key": key})


_SENT = Event(Kind.DISPATCHED, "abcdefgh", "user:3@7", {"order": "W-1", "organisation": 9})


def _signed(*events: Event, by: dict[int | None, SigningKey] | None = None) -> list[SealedEntry]:
    keys = by or _KEYS
    return list(build(GENESIS, events, 5, lambda organisation: keys[organisation].sign))


def test_entry_of_an_organisation_is_signed_by_its_key() -> None:
    chain = _signed(_SOLD, _key_added(), _SENT, _SOLD)
    assert verify(chain, _PLATFORM).number == 4
    _SHOP.verifying_key.verify(chain[2].signature, chain[2].digest)


def test_new_key_of_an_organisation_takes_over() -> None:
    other = SigningKey.from_seed(bytes(32))
    before = _signed(_key_added(), _SENT)
    head = Head(2, before[-1].digest)
    added = _key_added(other.verifying_key.raw.hex())
    after = list(build(head, [added, _SENT], 6, lambda one: _KEY.sign if one is None else other.sign))
    assert verify([*before, *after], _PLATFORM).number == 4
    stale = list(build(head, [added, _SENT], 6, _sign_for))
    with pytest.raises(LedgerBroken, match="entry 4 is not signed by organisation 7"):
        verify([*before, *stale], _PLATFORM)


FORGED = {
    "no key yet": ([_SENT], "of which no key was added"),
    "key of another": ([_key_added("00" * 31 + "01"), _SENT], "not signed by organisation 7"),
    "key added by an organisation": ([_key_added(), _key_added(actor="user:3@7")], "platform alone"),
    "key for a name": ([_key_added(at="seven")], "platform alone"),
    "key too short": ([_key_added("00")], "a key that is none"),
    "key not hexadecimal": ([_key_added("key")], "a key that is none"),
}


@pytest.mark.parametrize("name", FORGED)
def test_foreign_hand_is_noticed(name: str) -> None:
    events, says = FORGED[name]
    with pytest.raises(LedgerBroken, match=says):
        verify(_signed(*events), _PLATFORM)


def test_wholesaler_can_not_write_in_the_name_of_another() -> None:
    chain = _signed(_key_added(), _SENT, by={None: _KEY, 7: _KEY})
    with pytest.raises(LedgerBroken, match="entry 2 is not signed by organisation 7"):
        verify(chain, _PLATFORM)


def test_follower_can_stop_and_go_on() -> None:
    entries = _signed(_key_added(), _SENT, _SENT)
    chain = START
    for entry in entries:
        chain = follow(chain, entry, _PLATFORM)
    assert (chain.head.number, chain.keys) == (3, {7: _SHOP.verifying_key})
