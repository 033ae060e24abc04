"""``doorstep provision``: bring one device onto a Wi-Fi network and into its owner's account."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.errors import RefusedError, SettingsError, UnavailableError

if TYPE_CHECKING:
    from doorstep.onboarding.label import SetupLabel
    from doorstep.onboarding.order import RegistrationOrder
    from doorstep.onboarding.steps import Step
    from doorstep.provisioner.provisioner import Outcome, PlatformCheck, Provisioner, Tell, Warn
    from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["provision"]

MAX_FILE = 4096
MAX_TRIES = 3
REFUSED = (401, 403)
TURNED_DOWN = ("held", "refused")
REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the command line asked for."""

    url: str
    label: "SetupLabel"
    order: "RegistrationOrder | None"
    ssid: bytes | None
    passphrase: bytes | None = field(repr=False)
    portal_url: str | None
    api_key: str | None = field(repr=False)
    as_json: bool
    allow_old_security: bool

    @property
    def may_ask(self) -> bool:
        """Tell whether a person is there to answer."""
        return not self.as_json and sys.stdin.isatty()


@click.command()
@click.option("--label", "label_text", help="The label's QR text, or a file that holds it.")
@click.option("--code", help="Instead of --label: the set-up code printed on it.")
@click.option("--url", default="http://192.168.4.1", show_default=True, help="The device's own address.")
@click.option("--ssid", help="The network to join; without it the device lists what it hears.")
@click.option("--passphrase-file", help="A file that holds its password.")
@click.option("--passphrase-prompt", is_flag=True, help="Ask for its password.")
@click.option("--open", "is_open", is_flag=True, help="The network has no password.")
@click.option("--token", help="The registration token from the portal.")
@click.option("--server", help="The server that the device registers at.")
@click.option("--alias", default="", help="Your name for the device.")
@click.option("--portal-url", help="Where to see whether the platform has the device.")
@click.option("--api-key", envvar="DOORSTEP_API_KEY", help="Key for --portal-url (or DOORSTEP_API_KEY).")
@click.option(
    "--allow-old-security",
    is_flag=True,
    help="Set up a device that speaks security 1 or the first version of security 2; the risk is told.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per step, and no questions.")
def provision(**options: Any) -> None:
    """Set up one device: onto your Wi-Fi, and into your account."""
    wanted = _wanted(options)
    outcome = asyncio.run(_provision(wanted))
    _tell_outcome(wanted, outcome)
    if outcome.step.key in TURNED_DOWN:
        raise RefusedError(outcome.step.sentence, next_step=outcome.step.next_step)
    if wanted.portal_url and not outcome.succeeded:
        raise UnavailableError(
            "The platform has not seen the device yet; that is not a failure.",
            next_step=outcome.step.next_step or "Look at the device's page in the portal in a few minutes.",
        )


def _wanted(options: dict[str, Any]) -> _Wanted:
    ssid, passphrase = options["ssid"], _passphrase(options)
    if ssid is None and options["as_json"]:
        raise SettingsError("--json asks nothing, so it needs a network.", next_step="Add --ssid.")
    if bool(options["portal_url"]) != bool(options["api_key"]):
        raise SettingsError("Seeing the device on the platform needs --portal-url and an API key together.")
    return _Wanted(
        url=options["url"],
        label=_label(options["label_text"], options["code"]),
        order=_order(options["token"], options["server"], options["alias"]),
        ssid=None if ssid is None else ssid.encode("utf-8", "surrogateescape"),
        passphrase=passphrase,
        portal_url=options["portal_url"],
        api_key=options["api_key"],
        as_json=options["as_json"],
        allow_old_security=options["allow_old_security"],
    )


def _label(text: str | None, code: str | None) -> "SetupLabel":
    from doorstep.onboarding.label import SetupLabel  # noqa: PLC0415 — only this command needs it

    if text is not None and code is None:
        return SetupLabel.decode(_text_or_file(text))
    if code is not None and text is None:
        return SetupLabel.typed(code)
    raise SettingsError(
        "The set-up needs the label: either --label or --code.",
        next_step="Scan its QR code into a file for --label, or type its set-up code after --code.",
    )


def _text_or_file(text: str) -> str:
    if text.lstrip().startswith("{"):
        return text
    return _read(text).decode("utf-8", "replace")


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_FILE)
    except OSError as error:
        raise SettingsError(f"{path[:80]!r} cannot be read: {error.strerror}.") from None


def _passphrase(options: dict[str, Any]) -> bytes | None:
    """Return the password from where it was said to be; `None` means ask when it is known for what."""
    if options["is_open"]:
        return b""
    if options["passphrase_file"]:
        return _read(options["passphrase_file"]).removesuffix(b"\n").removesuffix(b"\r")
    if options["passphrase_prompt"]:
        return _ask_passphrase("the network")
    return None


def _ask_passphrase(network: str) -> bytes:
    typed: str = click.prompt(f"Password of {network}", hide_input=True, default="", show_default=False)
    return typed.encode("utf-8", "surrogateescape")


def _order(token: str | None, server: str | None, alias: str) -> "RegistrationOrder | None":
    from doorstep.onboarding.order import RegistrationOrder  # noqa: PLC0415 — only this command needs it

    if token is None and server is None:
        return None
    if token is None or server is None:
        raise SettingsError("--token and --server belong together.", next_step="Copy both from the portal.")
    return RegistrationOrder(token.encode(), server, alias)


