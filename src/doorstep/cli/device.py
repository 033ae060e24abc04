"""``doorstep device``: run this board's agent, show how it stands, make it forget its network."""

import asyncio
import json
import signal
import sys
import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Final

import click
import msgspec

from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.hostsensor import measure_host
from doorstep.device.notices import Moved, Notice, sentence
from doorstep.device.sealing import Sealing
from doorstep.device.setup.ble import BleName
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.presence import Presence, button_of, show_of
from doorstep.device.setup.secret import setup_secret
from doorstep.device.setup.service import SetupAddress
from doorstep.device.store import Operational, Store
from doorstep.device.wifi.board import CONTROL_FOLDER, AccessPointMode, Backend, Radio, RadioSettings
from doorstep.errors import MisuseError, SettingsError, UnavailableError
from doorstep.identity.provisioning import PROVISIONING_CAP, Provisioning
from doorstep.onboarding.ble.pairing import IoCapability, policy_of
from doorstep.onboarding.captive.api import captive_api_url
from doorstep.onboarding.lock import LockState
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.runtime.brokers import UP_CHANNELS
from doorstep.testing.device import simulated_sensor
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi

__all__ = ["device"]

_PASSPHRASE_CAP: Final = 64

_BLE_METHOD: Final = "protocomm-sec2-ble"

_STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The device's own folder (0700).",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group()
def device() -> None:
    """Run the agent of this board and look at it."""


@device.command()
@_STATE
@click.option(
    "--provisioning",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The factory's file for this device; needed once. Destroy it afterwards.",
)
@click.option(
    "--wifi",
    type=click.Choice([backend.value for backend in Backend]),
    help="Who has this board's Wi-Fi. host, the default: the operating system, which joined by itself.",
)
@click.option("--interface", default="", metavar="NAME", help="The radio's interface, such as wlan0.")
@click.option(
    "--access-point",
    type=click.Choice([mode.value for mode in AccessPointMode]),
    default=AccessPointMode.NONE.value,
    show_default=True,
    help="Open an access point for the set-up: with the key on the label (wpa2), or without any.",
)
@click.option(
    "--control-folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=CONTROL_FOLDER,
    show_default=True,
    help="Where wpa_supplicant's control sockets are.",
)
@click.option("--simulate-wifi", metavar="SSID", help="Pretend to have a radio, with this network in reach.")
@click.option(
    "--simulate-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the passphrase of the simulated network; without it the network is open.",
)
@click.option("--plain", is_flag=True, help="Use the broker's listener without TLS.")
@click.option("--interval", default=10.0, show_default=True, help="Seconds between two measurements.")
@click.option("--setup-host", default="0.0.0.0", show_default=True, help="Address of the set-up service.")  # noqa: S104 - whoever is near must reach it
@click.option("--setup-port", default=80, show_default=True, help="Its port; 0 takes a free one.")
@click.option(
    "--ble",
    is_flag=True,
    help="Open the set-up over this computer's Bluetooth, too; pairing as the product demands.",
)
@click.option(
    "--button",
    default="power",
    show_default=True,
    metavar="KIND",
    help="What opens set-up without a code, beside SIGUSR1: power, key (Enter) or gpio:PATH.",
)
@click.option(
    "--signal",
    "show",
    default="console",
    show_default=True,
    metavar="KIND",
    help="What shows the pattern to compare: console, or led:PATH.",
)
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder, as of a stick, from which *.sealed and *.release are taken.",
)
@_JSON
def run(  # noqa: PLR0913, PLR0917 - one for each option
    state: Path,
    provisioning: Path | None,
    wifi: str | None,
    interface: str,
    access_point: str,
    control_folder: Path,
    simulate_wifi: str | None,
    simulate_passphrase_file: Path | None,
    plain: bool,  # noqa: FBT001 - click's flag
    interval: float,
    setup_host: str,
    setup_port: int,
    ble: bool,  # noqa: FBT001 - click's flag
    button: str,
    show: str,
    inbox: Path | None,
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Live this device's life in the foreground, until interrupted.

    SIGUSR1 is the device's button: it opens the set-up for a few minutes, whatever the device does. SIGUSR2
    is holding it: the device forgets its network.
    """
    if simulate_wifi is not None and wifi is not None:
        raise SettingsError(
            "A simulated Wi-Fi and a real one cannot both be this board's.",
            next_step="Give --simulate-wifi or --wifi.",
        )
    settings = RadioSettings(
        Backend(wifi or Backend.HOST.value), interface, AccessPointMode(access_point), control_folder
    )
    store = Store.open(state)
    try:
        if provisioning is not None:
            store.adopt(Provisioning.from_json(_read(provisioning, "provisioning", PROVISIONING_CAP)))
        made = _identity(store)
        settings = replace(settings, portal=_portal(settings, made))
        radio = (
            settings.build(made)
            if simulate_wifi is None
            else Radio(_simulated(simulate_wifi, simulate_passphrase_file))
        )
        options = AgentOptions(
            _address(settings, made, setup_host, setup_port),
            doors=(*radio.doors, *((_ble_door(made),) if ble else ())),
            shares_radio=radio.is_shared,
            plain=plain,
            interval_s=interval,
            inbox=inbox,
            presence=Presence(button_of(button), show_of(show, lambda text: click.echo(text, err=True))),
        )
        sensor = measure_host if simulate_wifi is None else simulated_sensor()
        agent = Agent(store, radio.station, sensor, options=options, notify=_json_line if as_json else _line)
        asyncio.run(_live(agent))
    finally:
        store.close()


@device.command()
@_STATE
@_JSON
def show(state: Path, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show identity, epoch, certificate and the next step."""
    store = Store(state.absolute())
    made, held, network = _identity(store), store.operational(), store.network()
    facts = {
        "device": made.device_id,
        "serial": made.serial,
        "product": made.product,
        "network": None if network is None else network.ssid.decode("utf-8", errors="replace"),
        "token": store.ticket() is not None,
        "next_epoch": store.next_epoch(),
        "certificate": None if held is None else held.certificate.fingerprint,
        "certificate_until": None if held is None else held.certificate.not_after.isoformat(),
        "device_api": made.servers.device_api if held is None else held.device_api,
        "next_step": _next_step(store, held),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):18} {'none' if value in {None, False} else value}")


