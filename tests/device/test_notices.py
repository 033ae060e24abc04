import pytest

from doorstep.device import notices
from doorstep.device.life import State
from doorstep.device.notices import Moved, Notice, sentence
from tests.device.test_life import EXAMPLES

OTHERS: list[Notice] = [
    notices.SetupOpened("127.0.0.1", 80),
    notices.ReadingsSent(1, 0, 3),
    notices.ReadingsRefused("the outbox is full"),
    notices.SensorFailed("no wire"),
    notices.ClockCorrected(86_400.0),
    notices.AskedToShowItself(),
    notices.CameDown("cmd", 12),
    notices.DownlinkRefused("cmd", "seen before"),
]


@pytest.mark.parametrize(
    "notice",
    [*(Moved(State.ONLINE, event, State.HELD) for event in EXAMPLES.values()), *OTHERS],
    ids=lambda notice: type(getattr(notice, "event", notice)).__name__,
)
def test_every_notice_has_one_sentence_for_people(notice: Notice) -> None:
    said = sentence(notice)
    assert said.endswith(".")
    assert ".." not in said
    assert "\n" not in said
    assert "secret" not in said
    assert "secret" not in repr(notice)
