"""What the command line asked for: which devices, where they are, and what each of them gets."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import click

from doorstep.cli.provision.finding import checked
from doorstep.cli.provision.labels import MAX_LABELS_FILE, Labels, Target, read_labels
from doorstep.cli.provision.network import ask_passphrase
from doorstep.cli.provision.platform import Platform
from doorstep.crypto.x509 import Certificate
from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.pin.secret import pin_label

__all__ = [
    "EASY_CONNECT",
    "Wanted",
    "label_text",
    "maker_of",
    "passphrase_of",
    "person_is_there",
    "ssid_of",
    "token_of",
    "wanted",
]

MAX_FILE: Final = 4096
MAX_CERTIFICATE: Final = 16384
EASY_CONNECT: Final = "DPP:"
"""How the text of a Wi-Fi Easy Connect label begins."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that the options say, checked."""

    targets: tuple[Target, ...]
    labels: Labels | None
    token: str | None = field(repr=False)
    server: str | None
    alias: str
    ssid: bytes | None
    passphrase: bytes | None = field(repr=False)
    platform: Platform | None
    resume: Path | None
    as_json: bool

    @property
    def alone(self) -> bool:
        """Tell whether one device was asked for by its own label."""
        return self.labels is None

    @property
    def may_ask(self) -> bool:
        """Tell whether a person is there to answer."""
        return not self.as_json and sys.stdin.isatty()

    async def order_for(self, target: Target) -> RegistrationOrder | None:
        """Return what makes this device its owner's; each device gets a token of its own."""
        if self.server is None:
            return None
        alias = target.alias or self.alias
        token = self.token
        if token is None and self.platform is not None:
            token = await self.platform.token(alias)
        return None if token is None else RegistrationOrder(token.encode(), self.server, alias)


def wanted(options: Mapping[str, Any]) -> Wanted:
    """Read the options; raises `SettingsError` on what contradicts itself or is not there."""
    if bool(options["portal_url"]) != bool(options["api_key"]) and not _key_for_nothing(options):
        raise SettingsError("Seeing the device on the platform needs --portal-url and an API key together.")
    labels = None if options["labels"] is None else read_labels(read(options["labels"], MAX_LABELS_FILE))
    targets = _one(options) if labels is None else _many(labels, options)
    if options["ssid"] is None and options["as_json"]:
        raise SettingsError("--json asks nothing, so it needs a network.", next_step="Add --ssid.")
    platform = Platform(options["portal_url"], options["api_key"]) if options["portal_url"] else None
    made = Wanted(
        targets=targets,
        labels=labels,
        token=token_of(options, platform, many=labels is not None),
        server=options["server"],
        alias=options["alias"],
        ssid=ssid_of(options),
        passphrase=passphrase_of(options),
        platform=platform,
        resume=_resume(options),
        as_json=options["as_json"],
    )
    if made.passphrase is None and not made.may_ask:
        raise SettingsError(
            "The network's password is missing.", next_step="Add --passphrase-file or --open."
        )
    return made


def _key_for_nothing(options: Mapping[str, Any]) -> bool:
    """Tell whether a key merely stands in the environment, for other commands."""
    return not options["portal_url"] and not options["api_key_typed"]


def _one(options: Mapping[str, Any]) -> tuple[Target, ...]:
    if options["serial"] or options["all_devices"]:
        raise SettingsError("--serial and --all choose from --labels.", next_step="Add --labels FILE.csv.")
    label = _label(options)
    addresses: Sequence[str] = options["url"]
    if len(addresses) > 1:
        raise SettingsError("One label is for one device, and several addresses are given.")
    return (Target(label.name, label, checked(addresses[0]) if addresses else ""),)


def _many(labels: Labels, options: Mapping[str, Any]) -> tuple[Target, ...]:
    if options["label_text"] or options["code"] or options["pin"]:
        raise SettingsError("--labels stands instead of --label, --code and --pin.")
    if bool(options["serial"]) == options["all_devices"]:
        raise SettingsError(
            f"The file has {len(labels.targets)} labels; which devices are meant?",
            next_step="Add --all, or --serial for each of them.",
        )
    targets = labels.targets if options["all_devices"] else labels.named(options["serial"])
    return _placed(targets, labels, options["url"])


