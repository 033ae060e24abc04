"""Both roles together over an in-memory link, and what an attacker between or beside them gets: nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.crypto.p256 import generate
from doorstep.errors import (
    DoorstepError,
    IllegalTransition,
    MalformedMessage,
    PeerError,
    ProtocolViolation,
    RefusedError,
    SettingsError,
    VerificationFailed,
)
from doorstep.onboarding.dpp.configuration import Akm, Configuration
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.enrollee import Enrollee
from doorstep.onboarding.dpp.exchange import TRANSITIONS, Answer, Event, State, advance
from doorstep.onboarding.dpp.failures import (
    ConfigurationRejected,
    DeviceRefused,
    NotNow,
    NotTheLabelsDevice,
    Status,
    WrongRole,
)
from doorstep.onboarding.dpp.keys import Transcript, protocol_key, protocol_point, second_key
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.dpp.wrapping import wrap_frame, wrap_items, wrap_query
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.dpp import (
    ActionFrame,
    Attribute,
    Attributes,
    FrameReader,
    FrameType,
    GasRequest,
    GasResponse,
    Message,
    encode_frame,
)
from tests.onboarding.helpers import counted_rng

KEY = generate(counted_rng(b"label"))
LABEL = BootstrapUri(KEY.public_key)
HOME = NetworkCredentials(b"home", b"correct horse")
CONFIGURATION = Configuration(HOME)


def configurator(seed: bytes = b"phone", configuration: Configuration = CONFIGURATION) -> Configurator:
    return Configurator(LABEL, configuration, counted_rng(seed))


def enrollee(seed: bytes = b"device") -> Enrollee:
    return Enrollee(KEY, "kettle", counted_rng(seed))


@dataclass
class Air:
    """The two roles back to back; ``touch`` may change each frame's octets on its way."""

    phone: Configurator = field(default_factory=configurator)
    device: Enrollee = field(default_factory=enrollee)
    touch: Callable[[int, bytes], bytes] = lambda _number, octets: octets
    heard: list[Message] = field(default_factory=list)
    network: NetworkCredentials | None = None

    def run(self) -> None:
        """Carry every frame; raises the first failure of the configurator, else of the device."""
        failures: list[DoorstepError] = []
        frames: list[Message] = [self.phone.start()]
        side: Configurator | Enrollee = self.device
        while frames:
            answers = [self.deliver(side, frame, failures) for frame in frames]
            frames = [frame for answer in answers for frame in answer.frames]
            side = self.phone if side is self.device else self.device
        if failures:
            raise min(
                failures, key=lambda failure: not isinstance(failure, (NotTheLabelsDevice, RefusedError))
            )

    def deliver(self, side: Configurator | Enrollee, frame: Message, failures: list[DoorstepError]) -> Answer:
        answer = Answer()
        try:
            for message in FrameReader().feed(self.touch(len(self.heard), encode_frame(frame))):
                self.heard.append(message)
                answer = side.receive(message)
        except DoorstepError as failure:
            failures.append(failure)
        if answer.failure is not None:
            failures.append(answer.failure)
        self.network = self.network or answer.network
        return answer


def test_device_gets_the_network_of_who_has_read_its_label() -> None:
    air = Air()
    air.run()
    assert (air.phone.state, air.device.state, air.network) == (State.DONE, State.DONE, HOME)
    assert air.phone.enrollee is not None
    assert air.phone.enrollee.name == "kettle"


def test_roles_of_the_first_version_end_without_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.dpp.configurator.VERSION", 1)
    air = Air()
    air.run()
    assert (air.phone.state, air.device.state, air.network) == (State.DONE, State.DONE, HOME)
    assert not [frame for frame in air.heard if isinstance(frame, ActionFrame) and frame.kind == 11]


def test_secrets_are_not_shown() -> None:
    air = Air()
    air.run()
    shown = repr((air.phone._transcript, CONFIGURATION, Answer(network=HOME)))
    assert "correct horse" not in shown
    assert "secrets" not in shown


@settings(max_examples=60)
@given(st.integers(0, 5), st.integers(4, 200), st.integers(0, 7))
def test_exchange_survives_no_flipped_bit(number: int, at: int, bit: int) -> None:
    touched = False

    def flip(frame: int, octets: bytes) -> bytes:
        nonlocal touched
        if frame != number or at >= len(octets):
            return octets
        touched = True
        return octets[:at] + bytes((octets[at] ^ 1 << bit,)) + octets[at + 1 :]

    air = Air(touch=flip)
    try:
        air.run()
    except (PeerError, RefusedError):
        assert touched
    else:
        assert not touched
    assert air.network in (None, HOME)
    assert not touched or air.phone.state is not State.DONE


