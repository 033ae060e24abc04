"""The device's side of ``down/keys``: replaces its root and its certificate as the platform asks.

Everything is on disk before it is answered. A handler of `doorstep.device.handlers`, repeatable: after a
power cut the same message leads to the same end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.errors import RefusedError
from doorstep.identity import anchors, exchange_key
from doorstep.messaging.rotation import device
from doorstep.messaging.rotation.keys import Change, exchange_context
from doorstep.messaging.rotation.messages import (
    Commit,
    Exchange,
    Offer,
    RenewCertificate,
    UpdateAnchor,
    encode,
    from_platform,
)

__all__ = ["CannotChange", "KeyChanges"]


class CannotChange(RefusedError):
    """This device does not change this key, or not this way."""


@dataclass(slots=True)
class KeyChanges:
    """Carries out what the platform says about keys."""

    store: Store
    sealing: Sealing
    renew: Callable[[], None]
    """Asks for a new certificate soon."""
    rng: Callable[[int], bytes]
    _running: tuple[int, Any] | None = field(default=None, repr=False)
    """An exchange whose second message has not come; a power cut ends it, and the platform begins another."""

    async def carry_out(self, body: bytes) -> bytes:
        """Return the answer; raises RefusedError or PeerError, and then nothing changed."""
        match from_platform(body):
            case Offer() as offer:
                return self._stage(offer)
            case Commit() as commit:
                return self._commit(commit)
            case Exchange() as said:
                return self._finish_exchange(said)
            case UpdateAnchor(update):
                self.store.keep_anchors(anchors.stage(self.store.anchors(), update))
                return b""
            case RenewCertificate():
                self.renew()
                return b""

    def _stage(self, offer: Offer) -> bytes:
        before = self.store.keys()
        staged = before.pending is not None and before.pending.number == offer.number
        if offer.change is Change.EXCHANGED and not staged:
            return self._begin_exchange(offer)
        keys = device.stage(before, offer, self.rng)
        if keys != before:
            self.store.keep_keys(keys)
        answer = device.answer(keys)
        assert answer is not None  # it was staged just now
        return encode(answer)

    def _commit(self, told: Commit) -> bytes:
        before = self.store.keys()
        keys, done = device.commit(before, told)
        if keys != before:
            self.store.keep_keys(keys)
            self.sealing.begin_epoch()  # the answer is the first message under the new root
        return encode(done)

    def _begin_exchange(self, offer: Offer) -> bytes:
        """Speak first, to the platform's key that the maker's root vouches for."""
        try:
            from doorstep.crypto.edhoc import Initiator  # noqa: PLC0415 - an extra that small boards leave out
        except ImportError as error:
            raise CannotChange("this device has no key exchange") from error
        made = self.store.identity()
        if made is None:
            raise CannotChange("this device has no identity")
        peer = exchange_key.verify(offer.secret, self.store.anchors().all())
        key = PrivateKey.from_pkcs8(made.private_key.encode())
        initiator = Initiator(key, made.device_id, peer, exchange_key.PLATFORM_NAME)
        self._running = offer.number, initiator
        return encode(Exchange(offer.number, initiator.begin()))

    def _finish_exchange(self, said: Exchange) -> bytes:
        running, self._running = self._running, None
        if running is None or running[0] != said.number:
            raise CannotChange("this exchange is not under way")
        message_3, secret = running[1].finish(said.message, exchange_context(said.number))
        self.store.keep_keys(device.stage_exchanged(self.store.keys(), said.number, Change.EXCHANGED, secret))
        return encode(Exchange(said.number, message_3))
