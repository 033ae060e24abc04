"""What an imitated device learns about the code: all of it with security 1, one guess with security 2."""

import hashlib
import os
from collections.abc import Iterable

import pytest

from doorstep.crypto import srp6a, x25519
from doorstep.crypto.keystream import SharedKeystream
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm import sec2
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.protocomm.credentials import Sec2Verifier
from doorstep.onboarding.protocomm.device import CAPABILITIES
from doorstep.wire.provisioning.config import SetConfig, decode_config
from doorstep.wire.provisioning.session import (
    Sec1Command0,
    Sec1Command1,
    Sec1Response0,
    Sec1Response1,
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    decode_session,
    encode_session,
)

DIGITS = [f"{number:04d}" for number in range(10_000)]
CODE = "7294"
HOME = NetworkCredentials(b"home", b"correct horse")


def _masked(shared: bytes, guess: str) -> bytes:
    mask = hashlib.sha256(guess.encode()).digest()
    return bytes(a ^ b for a, b in zip(shared, mask, strict=True))


def test_imitated_device_finds_code_of_security_1_in_one_attempt_and_reads_the_password() -> None:
    """The attack that the warning is about; it must go on working here, or the warning would be idle."""
    label = SetupLabel("PROV_1", "", CODE, security=1)
    victim = Configurator(label, os.urandom, allow_old_security=True)
    finding = victim.find()
    next(finding)
    with pytest.raises(StopIteration):
        finding.send(b'{"prov":{"ver":"v1.1","sec_ver":1,"cap":["wifi_prov"]}}')

    private, random = os.urandom(32), os.urandom(16)
    public = x25519.public_of(private)
    securing = victim.secure()
    command0 = decode_session(next(securing).body)
    assert isinstance(command0, Sec1Command0)
    command1 = decode_session(securing.send(encode_session(Sec1Response0(public, random))).body)
    assert isinstance(command1, Sec1Command1)

    shared = x25519.agree(private, command0.client_public)
    proof = command1.client_proof
    found = next(
        guess for guess in DIGITS if SharedKeystream(_masked(shared, guess), random).open(proof) == public
    )
    assert found == CODE

    stream = SharedKeystream(_masked(shared, found), random)
    stream.open(proof)
    with pytest.raises(StopIteration):
        securing.send(encode_session(Sec1Response1(stream.seal(command0.client_public))))
    assert victim.secured
    stolen = decode_config(stream.open(next(victim.put_forward(HOME)).body))
    assert stolen == SetConfig(HOME.ssid, HOME.passphrase)


SALT, EXPONENT, USER = b"\x01" * 16, b"\xab" * 32, b"doorstep"


def _proof_of_victim(code: str, guess: str) -> tuple[bytes, bytes]:
    """Return A and M1 of a configurator whom an imitated device has answered with a verifier of ``guess``."""
    victim = sec2.handshake_as_configurator(USER.decode(), code, os.urandom)
    command0 = decode_session(next(victim))
    assert isinstance(command0, Sec2Command0)
    verifier = srp6a.make_verifier(USER, guess.encode(), SALT)
    answer = Sec2Response0(srp6a.device_public(verifier, EXPONENT), SALT)
    command1 = decode_session(victim.send(encode_session(answer)))
    assert isinstance(command1, Sec2Command1)
    return command0.client_public, command1.client_proof


def _search(public: bytes, proof: bytes, guesses: Iterable[str]) -> list[str]:
    """Try every guess at home against one recorded attempt."""
    found = []
    for guess in guesses:
        verifier = srp6a.make_verifier(USER, guess.encode(), SALT)
        agreed = srp6a.agree_as_device(USER, SALT, verifier, EXPONENT, public)
        if agreed.user_proof == proof:
            found.append(guess)
    return found


def test_imitated_device_learns_of_one_guess_per_attempt_with_security_2() -> None:
    """The public value that the victim proves against holds one verifier, so no other can be tried with it.

    The search has the true code among its guesses and does not recognise it.
    """
    public, proof = _proof_of_victim(CODE, guess="0000")
    assert _search(public, proof, ["0000", "0001", CODE, "9999"]) == []
    public, proof = _proof_of_victim(CODE, guess=CODE)
    assert _search(public, proof, ["0000", "0001", CODE, "9999"]) == [CODE]


def test_victim_of_security_2_sees_every_wrong_guess() -> None:
    label = SetupLabel("PROV_1", USER.decode(), CODE)
    victim = Configurator(label, os.urandom)
    finding = victim.find()
    next(finding)
    with pytest.raises(StopIteration):
        finding.send(CAPABILITIES.encode())
    impostor = sec2.Sec2Device(_verifier("0000"), os.urandom)
    securing = victim.secure()
    command1 = securing.send(impostor.answer(next(securing).body)).body
    with pytest.raises(WrongCode):
        impostor.answer(command1)
    with pytest.raises(WrongCode):
        securing.send(encode_session(impostor.refusal))
    assert not victim.secured


def _verifier(guess: str) -> Sec2Verifier:
    return Sec2Verifier(USER.decode(), SALT, srp6a.make_verifier(USER, guess.encode(), SALT))
