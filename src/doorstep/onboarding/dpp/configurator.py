"""The configurator of one exchange: it reads the label, proves the device, and gives it the network.

It speaks first (specification §6.2). The device is proven by the label's key; it learns nothing of who
configures it, because a device without a camera cannot read a configurator's label.
"""

import hmac
from collections.abc import Callable

from doorstep.crypto.p256 import PublicKey, generate
from doorstep.errors import ProtocolViolation, VerificationFailed
from doorstep.onboarding.dpp.configuration import Configuration, EnrolleeRequest
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
from doorstep.onboarding.dpp.failures import (
    ConfigurationRejected,
    DeviceRefused,
    NotNow,
    NotTheLabelsDevice,
    Status,
    WrongRole,
)
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
from doorstep.onboarding.dpp.uri import BootstrapUri, key_hash
from doorstep.onboarding.dpp.wrapping import open_frame, open_items, wrap_frame, wrap_query
from doorstep.wire.dpp import ActionFrame, Attribute, Attributes, FrameType, GasRequest, GasResponse, Message

__all__ = ["Configurator"]


class Configurator(Party):
    """Configures the device of one label; frames go in and out, ``state`` says how far it got."""

    def __init__(
        self, label: BootstrapUri, configuration: Configuration, rng: Callable[[int], bytes]
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        super().__init__()
        self.enrollee: EnrolleeRequest | None = None
        """What the device said of itself, once it asked."""
        self._label = label
        self._configuration = configuration
        self._key = generate(rng)
        self._own_label = generate(rng).public_key
        self._nonce = rng(NONCE_SIZE)
        self._first_key = first_key(self._key.agree(label.key))
        self._transcript: Transcript | None = None
        self._version = 1
        self._enrollee_nonce = b""

    def start(self) -> ActionFrame:
        """Return the authentication request."""
        self.state = advance(self.state, Event.REQUEST)
        clear = [
            (Attribute.RESPONDER_KEY_HASH, self._label.key_hash),
            (Attribute.INITIATOR_KEY_HASH, key_hash(self._own_label)),
            (Attribute.INITIATOR_PROTOCOL_KEY, protocol_point(self._key.public_key)),
            (Attribute.PROTOCOL_VERSION, bytes((VERSION,))),
        ]
        secret = [
            (Attribute.INITIATOR_NONCE, self._nonce),
            (Attribute.INITIATOR_CAPABILITIES, bytes((CONFIGURATOR,))),
        ]
        return wrap_frame(FrameType.AUTHENTICATION_REQUEST, clear, self._first_key, secret)

    def _expected(self, message: Message) -> Answer | None:
        match message:
            case ActionFrame(FrameType.AUTHENTICATION_RESPONSE) if self.state is State.AUTHENTICATING:
                return self._authenticate(message)
            case GasRequest() if self.state is State.AUTHENTICATED:
                return self._configure(message)
            case ActionFrame(FrameType.CONFIGURATION_RESULT) if self.state is State.CONFIGURING:
                return self._finish(message)
            case _:
                return None

    def _authenticate(self, frame: ActionFrame) -> Answer:
        attributes = Attributes.decode(frame.body)
        if attributes.get(Attribute.RESPONDER_KEY_HASH) != self._label.key_hash:
            raise NotTheLabelsDevice
        status = attributes.get(Attribute.STATUS, 1)[0]
        try:
            if status != Status.OK:
                return self._refused(frame, attributes, status)
            return self._prove(frame, attributes)
        except VerificationFailed:
            raise NotTheLabelsDevice from None

    def _refused(self, frame: ActionFrame, attributes: Attributes, status: int) -> Answer:
        """Believe a refusal only of the device itself: k1 takes the label's private key."""
        self._check_nonce(open_frame(frame, attributes, self._first_key))
        return Answer(failure=DeviceRefused(status))

    def _prove(self, frame: ActionFrame, attributes: Attributes) -> Answer:
        if attributes.find(Attribute.INITIATOR_KEY_HASH) is not None:
            raise ProtocolViolation("the device claims to have read a code that nobody showed it")
        responder_key = protocol_key(attributes.get(Attribute.RESPONDER_PROTOCOL_KEY))
        shared = self._key.agree(responder_key)
        inner = open_frame(frame, attributes, second_key(shared))
        self._check_nonce(inner)
        if inner.get(Attribute.RESPONDER_CAPABILITIES, 1)[0] & (ENROLLEE | CONFIGURATOR) != ENROLLEE:
            raise ProtocolViolation("the device does not want to be configured")
        transcript = self._transcribe(inner.get(Attribute.RESPONDER_NONCE, NONCE_SIZE), responder_key, shared)
        proof = open_items(inner, transcript.session_key)
        if not hmac.compare_digest(proof.get(Attribute.RESPONDER_TAG, TAG_SIZE), transcript.responder_tag):
            raise NotTheLabelsDevice
        self._transcript = transcript
        self._version = (attributes.find(Attribute.PROTOCOL_VERSION) or b"\x01")[0]
        self.state = advance(self.state, Event.CONFIRM)
        return Answer((self._confirm(transcript),))

    def _confirm(self, transcript: Transcript) -> ActionFrame:
        clear = [
            (Attribute.STATUS, bytes((Status.OK,))),
            (Attribute.RESPONDER_KEY_HASH, self._label.key_hash),
        ]
        secret = [(Attribute.INITIATOR_TAG, transcript.initiator_tag)]
        return wrap_frame(FrameType.AUTHENTICATION_CONFIRM, clear, transcript.session_key, secret)

    def _configure(self, request: GasRequest) -> Answer:
        inner = open_items(Attributes.decode(request.query), self._session_key)
        self._enrollee_nonce = inner.get(Attribute.ENROLLEE_NONCE, NONCE_SIZE)
        self.enrollee = EnrolleeRequest.decode(inner.get(Attribute.REQUEST))
        if self.enrollee.role != STATION:
            refusal = self._respond(request, Status.CONFIGURE_FAILURE)
            return Answer((refusal,), WrongRole(self.enrollee.role))
        self.state = advance(self.state, Event.ASK)
        response = self._respond(request, Status.OK)
        if self._version < FIRST_VERSION_WITH_RESULT:
            self.state = advance(self.state, Event.FINISH)
        return Answer((response,))

    def _respond(self, request: GasRequest, status: Status) -> GasResponse:
        secret = [(Attribute.ENROLLEE_NONCE, self._enrollee_nonce)]
        if status is Status.OK:
            secret.append((Attribute.CONFIGURATION, self._configuration.encode(self._proven.responder_key)))
        clear = [(Attribute.STATUS, bytes((status,)))]
        return GasResponse(request.token, wrap_query(clear, self._session_key, secret))

    def _finish(self, frame: ActionFrame) -> Answer:
        inner = open_frame(frame, Attributes.decode(frame.body), self._session_key)
        if inner.get(Attribute.ENROLLEE_NONCE) != self._enrollee_nonce:
            raise VerificationFailed("the device's answer is to another configuration")
        status = inner.get(Attribute.STATUS, 1)[0]
        if status != Status.OK:
            return Answer(failure=ConfigurationRejected(status))
        self.state = advance(self.state, Event.FINISH)
        return Answer()

    def _transcribe(self, nonce: bytes, responder_key: PublicKey, shared: bytes) -> Transcript:
        return Transcript(
            initiator_nonce=self._nonce,
            responder_nonce=nonce,
            initiator_key=self._key.public_key,
            responder_key=responder_key,
            label=self._label.key,
            secrets=self._key.agree(self._label.key) + shared,
        )

    def _check_nonce(self, inner: Attributes) -> None:
        """Only who has the label's private key could read the nonce that we sent."""
        if not hmac.compare_digest(inner.get(Attribute.INITIATOR_NONCE, NONCE_SIZE), self._nonce):
            raise NotTheLabelsDevice

    @property
    def _proven(self) -> Transcript:
        if self._transcript is None:
            raise NotNow("request")
        return self._transcript

    @property
    def _session_key(self) -> bytes:
        return self._proven.session_key
