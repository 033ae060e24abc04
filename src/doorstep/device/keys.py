"""The device's side of ``down/keys``: replaces its root and its certificate as the platform asks.

Everything is on disk before it is answered. A handler of `doorstep.device.handlers`, repeatable: after a
power cut the same message leads to the same end.
"""

from collections.abc import Callable
from dataclasses import dataclass

from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.errors import RefusedError
from doorstep.messaging.rotation import device
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.rotation.messages import (
    Commit,
    Offer,
    RenewCertificate,
    encode,
    from_platform,
)

__all__ = ["CannotChange", "KeyChanges"]


class CannotChange(RefusedError):
    """This device does not change this key, or not this way."""


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """Carries out what the platform says about keys."""

    store: Store
    sealing: Sealing
    renew: Callable[[], None]
    """Asks for a new certificate soon."""
    rng: Callable[[int], bytes]

    async def carry_out(self, body: bytes) -> bytes:
        """Return the answer; raises RefusedError or PeerError, and then nothing changed."""
        match from_platform(body):
            case Offer() as offer:
                return self._stage(offer)
            case Commit() as commit:
                return self._commit(commit)
            case RenewCertificate():
                self.renew()
                return b""
            case _:
                raise CannotChange("this device does not do that with its keys")

    def _stage(self, offer: Offer) -> bytes:
        if offer.change is Change.EXCHANGED:
            raise CannotChange("this device has no key exchange")
        before = self.store.keys()
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
