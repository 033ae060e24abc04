"""The ways that a run of ``doorstep provision`` goes, and how each begins and ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import click

from doorstep.cli.provision.asking import terminal_kept
from doorstep.cli.provision.details import enterprise_of, refuse_details, static_of
from doorstep.cli.provision.easyconnect import easy_connect_uri, set_up_by_easy_connect
from doorstep.cli.provision.finding import SOFTAP, Connect, checked, connections, look_around, wants_bluetooth
from doorstep.cli.provision.labels import Target
from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.onboarding import Run, set_up, set_up_all
from doorstep.cli.provision.platform import Platform
from doorstep.cli.provision.reporting import Reporter, reporter
from doorstep.cli.provision.results import DeviceResult, Ending, ended, problem_of
from doorstep.cli.provision.resume import Progress
from doorstep.cli.provision.touch import Account, Touch, set_up_by_touch
from doorstep.cli.provision.wanted import Wanted, maker_of, passphrase_of, person_is_there, ssid_of, wanted
from doorstep.errors import RefusedError, SettingsError, UnavailableError
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink

__all__ = ["go"]

Finding = Callable[[Sequence[Target]], Awaitable[Mapping[str, Connect]]]
"""Says how to reach each device."""

BLUETOOTH_AT_ONCE: Final = 4
"""Connections that a computer's adapter surely carries side by side."""


def go(options: dict[str, Any]) -> None:
    """Go the way that the options ask for."""
    if options["only_find"]:
        _find(as_json=options["as_json"])
        return
    if options["touch"]:
        refuse_details(options)
        _touch(options)
        return
    if (uri := easy_connect_uri(options)) is not None:
        refuse_details(options)
        _easy_connect(options, uri)
        return
    wish = wanted(options)
    for bad in wish.labels.bad if wish.labels else ():
        click.secho(f"line {bad.line} refused: {bad.reason}", fg="red", err=True)
    teller = reporter(len(wish.targets), alone=wish.alone, as_json=wish.as_json, plain=options["plain"])
    run = _run(wish, teller, options)
    finding = partial(connections, by_bluetooth=options["by_bluetooth"], maker=maker_of(options))
    with terminal_kept():
        try:
            if wish.alone:
                _one(wish, run, finding)
            else:
                _many(wish, run, finding)
        finally:
            teller.close()


def _run(wish: Wanted, teller: Reporter, options: dict[str, Any]) -> Run:
    network = SharedNetwork(
        wish.ssid,
        wish.passphrase,
        may_ask=wish.may_ask,
        pausing=teller.pausing,
        enterprise=enterprise_of(options),
        static=static_of(options),
    )
    return Run(
        network=network,
        order_for=wish.order_for,
        platform=wish.platform,
        reporter=teller,
        allow_old_security=options["allow_old_security"],
        at_once=_at_once(wish, options),
    )


def _at_once(wish: Wanted, options: dict[str, Any]) -> int:
    by_radio = any(wants_bluetooth(each, by_bluetooth=options["by_bluetooth"]) for each in wish.targets)
    return min(options["at_once"], BLUETOOTH_AT_ONCE) if by_radio else int(options["at_once"])


def _one(wish: Wanted, run: Run, finding: Finding) -> None:
    """Set one device up; what goes wrong is the command's own error."""
    (target,) = wish.targets

    async def work() -> DeviceResult:
        ways = await finding(wish.targets)
        outcome = await set_up(run, target, ways[target.name], lambda step: run.reporter.step("", step))
        return ended(target.name, outcome, platform_asked=wish.platform is not None)

    result = asyncio.run(work())
    if wish.platform is None and result.step != Step.REGISTERED.key and not wish.as_json:
        click.echo("Whether the platform sees it was not checked (--portal-url).", err=True)
    _end(result, run.reporter, platform_asked=wish.platform is not None)


def _many(wish: Wanted, run: Run, finding: Finding) -> None:
    """Set many up; each one's end stands in the summary, and the worst decides the exit code."""
    progress = Progress(wish.resume)

    async def work() -> Sequence[DeviceResult]:
        waiting = [target for target in wish.targets if not progress.is_done(target.name)]
        ways = await finding(waiting)
        return await set_up_all(run, wish.targets, ways, progress)

    try:
        results = asyncio.run(work())
    except KeyboardInterrupt:
        run.reporter.close()
        click.echo(
            f"Who is done stands in {wish.resume}; the same command goes on with the others.", err=True
        )
        raise
    run.reporter.close()
    run.reporter.summary(results)
    if problem := problem_of(results):
        raise problem


def _easy_connect(options: dict[str, Any], uri: str) -> None:
    """Set one device up by its Easy Connect label."""
    teller = reporter(1, alone=True, as_json=options["as_json"], plain=options["plain"])
    with terminal_kept():
        try:
            result = set_up_by_easy_connect(options, uri, teller)
        finally:
            teller.close()
    _end(result, teller, platform_asked=False)


def _touch(options: dict[str, Any]) -> None:
    """Set one device up without its label."""
    if not (options["portal_url"] and options["api_key"] and options["server"]):
        raise SettingsError("--touch needs --portal-url, an API key and --server.")
    if len(options["serial"]) > 1 or len(options["url"]) > 1:
        raise SettingsError("--touch is for one device at a time.", next_step="Give one --serial.")
    teller = reporter(1, alone=True, as_json=options["as_json"], plain=True)
    may_ask = person_is_there(options)
    wish = Touch(
        account=Account(Platform(options["portal_url"], options["api_key"])),
        serial=(options["serial"] or ("",))[0],
        server=options["server"],
        alias=options["alias"],
        network=SharedNetwork(
            ssid_of(options), passphrase_of(options), may_ask=may_ask, pausing=teller.pausing
        ),
        may_ask=may_ask,
        tell=lambda step: teller.step("", step),
    )
    link = HttpLink(checked((options["url"] or (SOFTAP,))[0]))
    with terminal_kept():
        outcome = asyncio.run(set_up_by_touch(wish, link))
    _end(ended("", outcome, platform_asked=True), teller, platform_asked=True)


def _end(result: DeviceResult, teller: Reporter, *, platform_asked: bool) -> None:
    """Tell how the one device ended; raise where that is not well."""
    teller.ended(result)
    if result.ending in (Ending.HELD, Ending.REFUSED):
        raise RefusedError(result.sentence, next_step=result.next_step)
    if platform_asked and result.ending is not Ending.DONE:
        raise UnavailableError(
            "The platform has not seen the device yet; that is not a failure.",
            next_step=result.next_step or "Look at the device's page in the portal in a few minutes.",
        )


def _find(*, as_json: bool) -> None:
    found = asyncio.run(look_around())
    for each in found:
        if as_json:
            click.echo(json.dumps({"transport": each.transport, "name": each.name, "address": each.address}))
        else:
            click.echo(f"{each.transport}: {each.name} (--url {each.address})")
    if not found and not as_json:
        click.echo(
            "Nothing waits for its set-up here. Switch the device on, hold it near, or join its Wi-Fi."
        )