async def _provision(wanted: _Wanted) -> "Outcome":
    from doorstep.provisioner.http import HttpLink  # noqa: PLC0415 — the shell, lazily
    from doorstep.provisioner.provisioner import ONLINE, Outcome, Provisioner  # noqa: PLC0415 — the shell, lazily

    warn = _warner(as_json=wanted.as_json) if wanted.allow_old_security else None
    tell = _teller(as_json=wanted.as_json)
    async with Provisioner(HttpLink(wanted.url), wanted.label, tell=tell, warn=warn) as provisioner:
        await provisioner.secure()
        device_id = await _deliver(provisioner, wanted.order)
        step = await _join(provisioner, wanted)
        if step not in ONLINE and step.key != "checking":
            raise UnavailableError(step.sentence, next_step=step.next_step)
        if device_id is not None and wanted.portal_url is None:
            step = await provisioner.follow(step)
        if device_id is None or wanted.portal_url is None:
            return Outcome(step, device_said_connected=step in ONLINE, platform_saw_it=False)
        check = platform_check(wanted.portal_url, wanted.api_key or "", device_id)
        return await provisioner.confirm(step, check)


async def _deliver(provisioner: "Provisioner", order: "RegistrationOrder | None") -> str | None:
    if order is None:
        return None
    if not provisioner.takes_orders:
        raise SettingsError(
            "This device cannot register itself: its firmware is not Doorstep's.",
            next_step="Run the command without --token and --server.",
        )
    return await provisioner.deliver(order)


async def _join(provisioner: "Provisioner", wanted: _Wanted) -> "Step":
    """Join, and let a person correct the password in the same session."""
    from doorstep.onboarding.network import NetworkCredentials  # noqa: PLC0415 — the shell, lazily
    from doorstep.onboarding.steps import Step  # noqa: PLC0415 — the shell, lazily

    ssid = wanted.ssid if wanted.ssid is not None else _choose(await provisioner.networks())
    passphrase = wanted.passphrase
    if passphrase is None:
        if not wanted.may_ask:
            raise SettingsError(
                "The network's password is missing.", next_step="Add --passphrase-file or --open."
            )
        passphrase = _ask_passphrase(_shown(ssid))
    for _ in range(MAX_TRIES - 1):
        step = await provisioner.join(NetworkCredentials(ssid, passphrase))
        if step is not Step.WRONG_PASSWORD or not wanted.may_ask:
            return step
        passphrase = _ask_passphrase(_shown(ssid))
    return await provisioner.join(NetworkCredentials(ssid, passphrase))


def _choose(networks: Sequence["ScanEntry"]) -> bytes:
    """Show what the device hears and return the chosen name; a hidden network is typed."""
    from rich.console import Console  # noqa: PLC0415 — only where a table is shown
    from rich.table import Table  # noqa: PLC0415 — only where a table is shown

    named = [network for network in networks if network.ssid]
    table = Table("No.", "Network", "Signal", "Security", title="The device hears")
    for number, network in enumerate(named, 1):
        table.add_row(
            str(number), _shown(network.ssid), f"{network.rssi} dBm", network.auth.name.replace("_", "/")
        )
    Console(stderr=True).print(table)
    chosen: str = click.prompt("Number or name of your network")
    if chosen.isdecimal() and 1 <= int(chosen) <= len(named):
        return named[int(chosen) - 1].ssid
    return chosen.encode("utf-8", "surrogateescape")


def _shown(ssid: bytes) -> str:
    text = ssid.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in text) or "(hidden)"


def _teller(*, as_json: bool) -> "Tell":
    from rich.console import Console  # noqa: PLC0415 — only where something is shown

    console = Console(stderr=True, highlight=False)

    def tell(step: "Step") -> None:
        if as_json:
            click.echo(json.dumps({"step": step.key, "sentence": step.sentence}))
        else:
            console.print(f"  [cyan]•[/cyan] {step.sentence}")

    return tell


def _warner(*, as_json: bool) -> "Warn":
    def warn(risk: str) -> None:
        if as_json:
            click.echo(json.dumps({"warning": risk}))
        else:
            click.secho(f"Warning: {risk}", fg="yellow", err=True)

    return warn


def platform_check(portal_url: str, api_key: str, device_id: str) -> "PlatformCheck":
    """Return the second signal: whether the platform's API shows the device as owned."""
    import httpx  # noqa: PLC0415 — only where the platform is asked

    async def platform_saw_it() -> bool:
        headers = {"Authorization": f"Bearer {api_key}"}
        try:
            async with httpx.AsyncClient(base_url=portal_url, headers=headers, timeout=10) as client:
                answer = await client.get(f"/api/v1/devices/{device_id}")
                _check_key(answer.status_code)
                return answer.status_code == httpx.codes.OK and answer.json().get("owned") is True
        except (httpx.HTTPError, ValueError):
            return False  # this computer may still be on the device's Wi-Fi, without the internet

    return platform_saw_it


def _check_key(status: int) -> None:
    """Tell a refused key from a device that is not there yet, which waiting may cure."""
    if status in REFUSED:
        raise SettingsError(
            f"The platform refused the API key (status {status}); the device was set up all the same.",
            next_step="Make a key that may read devices in the portal, or look at the device's page there.",
        )


def _tell_outcome(wanted: _Wanted, outcome: "Outcome") -> None:
    if wanted.as_json:
        signals = {"device": outcome.device_said_connected, "platform": outcome.platform_saw_it}
        click.echo(json.dumps({"outcome": outcome.step.key, "signals": signals}))
        return
    click.echo(f"{outcome.step.sentence} {outcome.step.next_step}".strip())
    if not wanted.portal_url and outcome.step.key != REGISTERED:
        click.echo("Whether the platform sees it was not checked (--portal-url).", err=True)
