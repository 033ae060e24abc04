"""The client's side of Improv: what to send, and what the device's words mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, RefusedError
from doorstep.onboarding.improv.rpc import Command, ErrorCode, Result, Rpc, put_strings
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.steps import Step
from doorstep.wire.provisioning.scan import MAX_SSID, AuthMode, ScanEntry

__all__ = ["DeviceInfo", "ImprovRefused", "read_info", "read_networks", "read_page", "settings", "step_of"]

INFO_STRINGS: Final = 4
AUTHS: Final = {b"NO": AuthMode.OPEN, b"WEP": AuthMode.WEP, b"WPA": AuthMode.WPA}
SENTENCES: Final = {
    ErrorCode.INVALID_RPC: ("The device did not understand.", "Try again; if it lasts, ask the maker."),
    ErrorCode.UNKNOWN_COMMAND: ("The device cannot do that.", "Choose another way to set it up."),
    ErrorCode.NOT_AUTHORIZED: (
        "The device wants to be touched first.",
        "Press its button, then send the network within a minute.",
    ),
}


class ImprovRefused(RefusedError):
    """The device refused a command; ``code`` is its error."""

    def __init__(self, code: ErrorCode) -> None:
        sentence, next_step = SENTENCES.get(
            code, ("The device failed.", "Switch it off and on, and try again.")
        )
        super().__init__(sentence, next_step=next_step)
        self.code = code


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself, cleaned for a screen."""

    firmware: str
    version: str
    chip: str
    name: str


def settings(network: NetworkCredentials) -> Rpc:
    """Return the command to join a network."""
    network.check_plain("Improv")
    return Rpc(Command.SETTINGS, put_strings((network.ssid, network.passphrase)))


def step_of(code: ErrorCode) -> Step:
    """Return what an error after `settings` means; Improv does not say why a network was not joined.

    Raises `ImprovRefused` for every other error.
    """
    if code is not ErrorCode.UNABLE_TO_CONNECT:
        raise ImprovRefused(code)
    return Step.WRONG_PASSWORD


def read_info(result: Result) -> DeviceInfo:
    """Read who a device is; strings beyond the fourth are passed over."""
    if len(result.strings) < INFO_STRINGS:
        raise MalformedMessage("the device says too little of itself")
    firmware, version, chip, name = (_shown(text) for text in result.strings[:INFO_STRINGS])
    return DeviceInfo(firmware, version, chip, name)


def read_networks(strings: Sequence[bytes]) -> tuple[ScanEntry, ...]:
    """Read name, strength and protection, three strings a network; raises `MalformedMessage`."""
    if len(strings) % 3:
        raise MalformedMessage("a list of networks is cut")
    return tuple(_entry(ssid, rssi, auth) for ssid, rssi, auth in zip(*(iter(strings),) * 3, strict=True))


def read_page(result: Result) -> str:
    """Return the address of the page to go on at, empty where there is none."""
    return _shown(result.strings[0]) if result.strings else ""


def _entry(ssid: bytes, rssi: bytes, auth: bytes) -> ScanEntry:
    try:
        strength = int(rssi[:5])
    except ValueError:
        raise MalformedMessage("a network's strength is no number") from None
    if len(ssid) > MAX_SSID:
        raise MalformedMessage("a network's name is longer than any")
    return ScanEntry(ssid, rssi=strength, auth=AUTHS.get(auth, AuthMode.WPA2))


def _shown(text: bytes) -> str:
    return "".join(char for char in text.decode("utf-8", "replace") if char.isprintable())
