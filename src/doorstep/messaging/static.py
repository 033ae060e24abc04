"""Devices that cannot write: a session of random keys at each boot, in place of the ratchet.

An epoch is the second in which a session began, by whatever clock the device was told; its keys come from the
root and from random bytes of the device, so that a lie about the time repeats no nonce.
"""

import hmac
from collections.abc import Callable
from typing import Final

from doorstep.crypto.hkdf import expand
from doorstep.errors import MisuseError
from doorstep.messaging.envelope import Envelope, build_compact, parse_session
from doorstep.messaging.epoch import EpochReceiver
from doorstep.messaging.errors import Forged, RejectReason, Replayed
from doorstep.messaging.keys import MASTER_SECRET_LENGTH, MAX_EPOCH
from doorstep.messaging.opener import Opened, Opener
from doorstep.messaging.sealer import DeviceSealer
from doorstep.messaging.state import SealedState
from doorstep.messaging.variant import SESSION_LENGTH, Variant

__all__ = [
    "AHEAD_S",
    "BEHIND_S",
    "EPOCH_ZERO_S",
    "StaticOpener",
    "StaticSealer",
    "epoch_at",
    "open_session_aside",
    "opener_for",
    "receiver_of",
    "session_secret",
]

EPOCH_ZERO_S: Final = 1_577_836_800  # 2020-01-01T00:00:00Z: the second that is epoch 0
BEHIND_S: Final = 600  # how old a session may be when its first message comes
AHEAD_S: Final = 60  # how far its clock may be ahead

_LABEL: Final = b"doorstep sealed v1 static master secret"


def epoch_at(now_s: int) -> int:
    """Return the epoch of a session that begins at this second of UTC."""
    epoch = now_s - EPOCH_ZERO_S
    if not 0 < epoch <= MAX_EPOCH:
        raise MisuseError(
            f"no session can begin at second {now_s}", next_step="Ask the platform for the time."
        )
    return epoch


def session_secret(root: bytes, session: bytes) -> bytes:
    """Return the master secret of a session."""
    return expand(root, _LABEL + session, MASTER_SECRET_LENGTH)


class StaticSealer(DeviceSealer):
    """One boot of a device that writes nothing: ``rng`` must be a chip's true one."""

    __slots__ = ("_session",)

    def __init__(
        self, kid: bytes, root: bytes, variant: Variant, now_s: int, rng: Callable[[int], bytes]
    ) -> None:
        self._session = rng(SESSION_LENGTH)
        self._begin(kid, session_secret(root, self._session), epoch_at(now_s), variant)

    def encode(self, envelope: Envelope) -> bytes:
        """Return the compact encoding, with the session inside."""
        return build_compact(envelope, self._session)


class StaticOpener(Opener):
    """Opens what a device that writes nothing sends. The root stays; sessions follow each other in time."""

    __slots__ = ()

    def open(self, message: bytes, channel: bytes, now_us: int) -> Opened:
        """See `Opener.open`."""
        envelope, session = parse_session(message, self._variant)
        epoch, sequence, kid, sealed = envelope
        if kid is not None and kid != self._kid:
            raise Forged(RejectReason.UNKNOWN_KID, "the message names another sender than its carrier")
        if epoch <= self._current.epoch:
            known = self._current if epoch == self._current.epoch else self._receiver_behind(epoch, now_us)
            _check_session(self._root, session, known.secret)
            return epoch, sequence, known.open(sequence, sealed, channel)
        begun = receiver_of(self._kid, self._root, envelope, session, self._variant, now_us)
        plaintext = begun.open(sequence, sealed, channel)
        self._follow(begun, self._root, now_us)
        return epoch, sequence, plaintext


def open_session_aside(  # noqa: PLR0913, PLR0917 - who, what it holds, what came and when
    kid: bytes, state: SealedState, envelope: Envelope, session: bytes, channel: bytes, now_us: int
) -> tuple[bytes, bytes]:
    """Return plaintext and master secret of a message that no window counts; the state stays.

    The caller sees to repeats. Raises Rejected; the previous session is over here.
    """
    current, suite = state.current, state.variant.suite
    if envelope.epoch < current.epoch:
        raise Replayed(RejectReason.EPOCH_PAST, "a later session has begun")
    if envelope.epoch == current.epoch:
        _check_session(state.root, session, current.master)
        receiver = EpochReceiver(current.master, current.epoch, kid, suite=suite)
    else:
        receiver = receiver_of(kid, state.root, envelope, session, state.variant, now_us)
    return receiver.open(envelope.sequence, envelope.ciphertext, channel), receiver.secret


def _check_session(root: bytes, session: bytes, secret: bytes) -> None:
    """Refuse a session id that did not make the secret: in the header it is authenticated by nothing else."""
    if not hmac.compare_digest(session_secret(root, session), secret):
        raise Forged(RejectReason.WRONG_TAG, "another session has begun in the same second")


def opener_for(kid: bytes, state: SealedState) -> Opener:
    """Return what opens this device's messages, by its variant."""
    return StaticOpener(kid, state) if state.variant.is_static else Opener(kid, state)


def receiver_of(  # noqa: PLR0913, PLR0917 - who, what it holds, what came, when
    kid: bytes, root: bytes, envelope: Envelope, session: bytes, variant: Variant, now_us: int
) -> EpochReceiver:
    """Return the receiver of a new session; raises Replayed or Forged for one of another time."""
    age_s = now_us // 1_000_000 - EPOCH_ZERO_S - envelope.epoch
    if age_s > BEHIND_S:
        raise Replayed(RejectReason.EPOCH_PAST, f"the session began {age_s} s ago and was never heard")
    if age_s < -AHEAD_S:
        raise Forged(RejectReason.EPOCH_TOO_FAR, f"the session begins in {-age_s} s")
    return EpochReceiver(session_secret(root, session), envelope.epoch, kid, suite=variant.suite)
