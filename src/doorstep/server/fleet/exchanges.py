"""The platform's end of EDHOC exchanges, in the memory of the role ``jobs``; a restart ends them."""

import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.errors import ProtocolViolation, UnavailableError
from doorstep.identity import exchange_key
from doorstep.messaging.rotation.keys import exchange_context
from doorstep.messaging.rotation.messages import Exchange
from doorstep.runtime.authority import load_authority
from doorstep.server.fleet.models import Device

__all__ = ["NotRunning", "answer", "check_available", "finish", "is_running", "signed_key"]

_RUNNING_CAP: Final = 1_000
_running: Final[OrderedDict[tuple[int, int], Any]] = OrderedDict()


class NotRunning(ProtocolViolation):
    """The exchange that a device goes on with is not under way."""


def check_available() -> None:
    """Raise UnavailableError where the extra is not installed."""
    try:
        import doorstep.crypto.edhoc  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise UnavailableError(
            "this platform has no EDHOC", next_step="Run: pip install 'doorstep[edhoc]'"
        ) from error


def signed_key() -> bytes:
    """Return the platform's exchange key in its signed word, for an offer."""
    authority = load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))
    return exchange_key.sign(_key().public_key, authority.operations, issued=int(time.time()))


def answer(device: Device, said: Exchange) -> Exchange:
    """Answer a device's first message; raise ExchangeFailed."""
    from doorstep.crypto.edhoc import Responder  # noqa: PLC0415 - an extra

    peer = PublicKey.from_spki(bytes(device.public_key))
    responder = Responder(_key(), exchange_key.PLATFORM_NAME, peer, device.device_id)
    second = responder.answer(said.message)
    _running[device.pk, said.number] = responder
    while len(_running) > _RUNNING_CAP:
        _running.popitem(last=False)
    return Exchange(said.number, second)


def finish(device: Device, said: Exchange) -> bytes:
    """Take the third message and return the secret; raise NotRunning or ExchangeFailed."""
    responder = _running.pop((device.pk, said.number), None)
    if responder is None:
        raise NotRunning("the exchange was begun before this process started")
    secret: bytes = responder.finish(said.message, exchange_context(said.number))
    return secret


def is_running(device: Device, number: int) -> bool:
    """Say whether the device's third message is waited for."""
    return (device.pk, number) in _running


def _key() -> PrivateKey:
    """Derive the platform's key: it is on no disk but in what the key file makes."""
    tries = iter(range(256))
    return p256.generate(lambda _size: settings.KEY_FILE.derive(f"edhoc/{next(tries)}"))
