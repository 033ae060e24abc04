"""A device as stock firmware was before security 2 counted its messages."""

from doorstep.crypto.aead import KEY_SIZE, UncountedGcm
from doorstep.crypto.srp6a import Agreement
from doorstep.onboarding.protocomm.sec2 import Sec2Device
from doorstep.onboarding.protocomm.session import Turn
from doorstep.wire.provisioning.session import Sec2Command1, Sec2Response1


class OldSec2Device(Sec2Device):
    patch = 0

    def _prove(self, command: Sec2Command1, agreement: Agreement | None) -> Turn[Agreement]:
        turn = super()._prove(command, agreement)
        assert agreement is not None
        assert isinstance(turn.reply, Sec2Response1)
        return Turn(turn.reply, cipher=UncountedGcm(agreement.key[:KEY_SIZE], turn.reply.nonce))