def test_configurator_refuses_replayed_response() -> None:
    earlier = Air()
    earlier.run()
    again = configurator(b"another day")
    again.start()
    with pytest.raises(NotTheLabelsDevice):
        again.receive(earlier.heard[1])
    assert again.state is State.FAILED


def test_device_refuses_replayed_confirmation() -> None:
    earlier = Air()
    earlier.run()
    device = enrollee(b"another boot")
    device.receive(earlier.heard[0])
    with pytest.raises(VerificationFailed):
        device.receive(earlier.heard[2])


class Photographer(Enrollee):
    """Has a photograph of the label and a key of its own."""

    @property
    def _own_hash(self) -> bytes:
        return LABEL.key_hash


def test_photographer_of_the_label_cannot_read_what_is_sent_to_the_device() -> None:
    impostor = Photographer(generate(counted_rng(b"impostor")), "kettle", counted_rng(b"impostor"))
    with pytest.raises(VerificationFailed):
        impostor.receive(configurator().start())


def test_photographer_of_the_label_cannot_answer_as_the_device() -> None:
    phone = configurator()
    heard = Attributes.decode(phone.start().body)
    own = generate(counted_rng(b"impostor"))
    shared = own.agree(protocol_key(heard.get(Attribute.INITIATOR_PROTOCOL_KEY)))
    clear = [
        (Attribute.STATUS, bytes((Status.OK,))),
        (Attribute.RESPONDER_KEY_HASH, LABEL.key_hash),
        (Attribute.RESPONDER_PROTOCOL_KEY, protocol_point(own.public_key)),
    ]
    guess = [(Attribute.RESPONDER_NONCE, bytes(16)), (Attribute.INITIATOR_NONCE, bytes(16))]
    answer = wrap_frame(FrameType.AUTHENTICATION_RESPONSE, clear, second_key(shared), guess)
    with pytest.raises(NotTheLabelsDevice):
        phone.receive(answer)


def test_photographer_of_the_label_cannot_refuse_as_the_device() -> None:
    phone = configurator()
    phone.start()
    clear = [
        (Attribute.STATUS, bytes((Status.NOT_COMPATIBLE,))),
        (Attribute.RESPONDER_KEY_HASH, LABEL.key_hash),
    ]
    with pytest.raises(NotTheLabelsDevice):
        phone.receive(wrap_frame(FrameType.AUTHENTICATION_RESPONSE, clear, bytes(32), []))


def test_device_refuses_who_has_read_another_label() -> None:
    phone = Configurator(
        BootstrapUri(generate(counted_rng(b"x")).public_key), CONFIGURATION, counted_rng(b"p")
    )
    with pytest.raises(RefusedError, match="another device"):
        enrollee().receive(phone.start())


def test_configurator_refuses_an_answer_for_another_label() -> None:
    phone = configurator()
    phone.start()
    body = wrap_query([(Attribute.STATUS, b"\0"), (Attribute.RESPONDER_KEY_HASH, bytes(32))], bytes(32), [])
    with pytest.raises(NotTheLabelsDevice):
        phone.receive(ActionFrame(FrameType.AUTHENTICATION_RESPONSE, body))


def test_device_refuses_what_is_no_configurator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.dpp.configurator.CONFIGURATOR", 1)
    air = Air()
    with pytest.raises(DeviceRefused, match="status 1"):
        air.run()
    assert air.device.state is State.FAILED


def test_refusal_that_waits_for_our_code_says_so() -> None:
    assert "own code" in DeviceRefused(Status.RESPONSE_PENDING).next_step


def test_configurator_refuses_what_will_not_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.dpp.enrollee.ENROLLEE", 2)
    air = Air()
    with pytest.raises(ProtocolViolation, match="not want"):
        air.run()
    assert air.phone.state is State.FAILED


def test_configurator_gives_nothing_to_what_would_be_an_access_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.dpp.enrollee.STATION", "ap")
    air = Air()
    with pytest.raises(WrongRole, match="'ap'"):
        air.run()
    assert (air.phone.state, air.device.state, air.network) == (State.FAILED, State.FAILED, None)


def test_configurator_refuses_a_code_that_nobody_showed() -> None:
    class Claimant(Enrollee):
        def _proof(self, transcript: Transcript, key: bytes) -> ActionFrame:
            frame = super()._proof(transcript, key)
            return replace(frame, body=bytes.fromhex("01102000") + bytes(32) + frame.body)

    with pytest.raises(ProtocolViolation, match="nobody showed"):
        Air(device=Claimant(KEY, "kettle", counted_rng(b"d"))).run()


