"""The device of one exchange: it proves the label, and takes a network.

For boards that speak Easy Connect over TCP themselves, and for the simulator; over the air a board's Wi-Fi
driver has to do it (`doorstep.device.setup.dpp`).
"""

import hmac
from collections.abc import Callable

from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.errors import PeerError, ProtocolViolation, RefusedError, SettingsError, VerificationFailed
from doorstep.onboarding.dpp.configuration import EnrolleeRequest, decode_network, decode_order
from doorstep.onboarding.dpp.exchange import (
    CONFIGURATOR,
    ENROLLEE,
    FIRST_VERSION_WITH_RESULT,
    STATION,
    VERSION,
    Answer,
    Event,
    State,
    advance,
)
from doorstep.onboarding.dpp.failures import NotNow, Status
from doorstep.onboarding.dpp.keys import (
    NONCE_SIZE,
    TAG_SIZE,
    Transcript,
    first_key,
    protocol_key,
    protocol_point,
    second_key,
)
from doorstep.onboarding.dpp.party import Party
from doorstep.onboarding.dpp.uri import key_hash
from doorstep.onboarding.dpp.wrapping import Items, open_frame, open_query, wrap_frame, wrap_items
from doorstep.wire.dpp import (
    ActionFrame,
    Attribute,
    Attributes,
    FrameType,
    GasRequest,
    GasResponse,
    Message,
    encode_attributes,
)

__all__ = ["Enrollee"]

TOKEN = 1


