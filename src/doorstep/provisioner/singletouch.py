"""Set a device up without a code: find the one that was touched, have it attested, seal for it, and wait."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import DoorstepError, RefusedError
from doorstep.onboarding.attestation.phone import Attestation, attest
from doorstep.onboarding.attestation.transcript import Pattern
from doorstep.onboarding.ble.oob import OobData
from doorstep.onboarding.presence import PairingWatch
from doorstep.onboarding.protocomm.capabilities import OWN_LABEL, parse_capabilities
from doorstep.onboarding.protocomm.configurator import Conversation, Request
from doorstep.onboarding.sealed import phone
from doorstep.onboarding.sealed.blob import seal
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.steps import STEP_OF_STAGE, Step
from doorstep.provisioner.link import Link

__all__ = ["Identified", "KnownDevice", "NotForYou", "Platform", "SingleTouch", "only_pairing"]

BLOB_LIFETIME: Final = 600
"""Seconds: as long as a registration token."""
PATIENCE: Final = 90.0
PAUSE: Final = 0.5
UNDECIDED: Final = frozenset({Step.WAITING, Step.TRYING})


class NotForYou(RefusedError):
    """The platform knows the device and says why this account may not set it up."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, next_step="Compare the serial number with the box, and ask the seller.")


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What the platform says of a device, by its serial or by its attestation."""

    device_id: str
    serial: str
    may_set_up: bool
    sentence: str
    key: PublicKey | None = None
    setup_code: str | None = field(default=None, repr=False)
    oob: OobData | None = None
    """For Bluetooth pairing by a phone or a program that can be given it."""


@dataclass(frozen=True, slots=True)
class Identified:
    """An attested device, and the pattern by which a person tells whether it is the one in front of them."""

    device: KnownDevice
    pattern: Pattern


class Platform(Protocol):
    """What the customer's account at the platform does; see docs/spec/onboarding-sealed.md §5."""

    async def challenge(self) -> bytes:
        """Return a fresh challenge."""
        ...

    async def judge(self, attestation: Attestation) -> KnownDevice:
        """Return what the platform knows; raises DoorstepError for what is not genuine."""
        ...


class SingleTouch:
    """One device over one link; enter it, then call its steps in order."""

    def __init__(self, link: Link, *, pause: float = PAUSE) -> None:
        """``pause`` is the wait between two questions."""
        self._link = link
        self._pause = pause

    async def __aenter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up; the device goes on with what it was told."""
        await self._link.close()

    async def is_pairing(self) -> bool:
        """Tell whether somebody touched the device just now."""
        offered = parse_capabilities(await self._link.hold(_capabilities()))
        return OWN_LABEL in offered.apps and "pairing" in offered.apps[OWN_LABEL].caps

    async def identify(self, platform: Platform) -> Identified:
        """Have the platform say which device this is; a person then compares the pattern.

        Raises NotForYou, and whatever `Platform.judge` raises.
        """
        made = await self._link.hold(attest(await platform.challenge(), os.urandom))
        device = await platform.judge(made)
        if not device.may_set_up:
            raise NotForYou(device.sentence)
        return Identified(device, made.pattern)

    async def release(self, signed: bytes) -> None:
        """Bring the owner's release."""
        await self._link.hold(phone.bring_release(signed))

    async def bring(self, device: KnownDevice, content: SealedContent, *, patience: float = PATIENCE) -> Step:
        """Seal content for the device, hand it over, and return how the joining went.

        After a failure it may be called again. `Step.CHECKING` where the device fell silent.
        """
        if device.key is None:
            raise NotForYou(device.sentence)
        expires = int(time.time()) + BLOB_LIFETIME  # noqa: TID251 - a shell
        blob = seal(device.device_id, device.key, content, expires=expires, rng=os.urandom)
        await self._link.hold(phone.bring(blob))
        return await self._wait(patience)

    async def _wait(self, patience: float) -> Step:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            step = await self._hear()
            if step not in UNDECIDED:
                return step
            await asyncio.sleep(self._pause)
        return Step.CHECKING

    async def _hear(self) -> Step:
        """Return what the device says; a silent one may have followed its router to another channel."""
        try:
            return STEP_OF_STAGE[(await self._link.hold(phone.ask())).stage]
        except DoorstepError:
            return Step.TRYING


async def only_pairing(links: Sequence[tuple[str, Link]]) -> str:
    """Return the name of the one device in pairing state; raise PairingOverlap or NobodyPairing."""
    watch = PairingWatch()
    found = await asyncio.gather(
        *(SingleTouch(link).is_pairing() for _, link in links), return_exceptions=True
    )
    now = time.monotonic()
    for (name, _), pairing in zip(links, found, strict=True):
        if pairing is True:
            watch.saw(name, now)
    return watch.only_one(now)


def _capabilities() -> Conversation[bytes]:
    answer = yield Request("proto-ver", b"---")
    return answer
