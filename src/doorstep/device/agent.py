"""The agent: a loop that does what the device's state asks for, until the event that ends the state.

Each state has one step, a coroutine that returns one event of `doorstep.device.life`; ``run`` moves by it and
tells whoever watches. A power cut at any point is a start from the store.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorstep.device import life
from doorstep.device.backoff import ASK_BLOCKED, ASK_HELD, BROKER, NETWORK, PLATFORM, Backoff, renewal_time_us
from doorstep.device.byhand import ENDPOINT, ByHand
from doorstep.device.control import Control, Controls
from doorstep.device.enrolment import Enrolment
from doorstep.device.handlers import Handlers, Inbound
from doorstep.device.keys import KeyChanges
from doorstep.device.life import LifeEvent, State, advance
from doorstep.device.notices import (
    AskedToShowItself,
    ButtonPressed,
    CameDown,
    ClockCorrected,
    DownlinkRefused,
    Moved,
    Notice,
    ReadingsSent,
    SetupOpened,
)
from doorstep.device.outbox import CAPACITY, Outbox, OutboxFull, Parcel
from doorstep.device.racing import after, end, race
from doorstep.device.sampling import CHANNEL, Sensor, sample
from doorstep.device.sealing import Sealing
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.doors import http_doors
from doorstep.device.setup.inbox import Inbox
from doorstep.device.setup.presence import Presence, Press
from doorstep.device.setup.secret import guess_book
from doorstep.device.setup.service import WINDOW_S, SetupAddress, SetupService
from doorstep.device.setup.singletouch import SingleTouch
from doorstep.device.store import Operational, Store
from doorstep.device.uplink import Uplink
from doorstep.device.wifi.station import WifiStation
from doorstep.errors import MisuseError, PeerError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.rotation.messages import KEYS_CHANNEL
from doorstep.messaging.variant import VARIANTS
from doorstep.onboarding.network import Joined

__all__ = ["Agent", "AgentOptions"]

log = logging.getLogger(__name__)

_FAILURES_BEFORE_REJOINING: Final = 3
"""After so many attempts in a row that reached nothing, the network itself is joined anew."""

_FAILURES_BEFORE_WINDOW: Final = 5
"""After so many attempts in a row to join the known network, it may be set up anew meanwhile."""

_CLOCK_TOLERANCE_US: Final = 5_000_000
"""A smaller difference is not worth a word: it is mostly the way of the answer."""

_SILENT: Final = frozenset({State.BLOCKED, State.WAITING, State.BLANK})
"""States in which nothing is measured, because nobody will get it."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How this board works."""

    setup: SetupAddress | None = field(default_factory=SetupAddress)
    """Where the door for HTTP listens; None for a product without it."""
    doors: tuple[DoorMaker, ...] = ()
    """The product's other doors, opened before that one."""
    window_s: float = WINDOW_S
    """How long the doors stay open beside a known network."""
    shares_radio: bool = False
    """The doors need the radio that joins: while they are open, a known network is tried once a minute."""
    plain: bool = False
    """Use the listener without TLS: for boards that have no room for it."""
    interval_s: float = 10.0
    """Between two measurements."""
    capacity: int = CAPACITY
    """Messages that the outbox holds."""
    inbox: Path | None = None
    """Folder in which somebody may put sealed credentials by hand: a stick's, or one that a cable fills."""
    presence: Presence = field(default_factory=Presence)
    """The board's button, and its light, sound or motor."""


