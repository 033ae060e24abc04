import hashlib

import pytest

from doorstep.crypto import srp6a
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed

USER, CODE = b"wifiprov", b"abcd1234"
SALT = bytes.fromhex("036ee0c7bcb9eda84c9eac97d93decf4")
A_SECRET = hashlib.sha256(b"client-a").digest()
B_SECRET = hashlib.sha256(b"device-b").digest()
KEY = (
    "e89028132c4643adfbab45dd87fae1ec8ed9a914dbf7cbbbcae4791e6f2c1c1e"
    "6f14fa3e0352c94dd3753b3347699549bdcba8fe9ea17a1c1c7d17c5392a48df"
)
USER_PROOF = (
    "5b38bf9d672a368ded79742109a57a7a152c948e0838effb0b8c60e30a76f5d4"
    "91f787ed04f45878a202dafce2d9d1c4d76ea598358bfc7710c6a1fcbe330138"
)
DEVICE_PROOF = (
    "3ef62c4f8e4dd13784244a22eaa2b796cea86a6fccdf5454337ad34d8c52aa49"
    "c71c2e254f4698f4c628de89fb5c894a7067c7f5dbe9f9f50c2bf878b4ce3a59"
)


def _sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def test_group_is_rfc_5054_3072() -> None:
    assert srp6a.PRIME.bit_length() == 3072
    assert srp6a.GENERATOR == 5
    assert pow(srp6a.GENERATOR, (srp6a.PRIME - 1) // 2, srp6a.PRIME) in (1, srp6a.PRIME - 1)


def test_both_roles_reach_the_known_answers() -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    a_sent, b_sent = srp6a.user_public(A_SECRET), srp6a.device_public(verifier, B_SECRET)
    assert _sha256(verifier) == "e985f1fb10e7c5aaf625ec7cc0896e8f92bdcd5b621141766ea6ea93bd899b06"
    assert _sha256(a_sent) == "b1a962641c35af2e4922316287da40090058b6a664384bf34c3ffe603485083a"
    assert _sha256(b_sent) == "cd1338d281d70152e88366883540b32bbb8ff27691d21f25bb85c405e8a7ea37"
    as_user = srp6a.agree_as_user(USER, CODE, SALT, A_SECRET, b_sent)
    as_device = srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, a_sent)
    assert as_user == as_device
    assert as_user.key.hex() == KEY
    assert as_user.user_proof.hex() == USER_PROOF
    assert as_user.device_proof.hex() == DEVICE_PROOF


def test_wrong_code_gives_another_agreement() -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    a_sent, b_sent = srp6a.user_public(A_SECRET), srp6a.device_public(verifier, B_SECRET)
    as_user = srp6a.agree_as_user(USER, b"abcd1235", SALT, A_SECRET, b_sent)
    as_device = srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, a_sent)
    with pytest.raises(VerificationFailed):
        srp6a.check_proof(as_device.user_proof, as_user.user_proof)
    srp6a.check_proof(as_device.user_proof, as_device.user_proof)


MULTIPLES_OF_N = {
    "0 in one byte": b"\x00",
    "0 in 384 bytes": bytes(384),
    "N": srp6a.PRIME.to_bytes(384),
}


@pytest.mark.parametrize("value", MULTIPLES_OF_N.values(), ids=MULTIPLES_OF_N)
def test_both_roles_refuse_public_value_that_needs_no_code(value: bytes) -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    with pytest.raises(VerificationFailed):
        srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, value)
    with pytest.raises(VerificationFailed):
        srp6a.agree_as_user(USER, CODE, SALT, A_SECRET, value)


@pytest.mark.parametrize(
    "value", [b"", (2 * srp6a.PRIME).to_bytes(385), b"\x01" * 385], ids=["0", "2N", "385"]
)
def test_both_roles_refuse_public_value_of_wrong_size(value: bytes) -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    with pytest.raises(MalformedMessage):
        srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, value)
    with pytest.raises(MalformedMessage):
        srp6a.agree_as_user(USER, CODE, SALT, A_SECRET, value)


def test_both_roles_refuse_scrambling_value_of_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    # No input is known whose hash is zero, so only the hash can be bent.
    monkeypatch.setattr(srp6a, "_hash", lambda *_parts: bytes(64))
    with pytest.raises(VerificationFailed, match="zero"):
        srp6a.agree_as_user(USER, CODE, SALT, A_SECRET, b"\x02")


def test_device_hashes_short_public_value_as_received() -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    short, padded = b"\x02", bytes(383) + b"\x02"
    first = srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, short)
    second = srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, padded)
    assert first.key == second.key
    assert first.user_proof != second.user_proof


def test_agreement_keeps_secrets_out_of_its_repr() -> None:
    verifier = srp6a.make_verifier(USER, CODE, SALT)
    agreement = srp6a.agree_as_device(USER, SALT, verifier, B_SECRET, b"\x02")
    assert repr(agreement) == "Agreement()"


@pytest.mark.parametrize("exponent", [b"", bytes(65)])
def test_secret_exponent_of_impossible_size_is_our_own_mistake(exponent: bytes) -> None:
    with pytest.raises(MisuseError):
        srp6a.user_public(exponent)


def test_powers_from_the_table_are_powers() -> None:
    for exponent in (b"\x00", b"\x01", A_SECRET, b"\xff" * 64):
        expected = pow(srp6a.GENERATOR, int.from_bytes(exponent), srp6a.PRIME)
        assert srp6a.user_public(exponent) == expected.to_bytes(384)