class Enrollee(Party):
    """Answers whoever has read the label; the last answer holds the network."""

    def __init__(self, key: PrivateKey, name: str, rng: Callable[[int], bytes]) -> None:
        """``key`` is the label's; ``rng`` returns that many unpredictable bytes."""
        super().__init__()
        self._label = key
        self._name = name
        self._key = generate(rng)
        self._nonce = rng(NONCE_SIZE)
        self._enrollee_nonce = rng(NONCE_SIZE)
        self._transcript: Transcript | None = None
        self._version = 1

    def _expected(self, message: Message) -> Answer | None:
        match message:
            case ActionFrame(FrameType.AUTHENTICATION_REQUEST) if self.state is State.IDLE:
                return self._answer(message)
            case ActionFrame(FrameType.AUTHENTICATION_CONFIRM) if self.state is State.AUTHENTICATING:
                return self._confirmed(message)
            case GasResponse() if self.state is State.CONFIGURING:
                return self._configured(message)
            case _:
                return None

    def _answer(self, frame: ActionFrame) -> Answer:
        attributes = Attributes.decode(frame.body)
        if attributes.get(Attribute.RESPONDER_KEY_HASH) != self._own_hash:
            raise RefusedError("The set-up is for another device.", next_step="Scan the label of this one.")
        initiator_key = protocol_key(attributes.get(Attribute.INITIATOR_PROTOCOL_KEY))
        secret = self._label.agree(initiator_key)
        inner = open_frame(frame, attributes, first_key(secret))
        nonce = inner.get(Attribute.INITIATOR_NONCE, NONCE_SIZE)
        if not inner.get(Attribute.INITIATOR_CAPABILITIES, 1)[0] & CONFIGURATOR:
            return self._incompatible(first_key(secret), nonce)
        shared = self._key.agree(initiator_key)
        self._transcript = Transcript(
            initiator_nonce=nonce,
            responder_nonce=self._nonce,
            initiator_key=initiator_key,
            responder_key=self._key.public_key,
            label=self._label.public_key,
            secrets=secret + shared,
        )
        self._version = (attributes.find(Attribute.PROTOCOL_VERSION) or b"\x01")[0]
        self.state = advance(self.state, Event.REQUEST)
        return Answer((self._proof(self._transcript, second_key(shared)),))

    def _incompatible(self, key: bytes, nonce: bytes) -> Answer:
        frame = wrap_frame(
            FrameType.AUTHENTICATION_RESPONSE,
            [
                (Attribute.STATUS, bytes((Status.NOT_COMPATIBLE,))),
                (Attribute.RESPONDER_KEY_HASH, self._own_hash),
            ],
            key,
            [(Attribute.INITIATOR_NONCE, nonce), (Attribute.RESPONDER_CAPABILITIES, bytes((ENROLLEE,)))],
        )
        return Answer((frame,), ProtocolViolation("what asked is no configurator"))

    def _proof(self, transcript: Transcript, key: bytes) -> ActionFrame:
        clear: Items = [
            (Attribute.STATUS, bytes((Status.OK,))),
            (Attribute.RESPONDER_KEY_HASH, self._own_hash),
            (Attribute.RESPONDER_PROTOCOL_KEY, protocol_point(self._key.public_key)),
            (Attribute.PROTOCOL_VERSION, bytes((VERSION,))),
        ][: 4 if self._version >= FIRST_VERSION_WITH_RESULT else 3]
        secret: Items = [
            (Attribute.RESPONDER_NONCE, self._nonce),
            (Attribute.INITIATOR_NONCE, transcript.initiator_nonce),
            (Attribute.RESPONDER_CAPABILITIES, bytes((ENROLLEE,))),
            wrap_items(transcript.session_key, [(Attribute.RESPONDER_TAG, transcript.responder_tag)]),
        ]
        return wrap_frame(FrameType.AUTHENTICATION_RESPONSE, clear, key, secret)

    def _confirmed(self, frame: ActionFrame) -> Answer:
        attributes = Attributes.decode(frame.body)
        if attributes.get(Attribute.STATUS, 1)[0] != Status.OK:
            raise VerificationFailed("the configurator does not believe this device")
        inner = open_frame(frame, attributes, self._agreed.session_key)
        if not hmac.compare_digest(inner.get(Attribute.INITIATOR_TAG, TAG_SIZE), self._agreed.initiator_tag):
            raise VerificationFailed("the configurator has not read this device's label")
        self.state = advance(advance(self.state, Event.CONFIRM), Event.ASK)
        request = EnrolleeRequest(self._name, STATION).encode()
        items: Items = [(Attribute.ENROLLEE_NONCE, self._enrollee_nonce), (Attribute.REQUEST, request)]
        query = encode_attributes([wrap_items(self._agreed.session_key, items)])
        return Answer((GasRequest(TOKEN, query),))

    def _configured(self, response: GasResponse) -> Answer:
        attributes = Attributes.decode(response.query)
        inner = open_query(attributes, self._agreed.session_key)
        if inner.get(Attribute.ENROLLEE_NONCE) != self._enrollee_nonce or response.token != TOKEN:
            raise VerificationFailed("the configuration answers another request")
        status = attributes.get(Attribute.STATUS, 1)[0]
        if status != Status.OK:
            raise RefusedError(f"The configurator has nothing for this device (status {status}).")
        try:
            given = inner.get(Attribute.CONFIGURATION)
            network, order = decode_network(given), decode_order(given)
        except (PeerError, SettingsError) as failure:
            return Answer(self._result(Status.CONFIGURATION_REJECTED), failure)
        self.state = advance(self.state, Event.FINISH)
        return Answer(self._result(Status.OK), network=network, order=order)

    def _result(self, status: Status) -> tuple[ActionFrame, ...]:
        if self._version < FIRST_VERSION_WITH_RESULT:
            return ()
        secret: Items = [
            (Attribute.STATUS, bytes((status,))),
            (Attribute.ENROLLEE_NONCE, self._enrollee_nonce),
        ]
        return (wrap_frame(FrameType.CONFIGURATION_RESULT, (), self._agreed.session_key, secret),)

    @property
    def _own_hash(self) -> bytes:
        return key_hash(self._label.public_key)

    @property
    def _agreed(self) -> Transcript:
        if self._transcript is None:
            raise NotNow("answer")
        return self._transcript
