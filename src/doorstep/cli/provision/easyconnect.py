"""A device with a Wi-Fi Easy Connect label: the label is its public key, and nothing else is needed."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.reporting import Reporter
from doorstep.cli.provision.results import DeviceResult, ended
from doorstep.cli.provision.wanted import (
    EASY_CONNECT,
    label_text,
    passphrase_of,
    person_is_there,
    ssid_of,
    token_of,
)
from doorstep.errors import SettingsError
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.dpp import configure
from doorstep.provisioner.provisioner import Outcome
from doorstep.wire.dpp import TCP_PORT
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["easy_connect_uri", "set_up_by_easy_connect"]

TCP: Final = "tcp://"


def easy_connect_uri(options: Mapping[str, Any]) -> str | None:
    """Return the label's text where one device is meant and its label is one of Easy Connect."""
    if options["label_text"] is None or options["labels"] or options["serial"] or options["all_devices"]:
        return None
    text = label_text(options["label_text"]).strip()
    return text if text.startswith(EASY_CONNECT) else None


def set_up_by_easy_connect(options: Mapping[str, Any], uri: str, teller: Reporter) -> DeviceResult:
    """Give the network to the label's device, called at its address or waited for through a relay."""
    address, port = _place(options["url"])
    token = token_of(options, None, many=False)
    order = RegistrationOrder(token.encode(), options["server"], options["alias"]) if token else None
    shared = SharedNetwork(
        ssid_of(options), passphrase_of(options), may_ask=person_is_there(options), pausing=teller.pausing
    )

    async def work() -> Outcome:
        network = await shared.get(_heard_by_nobody)
        await configure(
            uri, network, address=address, port=port, order=order, tell=lambda step: teller.step("", step)
        )
        return Outcome(Step.CHECKING, device_said_connected=False, platform_saw_it=False)

    return ended("", asyncio.run(work()), platform_asked=False)


async def _heard_by_nobody() -> tuple[ScanEntry, ...]:
    return ()


def _place(addresses: tuple[str, ...]) -> tuple[str | None, int]:
    """Return host and port of ``tcp://HOST[:PORT]``; no host where the device is to be waited for."""
    if not addresses:
        return None, TCP_PORT
    host, _, port = addresses[0].removeprefix(TCP).partition(":")
    if len(addresses) > 1 or not addresses[0].startswith(TCP) or not host or not (port or "1").isdecimal():
        raise SettingsError(
            "A device with an Easy Connect label is called at --url tcp://HOST or tcp://HOST:PORT.",
            next_step="Without --url it is waited for until an access point relays its question.",
        )
    return host, int(port or TCP_PORT)
