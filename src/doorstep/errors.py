"""The tree of errors.

DoorstepError
├── MisuseError            we, our caller or our operator did something wrong
│   ├── SettingsError      a setting is missing, malformed or contradicts another
│   └── IllegalTransition  a state machine was asked for a move its table does not have
├── PeerError              the other side of a wire misbehaved
│   ├── MalformedMessage   bytes that are not what the specification says, or exceed a named cap
│   ├── VerificationFailed a signature, tag, proof or certificate does not hold
│   ├── ReplayRefused      a genuine message, token or proof was seen before or is too old
│   └── ProtocolViolation  a well-formed message at the wrong moment
├── RefusedError           nobody misbehaved, but policy says no
└── UnavailableError       something we need is not there: database, port, disk, broker

Packages derive their leaves from these and nothing else. A message says what happened and to
whom; ``next_step`` says what to do about it. Neither ever holds a secret.
"""

__all__ = [
    "DoorstepError",
    "IllegalTransition",
    "MalformedMessage",
    "MisuseError",
    "PeerError",
    "ProtocolViolation",
    "RefusedError",
    "ReplayRefused",
    "SettingsError",
    "UnavailableError",
    "VerificationFailed",
]


class DoorstepError(Exception):
    """Root of every error Doorstep raises on purpose."""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        """Keep what happened and, where there is one, the next step for the reader."""
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class MisuseError(DoorstepError):
    """We, our caller or our operator did something wrong."""


class SettingsError(MisuseError):
    """A setting is missing, malformed or contradicts another."""


class IllegalTransition(MisuseError):
    """A state machine was asked for a move that its table does not have."""


class PeerError(DoorstepError):
    """The other side of a wire misbehaved."""


class MalformedMessage(PeerError):
    """Bytes are not what the specification says, or exceed a named cap."""


class VerificationFailed(PeerError):
    """A signature, tag, proof or certificate does not hold."""


class ReplayRefused(PeerError):
    """A genuine message, token or proof was seen before or is too old."""


class ProtocolViolation(PeerError):
    """A well-formed message came at the wrong moment."""


class RefusedError(DoorstepError):
    """Nobody misbehaved, but policy says no."""


class UnavailableError(DoorstepError):
    """Something we need is not there: database, port, disk, broker."""