def _placed(targets: Sequence[Target], labels: Labels, addresses: Sequence[str]) -> tuple[Target, ...]:
    """Put the addresses of the command line beside the targets: ``SERIAL=ADDRESS``, or one for one target."""
    places: dict[str, str] = {}
    for each in addresses:
        name, separator, address = each.partition("=")
        if separator and "/" not in name:
            (named,) = labels.named([name])
            places[named.name] = checked(address)
        elif len(targets) == 1:
            places[targets[0].name] = checked(each)
        else:
            raise SettingsError(
                f"It is not said whose address {each[:80]!r} is.", next_step="Write --url SERIAL=ADDRESS."
            )
    for target in targets:
        if target.address and target.name not in places:
            places[target.name] = checked(target.address)
    return tuple(replace(target, address=places.get(target.name, "")) for target in targets)


def _label(options: Mapping[str, Any]) -> SetupLabel:
    said = {key: options[key] for key in ("label_text", "code", "pin") if options[key] is not None}
    if len(said) != 1:
        raise SettingsError(
            "The set-up needs the label: one of --label, --code and --pin.",
            next_step="Scan its QR code into a file for --label, or type the code or PIN printed on it.",
        )
    if "code" in said:
        return SetupLabel.typed(said["code"])
    return pin_label(said["pin"]) if "pin" in said else SetupLabel.decode(label_text(said["label_text"]))


def label_text(said: str) -> str:
    """Return the text of a label that was given as such, or as the name of a file."""
    return said if said.lstrip().startswith(("{", EASY_CONNECT)) else _text(said)


def _text(path: str) -> str:
    return read(path).decode("utf-8", "replace")


def read(path: str, cap: int = MAX_FILE) -> bytes:
    """Return a file's first bytes; raises `SettingsError` where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(cap + 1)
    except OSError as error:
        raise SettingsError(f"{path[:80]!r} cannot be read: {error.strerror}.") from None


def token_of(options: Mapping[str, Any], platform: Platform | None, *, many: bool) -> str | None:
    """Return the registration token from where it was said to be; asks a person where only it is missing."""
    token: str | None = options["token"]
    if options["token_file"]:
        token = _text(options["token_file"]).strip()
    if many and not options["token_typed"] and not options["token_file"]:
        token = None  # it merely stands in the environment, for a device set up before
    if token is not None and many:
        raise SettingsError(
            "A registration token is for one device.",
            next_step="Give --portal-url and an API key, so that each device gets one of its own.",
        )
    if token is None and options["server"] and platform is None and person_is_there(options):
        token = click.prompt("Registration token", hide_input=True, err=True)
    if (token is None and platform is None and options["server"]) or (token and not options["server"]):
        raise SettingsError(
            "The registration token and --server belong together.", next_step="Copy both from the portal."
        )
    return token


def person_is_there(options: Mapping[str, Any]) -> bool:
    """Tell whether a person is there to answer."""
    return not options["as_json"] and sys.stdin.isatty()


def ssid_of(options: Mapping[str, Any]) -> bytes | None:
    """Return the network's name as octets, None where it is to be asked for."""
    return None if options["ssid"] is None else options["ssid"].encode("utf-8", "surrogateescape")


def passphrase_of(options: Mapping[str, Any]) -> bytes | None:
    """Return the password from where it was said to be; `None` means ask when it is known for what."""
    if options["is_open"] or options["eap"] is not None:
        return b""
    if options["passphrase_file"]:
        return read(options["passphrase_file"]).removesuffix(b"\n").removesuffix(b"\r")
    if options["passphrase_prompt"]:
        return ask_passphrase("the network")
    return None


def maker_of(options: Mapping[str, Any]) -> Certificate | None:
    """Return the factory CA by which devices are known; raises `SettingsError` on what is no certificate."""
    if options["maker_ca"] is None:
        return None
    try:
        return Certificate.from_pem(read(options["maker_ca"], MAX_CERTIFICATE))
    except MalformedMessage:
        raise SettingsError(
            f"{options['maker_ca'][:80]!r} holds no certificate.",
            next_step="Give the factory CA as one PEM certificate: factory.crt of the platform's folder ca.",
        ) from None


def _resume(options: Mapping[str, Any]) -> Path | None:
    """Return where the run keeps who is done: beside the labels, where nothing else is said."""
    if options["resume"]:
        return Path(options["resume"])
    return Path(f"{options['labels']}.done") if options["labels"] else None
