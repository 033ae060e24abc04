import os

import pytest

from doorstep.crypto import p256
from doorstep.crypto.edhoc import ExchangeFailed, Initiator, Responder
from doorstep.errors import MisuseError

DEVICE, PLATFORM, STRANGER = (p256.generate(os.urandom) for _ in range(3))
CONTEXT = b"number 7"


def pair() -> tuple[Initiator, Responder]:
    return (
        Initiator(DEVICE, "binsypko", PLATFORM.public_key, "platform"),
        Responder(PLATFORM, "platform", DEVICE.public_key, "binsypko"),
    )


def test_both_sides_get_one_secret_in_three_short_messages() -> None:
    device, platform = pair()
    first = device.begin()
    second = platform.answer(first)
    third, secret = device.finish(second, CONTEXT)
    assert platform.finish(third, CONTEXT) == secret
    assert len(secret) == 32
    assert len(first) + len(second) + len(third) <= 105


def test_secret_is_bound_to_its_context() -> None:
    device, platform = pair()
    third, secret = device.finish(platform.answer(device.begin()), CONTEXT)
    assert platform.finish(third, b"number 8") != secret


def test_every_exchange_gives_another_secret() -> None:
    secrets = set()
    for _ in range(3):
        device, platform = pair()
        secrets.add(device.finish(platform.answer(device.begin()), CONTEXT)[1])
    assert len(secrets) == 3


def test_device_refuses_another_platform() -> None:
    device, _ = pair()
    impostor = Responder(STRANGER, "platform", DEVICE.public_key, "binsypko")
    with pytest.raises(ExchangeFailed):
        device.finish(impostor.answer(device.begin()), CONTEXT)


@pytest.mark.parametrize("name", ["binsypko", "somebody"])
def test_platform_refuses_another_device(name: str) -> None:
    _, platform = pair()
    key = STRANGER if name == "binsypko" else DEVICE
    impostor = Initiator(key, name, PLATFORM.public_key, "platform")
    third, _ = impostor.finish(platform.answer(impostor.begin()), CONTEXT)
    with pytest.raises(ExchangeFailed):
        platform.finish(third, CONTEXT)


def test_changed_messages_are_refused() -> None:
    device, platform = pair()
    with pytest.raises(ExchangeFailed):
        platform.answer(b"\xff" * 37)
    device, platform = pair()
    second = bytearray(platform.answer(device.begin()))
    second[-1] ^= 1
    with pytest.raises(ExchangeFailed):
        device.finish(bytes(second), CONTEXT)


def test_name_is_short() -> None:
    with pytest.raises(MisuseError):
        Initiator(DEVICE, "x" * 24, PLATFORM.public_key, "platform")
