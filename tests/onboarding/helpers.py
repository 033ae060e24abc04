"""Both roles over an in-memory link; randomness is a counted hash, so that each run is the same."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from doorstep.crypto.aead import LockstepGcm
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm.configurator import Configurator, Conversation
from doorstep.onboarding.protocomm.credentials import Sec2Credentials, generate
from doorstep.onboarding.protocomm.device import DeviceOnboarding, DeviceProfile, ScanWanted, Wish
from doorstep.onboarding.protocomm.schemes import open_device_session
from doorstep.onboarding.protocomm.session import DeviceSession, Handshake, SessionCipher, SessionState
from doorstep.wire.provisioning.scan import ScanEntry

T = TypeVar("T")
FIRST_NONCE = bytes(11) + b"\x01"
NETWORKS = tuple(ScanEntry(f"net {number}".encode(), number % 13 + 1, -40 - number) for number in range(20))


def counted_rng(seed: bytes) -> Callable[[int], bytes]:
    count = 0

    def rng(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(seed + count.to_bytes(4)).digest(size)

    return rng


CREDENTIALS: Sec2Credentials = generate(counted_rng(b"factory"))
PROFILE = DeviceProfile("dev1", CREDENTIALS.for_device())
LABEL = SetupLabel("PROV_1", CREDENTIALS.username, CREDENTIALS.pop)


@dataclass
class Link:
    """A device and a configurator back to back; ``wishes`` is what the device asked its shell for."""

    joining: Joining = field(default_factory=Joining)
    device: DeviceOnboarding = field(init=False)
    session: DeviceSession[Any] = field(
        default_factory=lambda: open_device_session(PROFILE.secret, counted_rng(b"device"))
    )
    phone: Configurator = field(default_factory=lambda: Configurator(LABEL, counted_rng(b"phone")))
    networks: tuple[ScanEntry, ...] | None = NETWORKS
    now: float = 0.0
    wishes: list[Wish] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = DeviceOnboarding(PROFILE.device_id, self.session, self.joining)

    def hold(self, conversation: Conversation[T]) -> T:
        try:
            request = next(conversation)
            while True:
                request = conversation.send(self.ask(request.endpoint, request.body))
        except StopIteration as done:
            value: T = done.value
            return value

    def ask(self, endpoint: str, body: bytes) -> bytes:
        self.sent.append((endpoint, body))
        answer = self.device.receive(endpoint, body, self.now)
        self.wishes.extend(answer.wishes)
        if answer.reply is not None:
            return answer.reply
        assert isinstance(answer.wishes[0], ScanWanted)
        reply = self.device.scanned(self.networks)
        assert reply is not None
        return reply

    def secured(self) -> "Link":
        """Return both sides in a session, without the cost of a handshake; tests of that make one."""
        self.hold(self.phone.find())
        self.device._session._cipher = LockstepGcm(bytes(32), FIRST_NONCE)
        self.device._session.state = SessionState.SECURED
        self.phone._cipher = LockstepGcm(bytes(32), FIRST_NONCE)
        return self


def finish(phone: Handshake, reply: bytes) -> SessionCipher:
    """Give the handshake its last reply; returns what seals from then on."""
    with pytest.raises(StopIteration) as done:
        phone.send(reply)
    cipher: SessionCipher = done.value.value
    return cipher


def shake_hands(device: DeviceSession[Any], phone: Handshake) -> SessionCipher:
    """Carry a whole handshake of two messages each; returns the phone's side."""
    command1 = phone.send(device.answer(next(phone)))
    return finish(phone, device.answer(command1))
