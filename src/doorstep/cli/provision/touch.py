"""One device without its label: named by its serial or touched, and everything sealed to its factory key."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from doorstep.cli.provision.asking import aside
from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.platform import Platform
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import DoorstepError, RefusedError, SettingsError, UnavailableError
from doorstep.onboarding.attestation.phone import Attestation
from doorstep.onboarding.attestation.transcript import in_words
from doorstep.onboarding.attestation.verdict import RESIDUAL_RISK
from doorstep.onboarding.ble.oob import OobData
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.steps import Step
from doorstep.provisioner.link import Link
from doorstep.provisioner.provisioner import ONLINE, Outcome, PlatformCheck, Tell
from doorstep.provisioner.singletouch import KnownDevice, SingleTouch
from doorstep.wire import base64url

__all__ = ["Account", "Touch", "set_up_by_touch"]

_QUESTIONS = 90
"""A second apart: how long the platform may take to see the device."""
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """The customer's account as single touch sees it."""

    platform: Platform

    async def named(self, serial: str) -> KnownDevice:
        """Return the device of a serial, however it is said; raises `UnavailableError`, `RefusedError`."""
        return _known(await self.platform.get("/api/v1/devices/lookup", {"serial": serial}))

    async def challenge(self) -> bytes:
        """Return a fresh challenge."""
        said = await self.platform.post("/api/v1/onboarding/challenges", {})
        return _octets(str(said.get("challenge", "")))

    async def judge(self, attestation: Attestation) -> KnownDevice:
        """Return what the platform knows of the device that answered."""
        said = {
            "statement": base64url.encode(attestation.statement),
            "transcript": base64url.encode(attestation.transcript),
        }
        return _known(await self.platform.post("/api/v1/onboarding/attestations", said))


@dataclass(frozen=True, slots=True)
class Touch:
    """What a set-up by touch needs."""

    account: Account
    serial: str
    """Empty: whichever device answers, and a person compares its pattern."""
    server: str
    alias: str
    network: SharedNetwork
    may_ask: bool
    tell: Tell


async def set_up_by_touch(touch: Touch, link: Link) -> Outcome:
    """Seal network and token for the device, hand them over, and wait for both signals."""
    async with SingleTouch(link) as device:
        known = await _identified(touch, device)
        touch.tell(Step.FOUND)
        network = await touch.network.get(_nothing_heard)
        while True:
            token = await touch.account.platform.token(touch.alias)
            order = RegistrationOrder(token.encode(), touch.server, touch.alias)
            touch.tell(Step.TRYING)
            step = await device.bring(known, SealedContent((network,), order))
            corrected = await _corrected(touch, network, step)
            if corrected is None:
                break
            network = corrected
    if step not in ONLINE and step is not Step.CHECKING:
        raise UnavailableError(step.sentence, next_step=step.next_step)
    said, seen = step in ONLINE, await _seen(touch.account.platform.check(known.device_id))
    return Outcome(Step.REGISTERED if said and seen else step, said, seen)


async def _identified(touch: Touch, device: SingleTouch) -> KnownDevice:
    if touch.serial:
        return await touch.account.named(touch.serial)
    if not touch.may_ask:
        raise SettingsError(
            "Without a serial a person must compare the device's pattern.", next_step="Add --serial."
        )
    found = await device.identify(touch.account)
    click.echo(f"{found.device.sentence} Serial {found.device.serial}. {RESIDUAL_RISK}", err=True)
    question = f"Does the device show {in_words(found.pattern)}?"
    if not await aside(lambda: click.confirm(question, err=True)):
        raise RefusedError(
            "Another device answered than the one in front of you; nothing was sent to it.",
            next_step="Switch other devices off, or name this one by --serial.",
        )
    return found.device


async def _corrected(touch: Touch, network: NetworkCredentials, step: Step) -> NetworkCredentials | None:
    return await touch.network.corrected(network) if step is Step.WRONG_PASSWORD else None


async def _seen(check: PlatformCheck) -> bool:
    for _ in range(_QUESTIONS):
        if await check():
            return True
        await asyncio.sleep(_PAUSE_S)
    return False


async def _nothing_heard() -> tuple[()]:
    return ()


def _known(said: Mapping[str, Any]) -> KnownDevice:
    try:
        key = said["public_key"]
        return KnownDevice(
            device_id=said["device_id"],
            serial=said["serial"],
            may_set_up=bool(said.get("may_set_up", True)),
            sentence=said.get("sentence", ""),
            key=None if key is None else PublicKey.from_point(_octets(key)),
            setup_code=said.get("setup_code"),
            oob=OobData.parse(said["oob_code"]) if said.get("oob_code") else None,
        )
    except (KeyError, TypeError, DoorstepError):
        raise UnavailableError("The platform's answer makes no sense; is it Doorstep's?") from None


def _octets(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except base64url.NotBase64Url:
        raise UnavailableError("The platform's answer is not base64url.") from None
