"""A sender's frames as a radio without the key hears them: lost, swapped, sent again, among others'."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from doorstep.onboarding.esptouch.announcement import Announcement
from doorstep.onboarding.esptouch.listening import Listener
from doorstep.wire.monitor import DataFrame

PHONE, AP = b"\x02phone", b"\x02acces"
FRAME = DataFrame(PHONE, PHONE, b"\xff" * 6, AP, 0)


@dataclass(frozen=True)
class Air:
    """``overhead`` is 76 without and 78 with quality of service."""

    loss: float = 0.0
    swaps: float = 0.0
    repeats: float = 0.0
    overhead: int = 78
    seed: int = 1

    def frames(self, lengths: Iterable[int], sender: bytes = PHONE) -> Iterator[DataFrame]:
        rng = random.Random(self.seed)
        late: DataFrame | None = None
        for number, length in enumerate(lengths):
            frame = replace(
                FRAME, transmitter=sender, source=sender, size=length + self.overhead, sequence=number
            )
            if rng.random() < self.loss:
                continue
            if late is None and rng.random() < self.swaps:
                late = frame
                continue
            yield frame
            if rng.random() < self.repeats:
                yield replace(frame, retry=True)
            if late is not None:
                yield late
                late = None


def listen(listener: Listener, frames: Iterable[DataFrame], *, pace: float, most: int) -> Announcement | None:
    """Feed a listener that stays on its channel; return what it hears within ``most`` frames."""
    now = 0.0
    for frame in islice(frames, most):
        now += pace
        listener.channel(now)
        if (heard := listener.hear(frame, now)) is not None:
            return heard
    return None
