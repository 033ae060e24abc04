"""An app and a device back to back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from doorstep.onboarding.blufi.configurator import BlufiConfigurator, BlufiEvent, KeyAgreed
from doorstep.onboarding.blufi.device import BlufiDevice, BlufiProfile, Wish
from doorstep.onboarding.joining import Joining
from tests.onboarding.helpers import counted_rng

OLD, NEW = (1, 3), (1, 4)


@dataclass
class BlufiLink:
    """``wishes`` is what the device asked its shell for, ``events`` what the app learnt."""

    joining: Joining = field(default_factory=Joining)
    profile: BlufiProfile = field(default_factory=lambda: BlufiProfile("dev1"))
    wishes: list[Wish] = field(default_factory=list)
    events: list[BlufiEvent] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = BlufiDevice(self.profile, self.joining, counted_rng(b"device"))
        self.device.room(182)
        self.app = BlufiConfigurator(counted_rng(b"app"), 128)

    def write(self, frames: Sequence[bytes]) -> list[BlufiEvent]:
        """Write frames to the device; return what its answers tell."""
        heard = []
        for frame in frames:
            self.sent.append(frame)
            answer = self.device.receive(frame)
            self.wishes += answer.wishes
            heard += self.notify(answer.frames)
        return heard

    def notify(self, frames: Sequence[bytes]) -> list[BlufiEvent]:
        events = [event for event in map(self.app.receive, frames) if event is not None]
        self.events += events
        return events

    def secured(self, version: tuple[int, int] = OLD) -> "BlufiLink":
        """Return both sides with a key; the old suite is the quicker one."""
        (agreed,) = self.write(self.app.negotiate(version))
        assert isinstance(agreed, KeyAgreed)
        assert self.write(agreed.frames) == []
        return self
