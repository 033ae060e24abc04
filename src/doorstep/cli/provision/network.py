"""The network that all devices of a run join: chosen once, and its password corrected once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.cli.provision.asking import aside
from doorstep.onboarding.network import Enterprise, NetworkCredentials, StaticAddress
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["MAX_TRIES", "SharedNetwork", "ask_eap_password", "ask_passphrase"]

MAX_TRIES: Final = 3

Networks = Callable[[], Awaitable[Sequence[ScanEntry]]]


class SharedNetwork:
    """Name and password as they were said, or asked for when the first device needs them."""

    def __init__(  # noqa: PLR0913 - what is said, and how what is not is asked for
        self,
        ssid: bytes | None,
        passphrase: bytes | None,
        *,
        may_ask: bool,
        pausing: Callable[[], AbstractContextManager[None]],
        enterprise: Enterprise | None = None,
        static: StaticAddress | None = None,
    ) -> None:
        """``pausing`` holds the progress display while a person is asked."""
        self._enterprise = enterprise
        self._static = static
        self._ssid = ssid
        self._passphrase = passphrase
        self._may_ask = may_ask
        self._pausing = pausing
        self._turn = asyncio.Lock()
        self._tries = 1

    async def get(self, networks: Networks) -> NetworkCredentials:
        """Return the network; ``networks`` lists what the asking device hears, if a person must choose."""
        async with self._turn:
            if self._ssid is None:
                heard = await networks()
                self._ssid = await self._ask(lambda: _choose(heard))
            if self._passphrase is None:
                self._passphrase = await self._ask_passphrase()
            return self._network(self._ssid, self._passphrase)

    async def corrected(self, tried: NetworkCredentials) -> NetworkCredentials | None:
        """Return another password after ``tried`` was refused, None where nobody gives one.

        The first device to come asks; the others get the answer.
        """
        async with self._turn:
            if (self._passphrase, self._enterprise) == (tried.passphrase, tried.enterprise):
                by_certificate = self._enterprise is not None and not self._enterprise.password
                if not self._may_ask or self._tries == MAX_TRIES or by_certificate:
                    return None
                self._tries += 1
                await self._ask_again()
            return self._network(tried.ssid, self._passphrase or b"")

    async def _ask_again(self) -> None:
        enterprise = self._enterprise
        if enterprise is None:
            self._passphrase = await self._ask_passphrase()
            return
        typed = await self._ask(lambda: ask_eap_password(enterprise.identity))
        self._enterprise = replace(enterprise, password=typed)

    def _network(self, ssid: bytes, passphrase: bytes) -> NetworkCredentials:
        return NetworkCredentials(ssid, passphrase, enterprise=self._enterprise, static=self._static)

    async def _ask_passphrase(self) -> bytes:
        name = shown(self._ssid or b"")
        return await self._ask(lambda: ask_passphrase(name))

    async def _ask(self, question: Callable[[], bytes]) -> bytes:
        with self._pausing():
            return await aside(question)


def ask_passphrase(network: str) -> bytes:
    """Ask for a password, hidden."""
    typed: str = click.prompt(
        f"Password of {network}", hide_input=True, default="", show_default=False, err=True
    )
    return typed.encode("utf-8", "surrogateescape")


def ask_eap_password(identity: str) -> bytes:
    """Ask for the password that belongs to an identity, hidden."""
    typed: str = click.prompt(f"Password of {identity}", hide_input=True, err=True)
    return typed.encode("utf-8", "surrogateescape")


def _choose(networks: Sequence[ScanEntry]) -> bytes:
    """Show what the device hears and return the chosen name; a hidden network is typed."""
    named = [network for network in networks if network.ssid]
    table = Table("No.", "Network", "Signal", "Security", title="The device hears")
    for number, network in enumerate(named, 1):
        table.add_row(
            str(number), shown(network.ssid), f"{network.rssi} dBm", network.auth.name.replace("_", "/")
        )
    Console(stderr=True).print(table)
    chosen: str = click.prompt("Number or name of your network", err=True)
    if chosen.isdecimal() and 1 <= int(chosen) <= len(named):
        return named[int(chosen) - 1].ssid
    return chosen.encode("utf-8", "surrogateescape")


def shown(ssid: bytes) -> str:
    """Clean a network's name for a screen."""
    text = ssid.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in text) or "(hidden)"
