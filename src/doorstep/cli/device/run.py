"""Run the agent of this board."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import msgspec

from doorstep.cli.device.board import identity_of, read_file
from doorstep.cli.device.doors import bluetooth_door, bluetooth_of, portal_of, setup_address
from doorstep.cli.device.options import JSON, STATE
from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.hostsensor import measure_host
from doorstep.device.notices import Moved, Notice, sentence
from doorstep.device.setup.easy_connect import easy_connect_doors
from doorstep.device.setup.presence import Presence, button_of, show_of
from doorstep.device.setup.wps_button import WpsButton
from doorstep.device.store import Store
from doorstep.device.wifi.board import CONTROL_FOLDER, AccessPointMode, Backend, Radio, RadioSettings
from doorstep.errors import SettingsError
from doorstep.identity.provisioning import PROVISIONING_CAP, Provisioning
from doorstep.testing.device import simulated_sensor
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi

__all__ = ["json_line", "line", "live", "run"]

_PASSPHRASE_CAP: Final = 64
HERE: Final = (1, 1, 1)
"""The pattern by which a board says: it is me."""


@click.command()
@STATE
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
    help="Open an access point for the set-up: with a key of its own (wpa2), or without any.",
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
    help="Open the product's ways of set-up over this computer's Bluetooth, too; pairing as it demands.",
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
    help="What shows the pattern to compare: console, led:PATH, buzzer:PATH or vibrator:PATH.",
)
@click.option(
    "--wps-pin",
    is_flag=True,
    help="The button shows a PIN to type at the router, instead of waiting for the router's button. Weak; "
    "only where the product allows it.",
)
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder, as of a stick, from which *.sealed and *.release are taken.",
)
@JSON
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
    wps_pin: bool,  # noqa: FBT001 - click's flag
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
            store.adopt(Provisioning.from_json(read_file(provisioning, "provisioning", PROVISIONING_CAP)))
        made = identity_of(store)
        settings = replace(settings, portal=portal_of(settings, made))
        radio = (
            settings.build(made)
            if simulate_wifi is None
            else Radio(_simulated(simulate_wifi, simulate_passphrase_file))
        )
        wps = WpsButton.of(made, settings.own_radio, _show_pin if wps_pin else None)
        pushed = () if wps is None else (wps.door,)
        shown = show_of(show, lambda text: click.echo(text, err=True))
        bluetooth = bluetooth_of(made, lambda: shown(HERE)) if ble else None
        options = AgentOptions(
            setup_address(settings, made, setup_host, setup_port),
            doors=(
                *radio.doors,
                *easy_connect_doors(made, settings.own_radio),
                *pushed,
                *(() if bluetooth is None else (bluetooth_door(bluetooth),)),
            ),
            shares_radio=radio.is_shared,
            plain=plain,
            interval_s=interval,
            inbox=inbox,
            presence=Presence(button_of(button), shown),
        )
        sensor = measure_host if simulate_wifi is None else simulated_sensor()
        agent = Agent(store, radio.station, sensor, options=options, notify=json_line if as_json else line)
        asyncio.run(live(agent, [each.press for each in (wps, bluetooth) if each is not None]))
    finally:
        store.close()


async def _press(agent: Agent, besides: Sequence[Callable[[], None]]) -> None:
    await agent.press_button()
    for press in besides:
        press()


async def live(agent: Agent, besides: Sequence[Callable[[], None]]) -> None:
    """Run an agent until SIGINT or SIGTERM; SIGUSR1 is its button, SIGUSR2 holding it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.stop)
    presses: set[asyncio.Task[None]] = set()

    def press() -> None:
        task = loop.create_task(_press(agent, besides))
        presses.add(task)
        task.add_done_callback(presses.discard)

    loop.add_signal_handler(signal.SIGUSR1, press)
    loop.add_signal_handler(signal.SIGUSR2, agent.hold_button)
    await agent.run()


def _simulated(ssid: str, passphrase_file: Path | None) -> SimulatedWifi:
    passphrase = b""
    if passphrase_file is not None:
        passphrase = read_file(passphrase_file, "passphrase", _PASSPHRASE_CAP).rstrip(b"\r\n")
    return SimulatedWifi([SimulatedNetwork(ssid.encode(), passphrase)])


def _show_pin(pin: str) -> None:
    click.echo(f"Type this PIN at the router: {pin}", err=True)


def line(notice: Notice) -> None:
    """Print a notice for people."""
    click.echo(f"{time.strftime('%H:%M:%S')}  {sentence(notice)}")


def json_line(notice: Notice) -> None:
    """Print a notice for programs."""
    body: dict[str, object] = {"at": round(time.time(), 3), "notice": type(notice).__name__}
    if isinstance(notice, Moved):
        body |= {"event": type(notice.event).__name__, "state": notice.state.name.lower()}
    else:
        body |= msgspec.to_builtins(notice)
    click.echo(json.dumps(body | {"sentence": sentence(notice)}))
