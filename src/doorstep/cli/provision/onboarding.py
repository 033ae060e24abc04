"""Set devices up: one, or many at once with a bound on how many."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from doorstep.cli.provision.finding import Connect
from doorstep.cli.provision.labels import Target
from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.platform import Platform
from doorstep.cli.provision.reporting import Reporter
from doorstep.cli.provision.results import DeviceResult, Ending, ended, failed
from doorstep.cli.provision.resume import Progress
from doorstep.errors import DoorstepError, SettingsError, UnavailableError
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.provisioner import ONLINE, Outcome, Provisioner, Tell

__all__ = ["OrderFor", "Run", "set_up", "set_up_all"]

OrderFor = Callable[[Target], Awaitable[RegistrationOrder | None]]

_BEFORE: Final = DeviceResult("", Ending.BEFORE, "An earlier run finished it.")


@dataclass(frozen=True, slots=True)
class Run:
    """What every device of a run shares."""

    network: SharedNetwork
    order_for: OrderFor
    platform: Platform | None
    reporter: Reporter
    allow_old_security: bool
    at_once: int


async def set_up_all(
    run: Run, targets: Sequence[Target], ways: Mapping[str, Connect], progress: Progress
) -> list[DeviceResult]:
    """Set all up, so many at once; each that is done is kept before the next word about it.

    An error of one device is that device's result; cancelling leaves what is done done.
    """
    gate = asyncio.Semaphore(run.at_once)

    async def one(target: Target) -> DeviceResult:
        if progress.is_done(target.name):
            result = replace(_BEFORE, name=target.name)
        else:
            async with gate:
                result = await _judged(run, target, ways[target.name], progress)
        run.reporter.ended(result)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(target)) for target in targets]
    except BaseExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None  # a person who gives no password ends it for all
    return [task.result() for task in tasks]


async def set_up(run: Run, target: Target, connect: Connect, tell: Tell) -> Outcome:
    """Set one device up; raises what went wrong."""
    warn = (lambda risk: run.reporter.risk(target.name, risk)) if run.allow_old_security else None
    link = await connect()
    async with Provisioner(link, target.label, tell=tell, warn=warn) as provisioner:
        await provisioner.secure()
        device_id = await _deliver(provisioner, await run.order_for(target))
        step = await _join(provisioner, run.network)
        if step not in ONLINE and step is not Step.CHECKING:
            raise UnavailableError(step.sentence, next_step=step.next_step)
        if device_id is not None and run.platform is None:
            step = await provisioner.follow(step)
        if device_id is None or run.platform is None:
            return Outcome(step, device_said_connected=step in ONLINE, platform_saw_it=False)
        return await provisioner.confirm(step, run.platform.check(device_id))


async def _judged(run: Run, target: Target, connect: Connect, progress: Progress) -> DeviceResult:
    heard: list[Step] = []

    def tell(step: Step) -> None:
        heard.append(step)
        run.reporter.step(target.name, step)

    try:
        outcome = await set_up(run, target, connect, tell)
        result = ended(target.name, outcome, platform_asked=run.platform is not None)
        if result.ending is Ending.DONE:
            progress.finish(target.name)
    except DoorstepError as error:
        return failed(target.name, error, heard)
    return result


async def _deliver(provisioner: Provisioner, order: RegistrationOrder | None) -> str | None:
    if order is None:
        return None
    if not provisioner.takes_orders:
        raise SettingsError(
            "This device cannot register itself: its firmware is not Doorstep's.",
            next_step="Run the command without --token and --server.",
        )
    return await provisioner.deliver(order)


async def _join(provisioner: Provisioner, shared: SharedNetwork) -> Step:
    """Join, and let a person correct the password in the same session."""
    network = await shared.get(provisioner.networks)
    while True:
        step = await provisioner.join(network)
        if step is not Step.WRONG_PASSWORD:
            return step
        corrected = await shared.corrected(network)
        if corrected is None:
            return step
        network = corrected
