"""Keys change over a cable or a local session: the endpoint ``doorstep-keys``, beside any set-up session.

What is said is sealed between device and platform, so whoever carries it learns and changes nothing. The
channel has a name of its own: what the broker carries is worthless here, and the other way round.
"""

from dataclasses import dataclass
from typing import Final

from doorstep.device.keys import KeyChanges
from doorstep.messaging.rotation.messages import HAND_CHANNEL as CHANNEL
from doorstep.messaging.rotation.messages import Done, encode

__all__ = ["ENDPOINT", "ByHand"]

ENDPOINT: Final = "doorstep-keys"


@dataclass(frozen=True, slots=True)
class ByHand:
    """Answers whoever stands beside the device."""

    changes: KeyChanges

    async def answer(self, body: bytes, _session: bytes) -> bytes:
        """Say in which epoch we are, for an empty body; else carry out what was sealed. Raises PeerError."""
        if not body:
            return self._sealed(encode(Done(self.changes.store.keys().number)))
        said = await self.changes.carry_out(self.changes.sealing.open(CHANNEL, body))
        return self._sealed(said)

    def _sealed(self, plaintext: bytes) -> bytes:
        return self.changes.sealing.seal(CHANNEL, plaintext)
