"""Registering and renewing: the device API's answers, kept in the store, as events of the device's life."""

from collections.abc import Callable
from dataclasses import replace

from doorstep.device.anchoring import Anchoring
from doorstep.device.life import (
    Blocked,
    Bound,
    ClaimSetAside,
    PlatformSilent,
    RegistrationHeld,
    RegistrationRefused,
    Renewed,
    Unknown,
    held_event,
)
from doorstep.device.registration import (
    Answer,
    ClockWrong,
    DeviceBlocked,
    NotOwned,
    OtherCopyAnswered,
    Refused,
)
from doorstep.device.sealed_registration import SealedApi
from doorstep.device.sealing import Sealing
from doorstep.device.store import Store, Ticket
from doorstep.errors import DoorstepError, MisuseError, PeerError, ProtocolViolation, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.lock import LockEvent

__all__ = ["Enrolment", "Registered", "RenewalAnswered"]

Registered = Bound | RegistrationHeld | ClaimSetAside | RegistrationRefused | Blocked | PlatformSilent
RenewalAnswered = Renewed | Blocked | Unknown | PlatformSilent


class Enrolment:
    """One device's standing with its platform. Every answer is on disk before its event is returned."""

    def __init__(
        self,
        store: Store,
        made: Provisioning,
        sealing: Sealing,
        *,
        rng: Callable[[int], bytes],
        clock_us: Callable[[], int],
    ) -> None:
        self._store = store
        self._made = made
        self._sealed_api = SealedApi(made, sealing.ask) if made.identity == "symmetric_key" else None
        self._anchoring = Anchoring(store, made)
        self._rng = rng
        self._clock_us = clock_us
        self.clock_offset_us = 0
        """Platform time minus this device's, as the last answer showed it."""
        self.first_epoch = 0
        """The first epoch that this device may use, as the last answer said it."""

    async def register(self, ticket: Ticket) -> Registered:
        """Show the token, or ask what became of a held claim; the token is deleted once that is decided."""
        try:
            if ticket.held:
                return await self._inquire(ticket)
            answer = await self._ask(ticket.device_api, ticket.token)
            return self._bound(answer, ticket) if answer.status == "bound" else self._held(answer, ticket)
        except DeviceBlocked as error:
            self._store.drop_ticket()
            return Blocked(error.message)
        except (Refused, NotOwned) as error:
            self._store.drop_ticket()
            return RegistrationRefused(error.message, error.next_step)
        except (PeerError, UnavailableError) as error:
            return _silent(error)

    async def renew(self) -> RenewalAnswered:
        """Ask for the next certificate; forgets the present one when the device is nobody's any more."""
        held = self._store.operational()
        url = self._made.servers.device_api if held is None else held.device_api
        try:
            answer = await self._renewed(url)
            if answer.status != "bound":
                return PlatformSilent(answer.reason or f"the platform answered {answer.status}")
            renewed = Renewed(self._commit(answer, url))
        except (DeviceBlocked, OtherCopyAnswered) as error:
            return Blocked(error.message)
        except NotOwned as error:
            self._store.move_lock(LockEvent.RELEASE)
            self._store.drop_operational()
            return Unknown(error.message)
        except (Refused, PeerError, UnavailableError) as error:
            return _silent(error)
        await self._anchoring.catch_up(url, answer.anchors)
        return renewed

    async def _renewed(self, url: str) -> Answer:
        """Renew for a new key; where two use this identity, only the key that answered first may renew."""
        try:
            return await self._ask(url, None)
        except OtherCopyAnswered:
            if not self._store.stage_present_key():
                raise
        try:
            return await self._ask(url, None)
        except OtherCopyAnswered:
            self._store.drop_staged_key()
            raise

    async def _inquire(self, ticket: Ticket) -> Bound | RegistrationHeld:
        """Ask for a certificate without a token: a token dies long before people decide a held claim."""
        try:
            answer = await self._ask(ticket.device_api, None)
        except NotOwned as error:
            return RegistrationHeld(error.message, disputed=False)
        return self._bound(answer, ticket)

    def _bound(self, answer: Answer, ticket: Ticket) -> Bound:
        event = Bound(self._commit(answer, ticket.device_api))
        self._store.claim(answer.time_us // 1_000_000)
        self._store.drop_ticket()
        return event

    def _held(self, answer: Answer, ticket: Ticket) -> RegistrationHeld | ClaimSetAside:
        event = held_event(
            answer.reason,
            disputed=answer.status == "disputed",
            certificate=self._store.operational() is not None,
        )
        if isinstance(event, ClaimSetAside):
            self._store.drop_ticket()
        else:
            self._store.keep_ticket(replace(ticket, held=True))
        return event

    def _commit(self, answer: Answer, url: str) -> int:
        if answer.broker is None:
            raise MisuseError("an answer that binds names the broker")
        now_us = self._clock_us()
        self.clock_offset_us = answer.time_us - now_us
        self.first_epoch = answer.first_epoch
        try:
            if answer.mix:
                self._store.mix_root(answer.first_epoch, answer.mix)
            self._store.skip_epochs(answer.first_epoch)
        except MisuseError as error:  # the platform's word, and no reason for this device to stop
            raise ProtocolViolation(error.message, next_step=error.next_step) from error
        if self._sealed_api is not None:
            self._store.commit_by_root(answer.broker, now_us=now_us)
        else:
            self._store.stage_operational(answer.certificate, url, answer.broker, now_us=now_us)
        held = self._store.operational()
        return 0 if held is None else held.not_after_us

    async def _ask(self, url: str, token: str | None) -> Answer:
        if self._sealed_api is not None:
            return await self._sealed_api.ask(token)
        key = self._store.staged_key(self._rng)
        return await self._anchoring.ask(
            url, lambda api: api.renew(key) if token is None else api.register(token, key)
        )


def _silent(error: DoorstepError) -> PlatformSilent:
    return PlatformSilent(error.message, error.next_step, clock_wrong=isinstance(error, ClockWrong))
