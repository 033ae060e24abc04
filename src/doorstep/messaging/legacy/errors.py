"""Legacy messages that are not taken. There is one refusal, and it says nothing more.

LegacyRefused(VerificationFailed)  malformed, forged, misnamed, or under a spent id: nobody learns which
LegacyRepeat(ReplayRefused)        taken before
"""

from doorstep.errors import ReplayRefused, VerificationFailed

__all__ = ["LegacyRefused", "LegacyRepeat"]


class LegacyRefused(VerificationFailed):
    """A legacy message was refused; which of the checks failed is not told, for that would be an oracle."""

    def __init__(self) -> None:
        super().__init__("the legacy message is not genuine, or not under a session id that is good now")


class LegacyRepeat(ReplayRefused):
    """A legacy message is a repeat of one that was taken; nothing changed."""
