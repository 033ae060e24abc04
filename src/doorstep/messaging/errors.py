"""Why a sealed message was refused: typed errors with one machine-readable reason each.

Rejected(PeerError)
├── MalformedEnvelope  the bytes are no sealed message, or exceed a cap
├── Forged             kid, epoch or tag do not hold
└── Replayed           seen before, or too old to know
"""

import enum

from doorstep.errors import MalformedMessage, MisuseError, PeerError, ReplayRefused, VerificationFailed

__all__ = ["EpochExhausted", "Forged", "MalformedEnvelope", "RejectReason", "Rejected", "Replayed"]


class RejectReason(enum.StrEnum):
    """The reasons of docs/spec/sealed.md section 7, as they stand in dead letters."""

    MALFORMED = "malformed"  # neither encoding of a sealed message
    OVERSIZE = "oversize"  # longer than the cap
    UNKNOWN_KID = "unknown_kid"  # names another sender than the one whose keys are tried
    WRONG_TAG = "wrong_tag"  # forged, damaged, or sealed for another channel or direction
    REPLAYED = "replayed"  # this sequence number was opened before
    TOO_OLD = "too_old"  # behind the replay window
    EPOCH_PAST = "epoch_past"  # of an epoch whose keys are gone
    EPOCH_TOO_FAR = "epoch_too_far"  # further ahead than the ratchet is run
    BAD_PAYLOAD = "bad_payload"  # genuine, but its plaintext is not what its channel carries


class Rejected(PeerError):
    """A sealed message was refused; nothing changed."""

    def __init__(self, reason: RejectReason, message: str) -> None:
        """Keep the machine-readable ``reason`` beside the words."""
        super().__init__(message)
        self.reason = reason


class MalformedEnvelope(Rejected, MalformedMessage):
    """The bytes are no sealed message, or exceed a cap."""


class Forged(Rejected, VerificationFailed):
    """The kid, epoch or tag does not hold."""


class Replayed(Rejected, ReplayRefused):
    """The message was seen before, or is too old to know."""


class EpochExhausted(MisuseError):
    """Every sequence number of this epoch is used; the next one needs a boot."""
