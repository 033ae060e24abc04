import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doorstep.errors import PeerError
from doorstep.onboarding.protocomm import sec1
from doorstep.onboarding.protocomm.credentials import Sec1Code, Sec2Verifier
from doorstep.onboarding.protocomm.sec2 import Sec2Device, handshake_as_configurator
from doorstep.onboarding.protocomm.session import SessionCipher, SessionState

if TYPE_CHECKING:
    from doorstep.crypto.aead import LockstepGcm

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "onboarding.json").read_text("utf-8")
)
CASE, MESSAGES = STORED["handshake"], {name: bytes.fromhex(text) for name, text in STORED["messages"].items()}


def _device() -> Sec2Device:
    draws = [bytes.fromhex(CASE["b"]), bytes.fromhex(CASE["nonce"])[:8]]
    salt, verifier = bytes.fromhex(CASE["salt"]), bytes.fromhex(CASE["verifier"])
    return Sec2Device(Sec2Verifier(CASE["username"], salt, verifier), lambda _size: draws.pop(0))


def test_device_sends_the_stored_messages() -> None:
    device = _device()
    assert device.answer(MESSAGES["command0"]) == MESSAGES["response0"]
    assert device.answer(MESSAGES["command1"]) == MESSAGES["response1"]
    first, second, third = STORED["sealed"]
    assert device.open(bytes.fromhex(first["sealed"])).hex() == first["plaintext"]
    assert device.seal(bytes.fromhex(second["plaintext"])).hex() == second["sealed"]
    assert device.open(bytes.fromhex(third["sealed"])).hex() == third["plaintext"]


def test_configurator_sends_the_stored_messages() -> None:
    phone = handshake_as_configurator(CASE["username"], CASE["code"], lambda _size: bytes.fromhex(CASE["a"]))
    assert next(phone) == MESSAGES["command0"]
    assert phone.send(MESSAGES["response0"]) == MESSAGES["command1"]
    with pytest.raises(StopIteration) as done:
        phone.send(MESSAGES["response1"])
    cipher: LockstepGcm = done.value.value
    first, second, _ = STORED["sealed"]
    assert cipher.seal(bytes.fromhex(first["plaintext"])).hex() == first["sealed"]
    assert cipher.open(bytes.fromhex(second["sealed"])).hex() == second["plaintext"]


@pytest.mark.parametrize("case", STORED["refused"], ids=lambda case: str(case["name"]))
def test_device_refuses_stored_nonsense_and_starts_over(case: dict[str, str]) -> None:
    device = _device()
    with pytest.raises(PeerError):
        device.answer(bytes.fromhex(case["message"]))
    assert device.state is SessionState.OPEN


def test_device_takes_first_message_after_nonsense_as_if_nothing_had_come() -> None:
    device = _device()
    for case in STORED["refused"]:
        if not case["name"].startswith(("A = 0", "A = N")):  # these cost a draw, and this device has just one
            with pytest.raises(PeerError):
                device.answer(bytes.fromhex(case["message"]))
    assert device.answer(MESSAGES["command0"]) == MESSAGES["response0"]


OLD = STORED["security1"]
OLD_VALUES = {name: bytes.fromhex(text) for name, text in OLD["handshake"].items()}
OLD_MESSAGES = {name: bytes.fromhex(text) for name, text in OLD["messages"].items()}


def test_device_of_security_1_sends_the_stored_messages() -> None:
    draws = [OLD_VALUES["device_private"], OLD_VALUES["random"]]
    device = sec1.Sec1Device(Sec1Code(OLD["code"]), lambda _size: draws.pop(0))
    assert device.answer(OLD_MESSAGES["command0"]) == OLD_MESSAGES["response0"]
    assert device.answer(OLD_MESSAGES["command1"]) == OLD_MESSAGES["response1"]
    first, second, third = OLD["sealed"]
    assert device.open(bytes.fromhex(first["sealed"])).hex() == first["plaintext"]
    assert device.seal(bytes.fromhex(second["plaintext"])).hex() == second["sealed"]
    assert device.open(bytes.fromhex(third["sealed"])).hex() == third["plaintext"]


def test_configurator_of_security_1_sends_the_stored_messages() -> None:
    phone = sec1.handshake_as_configurator(OLD["code"], lambda _size: OLD_VALUES["client_private"])
    assert next(phone) == OLD_MESSAGES["command0"]
    assert phone.send(OLD_MESSAGES["response0"]) == OLD_MESSAGES["command1"]
    with pytest.raises(StopIteration) as done:
        phone.send(OLD_MESSAGES["response1"])
    cipher: SessionCipher = done.value.value
    first, second, _ = OLD["sealed"]
    assert cipher.seal(bytes.fromhex(first["plaintext"])).hex() == first["sealed"]
    assert cipher.open(bytes.fromhex(second["sealed"])).hex() == second["plaintext"]