@device.command("forget-network")
@_STATE
@_JSON
def forget_network(state: Path, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Forget the Wi-Fi, so that the next start waits for a new set-up. Identity and owner stay.

    This counts as a hand on the device. If it has an owner, they must also allow set-up again in the portal.
    """
    store = Store.open(state)
    try:
        made = _identity(store)
        store.reset()
    finally:
        store.close()
    click.echo(
        json.dumps({"device": made.device_id, "network": None})
        if as_json
        else f"Device {made.device_id} has forgotten its network. Next: {_next_step(store, None)}"
    )


@device.command()
@_STATE
@click.argument("content")
@click.option(
    "--channel", type=click.Choice(UP_CHANNELS), default="data", show_default=True, help="Where to."
)
@_JSON
def seal(state: Path, content: str, channel: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Seal CONTENT as this device and write the message to standard output, for another MQTT program.

    Each call begins a new epoch, as a boot does, so the agent must be stopped. With --json the message
    comes as Base64, with its topic and a one-time password for one CONNECT without TLS.
    """
    if sys.stdout.isatty() and not as_json:
        raise MisuseError("a sealed message is binary", next_step="Add > message.bin, or --json.")
    store = Store.open(state)
    try:
        made = _identity(store)
        if store.operational() is None:
            # An epoch may be used only after the platform has said which ones are free.
            raise MisuseError(f"device {made.device_id} is not registered", next_step=_next_step(store, None))
        sealing = Sealing(store, made.device_id)
        password, message = sealing.proof(), sealing.seal(channel, content.encode())
    finally:
        store.close()
    topic = f"d/{made.device_id}/up/{channel}"
    if as_json:
        facts = {"topic": topic, "epoch": sealing.epoch, "message": b64encode(message).decode()}
        click.echo(json.dumps(facts | {"username": made.device_id, "password": password}))
        return
    click.echo(f"Sealed in epoch {sealing.epoch} for topic {topic}", err=True)
    click.echo(message, nl=False)


def _address(settings: RadioSettings, made: Provisioning, host: str, port: int) -> SetupAddress:
    """Return where the set-up listens, and where the board's page may stand."""
    if settings.access_point is AccessPointMode.NONE:
        return SetupAddress(host, port)
    return SetupAddress(
        host, port, _own_address(settings, made), has_key=settings.access_point is AccessPointMode.WPA2
    )


def _portal(settings: RadioSettings, made: Provisioning) -> str:
    """Return what phones are told by DHCP: the captive portal API exists over TLS alone."""
    if settings.access_point is AccessPointMode.NONE or "https-pinned" not in made.onboarding:
        return settings.portal
    return captive_api_url(_own_address(settings, made))


def _own_address(settings: RadioSettings, made: Provisioning) -> str:
    return str(IPv4Interface(settings.plan(made).address).ip)


class _TerminalScreen:
    """The terminal as the board's screen; nobody is there to press a button."""

    def show(self, digits: str) -> None:
        click.echo(f"Type this into the phone: {digits}", err=True)

    def clear(self) -> None:
        pass

    async def agree(self) -> bool:
        return False


def _ble_door(made: Provisioning) -> DoorMaker:
    """Return what opens the set-up over Bluetooth; raises MisuseError where the product has none."""
    if _BLE_METHOD not in made.onboarding:
        raise MisuseError(
            f"product {made.product} has no set-up over Bluetooth",
            next_step=f"Leave --ble out, or turn {_BLE_METHOD} on for the product and make its file anew.",
        )
    try:
        from doorstep.device.setup.linux_ble import LinuxBleDoor, check_bluetooth  # noqa: PLC0415 - an extra
    except ImportError:
        raise UnavailableError(
            "this installation cannot speak Bluetooth",
            next_step="Install it with: pip install 'doorstep[ble]'",
        ) from None
    policy = policy_of(made.onboarding, IoCapability.DISPLAY)
    pairing = BoardPairing(policy, _TerminalScreen(), lambda event: click.echo(event.sentence, err=True))
    asyncio.run(check_bluetooth(pairing))
    profile, name = DeviceProfile(made.device_id, setup_secret(made)), BleName(made.setup.service_name)
    return lambda joiner: LinuxBleDoor(profile, joiner, name, pairing=pairing)


async def _live(agent: Agent) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.stop)
    presses: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGUSR1, lambda: presses.add(asyncio.ensure_future(agent.press_button())))
    loop.add_signal_handler(signal.SIGUSR2, agent.hold_button)
    await agent.run()


