"""What configurator and device have in common: they take frames in turn, and one failure ends it."""

from abc import ABC, abstractmethod

from doorstep.errors import PeerError, RefusedError
from doorstep.onboarding.dpp.exchange import Answer, Event, State, advance
from doorstep.onboarding.dpp.failures import NotNow
from doorstep.wire.dpp import ActionFrame, Message

__all__ = ["Party"]


class Party(ABC):
    """One side of an exchange; ``state`` says how far it got."""

    def __init__(self) -> None:
        self.state = State.IDLE

    def receive(self, message: Message) -> Answer:
        """Take a frame; raises `PeerError` or `RefusedError` on one that ends it without an answer."""
        try:
            answer = self._expected(message)
            if answer is None:
                raise NotNow(_name(message))
        except (PeerError, RefusedError):
            self.state = State.FAILED
            raise
        if answer.failure is not None:
            self.state = advance(self.state, Event.FAIL)
        return answer

    @abstractmethod
    def _expected(self, message: Message) -> Answer | None:
        """Answer a frame that may come in this state; None for any other."""


def _name(message: Message) -> str:
    return message.kind.name.lower().replace("_", " ") if isinstance(message, ActionFrame) else "query"
