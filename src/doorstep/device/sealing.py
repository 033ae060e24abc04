"""The device's sealed messages over its store: a new epoch at each boot, and when one is used up."""

from doorstep.device.store import Store
from doorstep.errors import MisuseError
from doorstep.identity.ids import kid_of
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.registration import Request, seal_request
from doorstep.messaging.sealer import DeviceSealer
from doorstep.messaging.variant import RATCHET_8, Variant

__all__ = ["Sealing"]


class Sealing:
    """Seals up and opens down. Making one begins an epoch, which is on disk before this returns."""

    def __init__(self, store: Store, device: str, variant: Variant = RATCHET_8) -> None:
        if variant.is_static:
            raise MisuseError(
                f"device {device} was made for a chip that cannot write, and this board can",
                next_step="Make a product that ratchets for boards that run this agent.",
            )
        self._store = store
        self._variant = variant
        self._kid = kid_of(device)
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Leave the epoch for the next free one."""
        state = self._store.begin_epoch()
        self.epoch = state.epoch
        self._sealer = DeviceSealer(self._kid, state, self._variant)

    def seal(self, channel: str, plaintext: bytes) -> bytes:
        """Return the message for topic ``…/up/<channel>``."""
        return self._ready().seal(f"up/{channel}".encode(), plaintext)

    def proof(self) -> str:
        """Return the one-time password of one plain CONNECT."""
        return seal_connect_proof(self._ready())

    def ask(self, token: str | None) -> tuple[bytes, Exchange]:
        """Return one attempt to register, and what opens the reply to it."""
        return seal_request(self._ready(), Request(token))

    def open(self, channel: str, message: bytes) -> bytes:
        """Return what the platform sealed for topic ``…/down/<channel>``; raises Rejected."""
        return self._sealer.open(message, f"down/{channel}".encode())

    def _ready(self) -> DeviceSealer:
        if self._sealer.exhausted:
            self.begin_epoch()
        return self._sealer
