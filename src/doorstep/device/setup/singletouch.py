"""What a board answers beside sessions, at every door: sealed credentials, attestations, releases."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.device.setup.joiner import Beside, Joiner
from doorstep.device.setup.presence import Presence
from doorstep.device.store import Store
from doorstep.errors import DoorstepError, ProtocolViolation, UnavailableError
from doorstep.identity import release
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.attestation.device import Attestor
from doorstep.onboarding.joining import JoinState
from doorstep.onboarding.lock import LockEvent, LockState, check_open
from doorstep.onboarding.network import Joined
from doorstep.onboarding.presence import PresenceMissing, PresenceWindow
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.sealed.opening import KnownTime, Recipient
from doorstep.onboarding.sealed.status import DeviceStatus

__all__ = ["SingleTouch"]

_CLOCK_IS_SET: Final = Path("/run/systemd/timesync/synchronized")
_QUESTIONS: Final = (b"", b"?")

log = logging.getLogger(__name__)


class SingleTouch:
    """One board's; it outlives the doors, because a window and a nonce do."""

    def __init__(
        self,
        store: Store,
        made: Provisioning,
        presence: Presence,
        rng: Callable[[int], bytes],
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        # Without a factory key there is nothing to seal for or to attest by, and nothing of it is offered.
        self._has_key = bool(made.private_key)
        key = PrivateKey.from_pkcs8(made.private_key.encode()) if self._has_key else generate(rng)
        self.window = PresenceWindow(presence.seconds)
        self._store = store
        self._made = made
        self._attached: Joiner | None = None
        self._show = presence.show
        self._recipient = Recipient(made.device_id, key.public_key, key.agree)
        self._attestor = Attestor(made.device_id, key.sign, rng)
        self._work: set[asyncio.Task[None]] = set()
        self._showing: asyncio.Task[None] | None = None
        self.endpoints: dict[str, Beside] = {
            "doorstep-sealed": self._on_sealed,
            "sealed": self._on_sealed,
            "doorstep-attest": self._on_attest,
            "doorstep-release": self._on_release,
        }
        if not self._has_key:
            self.endpoints = {}

    def attach(self, joiner: Joiner) -> None:
        """Serve the doors of an opening, which share this joiner."""
        self._attached = joiner
        joiner.beside, joiner.offers = self.endpoints, self.offers

    @property
    def by_hand(self) -> dict[str, Callable[[bytes], None]]:
        """What takes files that somebody brings, by their endings."""
        return {".sealed": self.take, ".release": self._take_release}

    def offers(self) -> tuple[str, ...]:
        """Return the capabilities that `proto-ver` lists."""
        pairing = ("pairing",) if self._window_number() is not None else ()
        return ("sealed", "attest", "release", *pairing) if self._has_key else ()

    def press(self) -> None:
        """Open the presence window."""
        self.window.press(time.monotonic())

    def take(self, blob: bytes) -> None:
        """Take sealed credentials that somebody brought by hand, as a file; raises as the endpoint does."""
        joining = self._joiner().joining
        if joining.state is JoinState.TRYING:
            raise ProtocolViolation("The device is trying a network.", next_step="Wait a minute.")
        opened = self._recipient.open(blob, self._store.opened_blobs(), self._known_time())
        self._store.keep_opened_blobs(opened.memory)
        if opened.content.release:
            self._take_release(opened.content.release)
        check_open(joining.lock)
        self._start(self._try(opened.content))

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _on_sealed(self, body: bytes, session: bytes) -> bytes:
        del session
        if body not in _QUESTIONS:
            if self._window_number() is None:
                raise PresenceMissing
            self.take(body)
            await asyncio.sleep(0)  # so that the status says that it is trying
        return self._status()

    async def _on_attest(self, body: bytes, session: bytes) -> bytes:
        now = time.monotonic()
        answer = self._attestor.answer(body, session=session, window=self.window.open_number(now), now=now)
        if answer.pattern is not None:
            if self._showing is not None:
                self._showing.cancel()  # two patterns at once are none
            self._showing = self._start(self._show(answer.pattern))
        return answer.reply

    async def _on_release(self, body: bytes, session: bytes) -> bytes:
        del session
        self._take_release(body)
        return self._status()

    def _take_release(self, signed: bytes) -> None:
        root = Certificate.from_pem(self._made.trust_anchor.encode())
        release.verify(
            signed,
            root,
            self._made.device_id,
            claimed_at=self._store.lock().claimed_at,
            at_least=self._known_time().at_least,
        )
        self._joiner().joining.lock = self._store.move_lock(LockEvent.RELEASE).state

    async def _try(self, content: SealedContent) -> None:
        joiner = self._joiner()
        if joiner.joining.state is JoinState.CONNECTED:
            if content.order is not None and (onboarded := joiner.joining.bring(content.order)) is not None:
                joiner.announce(onboarded)
            return
        for network in content.networks:
            if isinstance(await joiner.join(network, content.order), Joined):
                self._close_window()
                return

    def _joiner(self) -> Joiner:
        if self._attached is None:
            raise UnavailableError("the device's set-up is closed", next_step="Press its button.")
        return self._attached

    def _close_window(self) -> None:
        now = time.monotonic()
        if self.window.open_number(now) is not None:
            self.window.use(now)

    def _status(self) -> bytes:
        joining = self._joiner().joining
        return DeviceStatus(
            self._made.device_id,
            joining.stage_report(),
            pairing=self._window_number() is not None,
            locked=joining.lock is not LockState.OPEN,
        ).encode()

    def _window_number(self) -> int | None:
        return self.window.open_number(time.monotonic())

    def _known_time(self) -> KnownTime:
        """Bound the time from below: a board's clock may have stood still, and never runs ahead for long."""
        born = load_chain(self._made.certificate_chain.encode())[0].not_before.timestamp()
        at_least = max(int(time.time()), int(born), self._store.lock().claimed_at)
        return KnownTime(at_least, sure=_CLOCK_IS_SET.exists())

    def _start(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except DoorstepError as error:
        log.warning("set-up: %s", error.message)
