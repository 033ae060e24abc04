from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.onboarding.sealed import phone
from doorstep.onboarding.sealed.blob import SealedBlob
from doorstep.onboarding.sealed.status import STATUS_CAP, DeviceStatus, parse_status
from doorstep.wire.provisioning.delivery import DeviceStage

if TYPE_CHECKING:
    from doorstep.onboarding.protocomm.configurator import Conversation

statuses = st.builds(
    DeviceStatus, st.just("binsypko"), st.sampled_from(DeviceStage), st.booleans(), st.booleans()
)


@given(statuses)
def test_phone_reads_what_a_device_says(status: DeviceStatus) -> None:
    assert parse_status(status.encode()) == status


def test_stage_is_said_in_words() -> None:
    said = DeviceStatus("binsypko", DeviceStage.WRONG_PASSWORD, pairing=True, locked=False).encode()
    assert said == b'{"device":"binsypko","stage":"wrong-password","pairing":true,"locked":false}'


def test_unknown_stage_counts_as_still_at_it() -> None:
    said = b'{"device":"binsypko","stage":"dancing","pairing":true,"locked":false,"more":1}'
    assert parse_status(said).stage is DeviceStage.TRYING


BAD = {
    "nothing": b"",
    "list": b"[]",
    "no stage": b'{"device":"binsypko","pairing":true,"locked":false}',
    "number for a truth": b'{"device":"binsypko","stage":"trying","pairing":1,"locked":false}',
    "no device id": b'{"device":"B","stage":"trying","pairing":true,"locked":false}',
    "too long": b'{"device":"binsypko"' + b" " * STATUS_CAP,
    "too deep": b"[" * STATUS_CAP,
}


@pytest.mark.parametrize("name", BAD)
def test_phone_refuses(name: str) -> None:
    with pytest.raises(MalformedMessage):
        parse_status(BAD[name])


def test_each_request_goes_to_its_endpoint() -> None:
    blob = SealedBlob("binsypko", bytes(16), 1, bytes(65), bytes(80))
    status = DeviceStatus("binsypko", DeviceStage.WAITING, pairing=False, locked=True)
    talks: dict[tuple[str, bytes], Conversation[DeviceStatus]] = {
        ("doorstep-sealed", b"?"): phone.ask(),
        ("doorstep-sealed", blob.encode()): phone.bring(blob),
        ("doorstep-release", b"signed"): phone.bring_release(b"signed"),
    }
    for (endpoint, body), talk in talks.items():
        request = next(talk)
        assert (request.endpoint, request.body) == (endpoint, body)
        with pytest.raises(StopIteration) as done:
            talk.send(status.encode())
        assert done.value.value == status
