import pytest

from doorstep.errors import MisuseError
from doorstep.messaging import keys

# RFC 8613 appendix C.1 and C.3
SECRET = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
SALT = bytes.fromhex("9e7ca92223786340")
CONTEXT = bytes.fromhex("37cbf3210017a2d3")
CLIENT, SERVER, NOBODY = b"", b"\x01", b""

RFC_8613 = {
    "C.1.1 sender key": (SALT, CLIENT, None, "Key", "f0910ed7295e6ad4b54fc793154302ff"),
    "C.1.1 recipient key": (SALT, SERVER, None, "Key", "ffb14e093c94c9cac9471648b4f98710"),
    "C.1.1 common IV": (SALT, NOBODY, None, "IV", "4622d4dd6d944168eefb54987c"),
    "C.3.1 sender key": (SALT, CLIENT, CONTEXT, "Key", "af2a1300a5e95788b356336eeecd2b92"),
    "C.3.1 recipient key": (SALT, SERVER, CONTEXT, "Key", "e39a0c7c77b43f03b4b39ab9a268699f"),
    "C.3.1 common IV": (SALT, NOBODY, CONTEXT, "IV", "2ca58fb85ff1b81c0b7181b85e"),
}


@pytest.mark.parametrize(("salt", "sender", "context", "kind", "expected"), RFC_8613.values(), ids=RFC_8613)
def test_derivation_agrees_with_rfc_8613(
    salt: bytes, sender: bytes, context: bytes | None, kind: keys.Kind, expected: str
) -> None:
    assert keys.derive(SECRET, salt, sender, context, kind).hex() == expected


def test_nonce_agrees_with_rfc_8613() -> None:
    # C.1.1 sender nonce: sequence number 0 of sender id "" under common IV 4622d4dd6d944168eefb54987c;
    # our kids have five bytes, so the longer id of the recipient, 01, is checked by the same rule.
    common = int.from_bytes(bytes.fromhex("4622d4dd6d944168eefb54987c"), "big")
    for sender_id, nonce in ((CLIENT, "4622d4dd6d944168eefb54987c"), (SERVER, "4722d4dd6d944169eefb54987c")):
        made = keys.SenderKeys(bytes(16), common ^ keys._sender_mask(sender_id))
        assert made.nonce(0).hex() == nonce


def test_keys_differ_by_epoch_and_direction() -> None:
    secret = keys.master_secret(bytes(32))
    made = [
        keys.derive_sender_keys(secret, epoch, sender)
        for epoch in (0, 1, 256)
        for sender in (b"abcde", b"abcdf", keys.SERVER_ID)
    ]
    assert len({each.key for each in made}) == len({each.base_iv for each in made}) == len(made)


def test_ratchet_runs_one_way() -> None:
    root = bytes(range(32))
    chain = [keys.run_ahead(root, steps) for steps in range(4)]
    assert chain[0] == root
    assert chain[3] == keys.next_root(keys.next_root(keys.next_root(root)))
    assert len(set(chain)) == 4
    assert keys.master_secret(root) not in keys.next_root(root)


def test_owner_change_depends_on_root_and_nonce() -> None:
    nonce = bytes(16)
    made = {keys.owner_change(root, n) for root in (bytes(32), b"r" * 32) for n in (nonce, b"n" * 16)}
    assert len(made) == 4
    assert keys.next_root(bytes(32)) not in made
    for wrong in (b"", bytes(15), bytes(17)):
        with pytest.raises(MisuseError):
            keys.owner_change(bytes(32), wrong)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "00"), (255, "ff"), (256, "0100"), (65_535, "ffff"), (keys.MAX_EPOCH, "7fffffff")],
)
def test_numbers_take_their_shortest_form(number: int, expected: str) -> None:
    assert keys.shortest(number).hex() == expected


def test_secrets_stay_out_of_repr() -> None:
    made = keys.derive_sender_keys(bytes(16), 0, b"abcde")
    assert repr(made) == "SenderKeys()"