class Agent:
    """One device. ``run`` returns after ``stop``; it raises MisuseError when there is no identity."""

    def __init__(  # noqa: PLR0913 - the device's ports, one each
        self,
        store: Store,
        station: WifiStation,
        sensor: Sensor,
        *,
        options: AgentOptions | None = None,
        handlers: Handlers | None = None,
        controls: Controls | None = None,
        notify: Callable[[Notice], None] = lambda _notice: None,
        rng: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.time,
    ) -> None:
        made = store.identity()
        if made is None:
            raise MisuseError(
                f"the folder {store.folder} has no identity: no factory made this device yet",
                next_step="Give its provisioning file with --provisioning.",
            )
        self.state = State.BLANK
        self.device = made.device_id
        self._store = store
        self._station = station
        self._sensor = sensor
        self._options = options or AgentOptions()
        self._notify = notify
        self._rng = rng
        self._clock = clock
        self._sealing = Sealing(store, made.device_id, VARIANTS[made.sealed])
        self._outbox = Outbox(self._options.capacity)
        self._guesses = guess_book(store, made, time.monotonic())
        self._touch = SingleTouch(store, made, self._options.presence, rng)
        doors = _doors(made, store, self._options, self._touch, rng)
        self._setup = SetupService(store, station, doors, self._guesses, self._touch)
        self._enrolment = Enrolment(store, made, self._sealing, rng=rng, clock_us=self._local_us)
        self._renewal_asked = asyncio.Event()
        self._tries_old = False
        changes = KeyChanges(store, self._sealing, self._renewal_asked.set, rng)
        self._control = Control(
            store,
            controls or Controls(),
            report=lambda state: self._say("state", state),
            identify=lambda: self._notify(AskedToShowItself()),
            interval_s=self._options.interval_s,
        )
        served = Handlers() if handlers is None else handlers.copied()
        self._control.register(served)
        served.register(KEYS_CHANNEL, changes.carry_out, repeatable=True)
        self._touch.endpoints[ENDPOINT] = ByHand(changes).answer
        self._inbound = Inbound(
            store,
            served,
            answer=lambda answer: self._say("ack", answer),
            clock_s=lambda: self._platform_us() / 1e6,
        )
        self._uplink = Uplink(
            made,
            self._sealing,
            self._outbox,
            plain=self._options.plain,
            roots=lambda: [root.der for root in store.anchors().all()],
            published=self._published,
            received=self._received,
        )
        self._stopping = asyncio.Event()
        self._held_long = asyncio.Event()
        self._sent = 0
        self._join_failures = 0
        self._silences = 0
        self._questions = 0
        self._renewal_due_us = 0
        self._steps: Mapping[State, Callable[[], Coroutine[None, None, LifeEvent]]] = {
            State.BLANK: self._start,
            State.WAITING: self._wait_for_setup,
            State.JOINING: self._join,
            State.ONLINE: self._decide,
            State.REGISTERING: self._register,
            State.HELD: self._wait_for_decision,
            State.CONNECTING: self._connect,
            State.OPERATING: self._operate,
            State.RENEWING: self._renew,
            State.ASKING: self._ask,
            State.BLOCKED: self._wait_for_mercy,
        }

    @property
    def setup_port(self) -> int | None:
        """The port of the set-up service, None while it is closed."""
        return self._setup.port

    @property
    def epoch(self) -> int:
        """The epoch in which this device seals now."""
        return self._sealing.epoch

    async def press_button(self) -> None:
        """Open the doors for a while, whatever the device does: somebody stands beside it.

        It opens the presence window, and ends the wait after wrong codes, so that a stranger who guesses
        locks nobody out for long.
        """
        self._touch.press()
        self._guesses.clear()
        self._notify(ButtonPressed(self._options.presence.seconds))
        if self.state is not State.WAITING:  # there they are open until somebody came
            await self._open_window()

    def hold_button(self) -> None:
        """Reset the device: it forgets its network, keeps identity and owner, and waits for a set-up."""
        self._held_long.set()

    def stop(self) -> None:
        """Ask ``run`` to end; what the broker has not acknowledged is lost with the memory."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until stopped."""
        jobs = self._sample(), self._watch_button(), self._inbound.run()
        helpers = [asyncio.create_task(job) for job in jobs]
        try:
            while self.state is not State.STOPPED:
                self._move(await race(self._stopped(), self._was_reset(), self._steps[self.state]()))
        finally:
            await end(*helpers)
            await self._uplink.close()
            await self._setup.close()

    def _move(self, event: LifeEvent) -> None:
        before, self.state = self.state, advance(self.state, event)
        self._setup.report(event)
        self._notify(Moved(before, event, self.state))

    async def _stopped(self) -> LifeEvent:
        await self._stopping.wait()
        return life.Stopped()

    async def _watch_button(self) -> None:
        """Hear the button; a board without one is touched by whoever switches it on."""
        button = self._options.presence.button
        if button is None:
            self._touch.press()
            return
        while True:
            if await button.pressed() is Press.LONG:
                self.hold_button()
            else:
                await self.press_button()

    async def _was_reset(self) -> LifeEvent:
        while life.WasReset not in life.TRANSITIONS[self.state]:
            await asyncio.Event().wait()  # a device that is blocked or stops is not reset
        await self._held_long.wait()
        self._held_long.clear()
        await self._setup.close()
        self._store.reset()
        return life.WasReset()

    async def _start(self) -> LifeEvent:
        network = self._store.network()
        if network is None:
            return life.Identified(self.device)
        return life.NetworkKnown(self.device, network.ssid.decode("utf-8", errors="replace"))

    async def _wait_for_setup(self) -> LifeEvent:
        await self._uplink.close()
        await self._setup.open()
        self._tell_open()
        return await self._setup.order()

    async def _join(self) -> LifeEvent:
        await self._uplink.close()
        if self._join_failures == _FAILURES_BEFORE_WINDOW:
            await self._open_window()
        event = await race(self._setup.order(), self._rejoin())
        if isinstance(event, life.Joined):
            self._join_failures = 0
        return event

    async def _rejoin(self) -> LifeEvent:
        """Try the known network once, in turn with whoever comes through a door."""
        network = self._store.network()
        if network is None:
            raise MisuseError("the network was forgotten while the agent ran", next_step="Start it again.")
        if self._join_failures:
            await asyncio.sleep(self._rejoin_wait_s())
        while self._setup.is_joining:  # noqa: ASYNC110 - whoever comes through a door has the radio meanwhile
            await asyncio.sleep(1)
        outcome = await self._station.try_connect(network)
        ssid = network.ssid.decode("utf-8", errors="replace")
        if isinstance(outcome, Joined):
            await self._setup.close()  # it was opened because this network was away
            return life.Joined(ssid, outcome.ip4_addr)
        self._join_failures += 1
        return life.JoinFailed(ssid, outcome.value)

    def _rejoin_wait_s(self) -> float:
        if self._options.shares_radio and self._setup.is_open:
            return NETWORK.longest_s  # each try closes the access point to whoever is there
        return self._wait_s(NETWORK, self._join_failures)

    async def _decide(self) -> LifeEvent:
        holdings = life.Holdings(
            token=self._store.ticket() is not None, certificate=self._store.operational() is not None
        )
        return life.online_event(holdings)

    async def _register(self) -> LifeEvent:
        if self._silences:
            await self._pause(self._wait_s(PLATFORM, self._silences))
        ticket = self._store.ticket()
        if ticket is None:
            raise MisuseError("there is no registration token to show")
        return self._answered(await self._enrolment.register(ticket))

    async def _wait_for_decision(self) -> LifeEvent:
        await self._setup.open()
        self._questions += 1
        return await self._pause(self._wait_s(ASK_HELD, self._questions))

    async def _connect(self) -> LifeEvent:
        held = self._held()
        self._plan_renewal(held)
        await self._uplink.close()
        if self._uplink.failures:
            await asyncio.sleep(self._wait_s(BROKER, self._uplink.failures))
        event = await self._uplink.open(held, self._clock())
        self._judge_certificate(held, opened=isinstance(event, life.SessionOpened))
        if isinstance(event, life.SessionFailed) and self._is_deaf(self._uplink.failures):
            return life.NetworkLost(event.reason)
        if isinstance(event, life.SessionOpened):
            self._control.report()
        return event

    async def _operate(self) -> LifeEvent:
        self._questions = 0
        wait_s = max(0.0, (self._renewal_due_us - self._local_us()) / 1e6)
        due = after(wait_s, life.RenewalDue())
        return await race(self._uplink.lost(), self._setup.order(), due, self._asked_to_renew())

    async def _asked_to_renew(self) -> LifeEvent:
        await self._renewal_asked.wait()
        self._renewal_asked.clear()
        return life.RenewalDue()

    async def _renew(self) -> LifeEvent:
        event = await race(self._enrolment.renew(), self._uplink.lost())
        if isinstance(event, life.PlatformSilent):
            self._silences += 1
            wait_us = round(self._wait_s(PLATFORM, self._silences) * 1e6)
            self._renewal_due_us = self._local_us() + wait_us
            return event
        return self._answered(event)

    async def _ask(self) -> LifeEvent:
        return self._answered(await self._enrolment.renew())

    async def _wait_for_mercy(self) -> LifeEvent:
        await self._uplink.close()
        self._questions += 1
        return await self._pause(self._wait_s(ASK_BLOCKED, self._questions))

    def _answered(self, event: LifeEvent) -> LifeEvent:
        """Draw the consequences of what the platform said, or did not say."""
        if isinstance(event, life.PlatformSilent):
            self._silences += 1
            return life.NetworkLost(event.reason) if self._is_deaf(self._silences) else event
        self._silences = 0
        if isinstance(event, life.Bound | life.Renewed):
            self._questions = 0
            self._leave_used_epochs()
            self._notice_clock()
        if isinstance(event, life.Unknown):
            self._outbox.clear()
            self._control.forget()
        return event

    def _leave_used_epochs(self) -> None:
        if self._sealing.epoch < self._enrolment.first_epoch:
            self._sealing.begin_epoch()

    def _notice_clock(self) -> None:
        offset_us = self._enrolment.clock_offset_us
        if abs(offset_us) > _CLOCK_TOLERANCE_US:
            self._notify(ClockCorrected(offset_us / 1e6))

    def _plan_renewal(self, held: Operational) -> None:
        self._renewal_due_us = renewal_time_us(held.since_us, held.not_after_us)

    def _held(self) -> Operational:
        """Return the certificate to try now: the staged one and the one before it in turn."""
        held = self._store.certificates()
        if not held:
            raise MisuseError("there is no operational certificate to connect with")
        return held[-1] if self._tries_old else held[0]

    def _judge_certificate(self, held: Operational, *, opened: bool) -> None:
        if opened and held.staged:
            self._store.commit_operational()
        self._tries_old = not opened and not self._tries_old

    async def _sample(self) -> None:
        await sample(
            self._sensor,
            self._outbox,
            interval_s=lambda: self._control.interval_s,
            wanted=lambda: self.state not in _SILENT and self._store.operational() is not None,
            clock_us=self._platform_us,
            notify=self._notify,
        )

    async def _pause(self, seconds: float) -> LifeEvent:
        """Wait, but not longer than until the set-up service brings something new."""
        return await race(self._reordered(), after(seconds, life.AskAgain()))

    async def _reordered(self) -> LifeEvent:
        await self._setup.order()
        return life.AskAgain()

    async def _open_window(self) -> None:
        try:
            await self._setup.open(window_s=self._options.window_s)
        except UnavailableError as failure:  # the device goes on without
            log.warning("no door opens for the set-up: %s %s", failure.message, failure.next_step)
        else:
            self._tell_open()

    def _tell_open(self) -> None:
        host = "" if self._options.setup is None else self._options.setup.host
        self._notify(SetupOpened(host, self._setup.port or 0))

    def _published(self, parcel: Parcel) -> None:
        if parcel.channel != CHANNEL:
            return
        self._sent += 1
        self._notify(ReadingsSent(self._sent, len(self._outbox), self._sealing.epoch))

    def _received(self, channel: str, message: bytes) -> None:
        try:
            plaintext = self._sealing.open(channel, message)
        except PeerError as error:
            self._notify(DownlinkRefused(channel, error.message))
            return
        self._notify(CameDown(channel, len(plaintext)))
        if not self._inbound.put(channel, plaintext):
            self._notify(DownlinkRefused(channel, "too many commands wait; it comes again"))

    def _say(self, channel: str, plaintext: bytes) -> None:
        try:
            self._outbox.offer(channel, plaintext)
        except OutboxFull as error:  # the platform asks again, and gets the same answer
            log.warning("a message on channel up/%s was not sent: %s", channel, error.message)

    def _wait_s(self, backoff: Backoff, failures: int) -> float:
        return backoff.wait_s(failures, self._rng)

    def _local_us(self) -> int:
        return round(self._clock() * 1e6)

    def _platform_us(self) -> int:
        return self._local_us() + self._enrolment.clock_offset_us

    @staticmethod
    def _is_deaf(failures: int) -> bool:
        return failures % _FAILURES_BEFORE_REJOINING == 0


def _doors(
    made: Provisioning,
    store: Store,
    options: AgentOptions,
    touch: SingleTouch,
    rng: Callable[[int], bytes],
) -> tuple[DoorMaker, ...]:
    address, doors, folder = options.setup, options.doors, options.inbox
    if folder is not None:
        doors = (*doors, lambda _joiner: Inbox(folder, touch.by_hand))
    return doors if address is None else (*doors, *http_doors(made, store, address, rng))