def test_configurator_refuses_a_wrong_proof() -> None:
    class Confused(Enrollee):
        def _proof(self, transcript: Transcript, key: bytes) -> ActionFrame:
            return super()._proof(replace(transcript, label=transcript.responder_key), key)

    with pytest.raises(NotTheLabelsDevice):
        Air(device=Confused(KEY, "kettle", counted_rng(b"d"))).run()


@pytest.mark.parametrize("status", [Status.OK, Status.AUTHENTICATION_FAILURE])
def test_device_refuses_a_wrong_confirmation(status: Status) -> None:
    class Confused(Configurator):
        def _confirm(self, transcript: Transcript) -> ActionFrame:
            return wrap_frame(
                FrameType.AUTHENTICATION_CONFIRM,
                [(Attribute.STATUS, bytes((status,)))],
                transcript.session_key,
                [(Attribute.INITIATOR_TAG, bytes(32))],
            )

    air = Air(phone=Confused(LABEL, CONFIGURATION, counted_rng(b"p")))
    with pytest.raises(VerificationFailed):
        air.run()
    assert air.device.state is State.FAILED


def test_device_turns_down_what_it_cannot_join() -> None:
    signed = Configuration(NetworkCredentials(b"home"), Akm.DPP, generate(counted_rng(b"signer")))
    air = Air(phone=configurator(configuration=signed))
    with pytest.raises(ConfigurationRejected, match="status 9"):
        air.run()
    assert (air.device.state, air.network) == (State.FAILED, None)


def test_device_of_the_first_version_turns_down_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.dpp.configurator.VERSION", 1)
    signed = Configuration(NetworkCredentials(b"home"), Akm.DPP, generate(counted_rng(b"signer")))
    with pytest.raises(SettingsError):
        Air(phone=configurator(configuration=signed)).run()


def until(number: int) -> Air:
    """Return an exchange of which the first ``number`` frames have arrived."""
    air = Air(touch=lambda frame, octets: octets if frame < number else b"")
    air.run()
    return air


def test_device_refuses_an_answer_to_another_request() -> None:
    air = until(3)
    key = air.device._agreed.session_key
    query = wrap_query([(Attribute.STATUS, b"\0")], key, [(Attribute.ENROLLEE_NONCE, bytes(16))])
    with pytest.raises(VerificationFailed, match="another request"):
        air.device.receive(GasResponse(1, query))


def test_configurator_refuses_a_result_of_another_exchange() -> None:
    air = until(4)
    items = [(Attribute.STATUS, b"\0"), (Attribute.ENROLLEE_NONCE, bytes(16))]
    result = wrap_frame(FrameType.CONFIGURATION_RESULT, [], air.phone._session_key, items)
    with pytest.raises(VerificationFailed, match="another configuration"):
        air.phone.receive(result)


WRAPPED = wrap_query([(Attribute.STATUS, b"\0")], bytes(32), [])
STRANGE: list[Message] = [
    GasRequest(1, b""),
    GasResponse(1, b""),
    *(ActionFrame(kind, b"") for kind in FrameType),
]


@pytest.mark.parametrize("message", STRANGE)
@pytest.mark.parametrize("frames", range(6))
def test_roles_refuse_frames_at_the_wrong_moment(message: Message, frames: int) -> None:
    air = until(frames)
    for side in (air.phone, air.device):
        done = side.state is State.DONE
        with pytest.raises((NotNow, MalformedMessage)):
            side.receive(message)
        assert side.state is State.FAILED
        assert done or air.network is None or frames >= 5


def test_roles_have_no_session_before_the_proof() -> None:
    with pytest.raises(NotNow):
        _ = configurator()._session_key
    with pytest.raises(NotNow):
        _ = enrollee()._agreed


def test_configurator_starts_once() -> None:
    phone = configurator()
    phone.start()
    with pytest.raises(IllegalTransition, match="'authentication request' while authenticating"):
        phone.start()


def test_every_state_is_reached() -> None:
    assert {State.IDLE} | {to for moves in TRANSITIONS.values() for to in moves.values()} == set(State)
    assert advance(State.FAILED, Event.FAIL) is State.FAILED


def test_tag_of_wrapped_items_is_an_attribute() -> None:
    assert wrap_items(bytes(32), [])[0] is Attribute.WRAPPED_DATA