def _read(path: Path, what: str, cap: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(cap + 1)
    except OSError as error:
        raise MisuseError(
            f"the {what} file {path} can't be read: {error.strerror}", next_step="Check its name."
        ) from error


def _identity(store: Store) -> Provisioning:
    made = store.identity()
    if made is None:
        raise MisuseError(
            f"the folder {store.folder} holds no device",
            next_step="Run: doorstep device run --provisioning FILE --state DIR",
        )
    return made


def _simulated(ssid: str, passphrase_file: Path | None) -> SimulatedWifi:
    passphrase = b""
    if passphrase_file is not None:
        passphrase = _read(passphrase_file, "passphrase", _PASSPHRASE_CAP).rstrip(b"\r\n")
    return SimulatedWifi([SimulatedNetwork(ssid.encode(), passphrase)])


def _next_step(store: Store, held: Operational | None) -> str:
    if store.network() is None and store.lock().state is not LockState.OPEN:
        return "Have its owner allow set-up again in the portal, then start it and set it up."
    if store.network() is None:
        return "Start it, and set up its Wi-Fi with the code on the label."
    if store.ticket() is not None:
        return "Start it: it registers itself with the token it holds."
    if held is None:
        return "Make a registration token in the portal and set the device up again."
    if held.certificate.not_after <= datetime.now(UTC):
        return "Start it: it asks for a new certificate by itself."
    return "None: it works by itself once started."


def _line(notice: Notice) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {sentence(notice)}")


def _json_line(notice: Notice) -> None:
    body: dict[str, object] = {"at": round(time.time(), 3), "notice": type(notice).__name__}
    if isinstance(notice, Moved):
        body |= {"event": type(notice.event).__name__, "state": notice.state.name.lower()}
    else:
        body |= msgspec.to_builtins(notice)
    click.echo(json.dumps(body | {"sentence": sentence(notice)}))
