"""What the options say of the network beside its password: a fixed address, enterprise credentials."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from doorstep.cli.provision.network import ask_eap_password
from doorstep.cli.provision.wanted import person_is_there, read
from doorstep.errors import SettingsError
from doorstep.onboarding.network import EapMethod, Enterprise, StaticAddress

__all__ = ["enterprise_of", "refuse_details", "static_of"]

MAX_PEM: Final = 16384
PEM: Final = re.compile(rb"-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
CERTIFICATE: Final = "CERTIFICATE"
KEY: Final = "PRIVATE KEY"

OF_EAP: Final = (
    "identity",
    "eap_password_file",
    "ca_file",
    "eap_server_name",
    "client_certificate",
    "client_key",
)


def refuse_details(options: Mapping[str, Any]) -> None:
    """Raise `SettingsError` where the way that was chosen cannot carry what is asked for."""
    if options["static"] is not None or options["eap"] is not None:
        raise SettingsError(
            "Neither --touch nor an Easy Connect label carries a fixed address or an enterprise network.",
            next_step="Set the device up by its label's code.",
        )


def static_of(options: Mapping[str, Any]) -> StaticAddress | None:
    """Return the fixed address; raises `SettingsError` on one that cannot work."""
    if options["static"] is None:
        if options["gateway"] or options["dns"]:
            raise SettingsError("--gateway and --dns belong to --static.", next_step="Add --static.")
        return None
    if options["gateway"] is None:
        raise SettingsError("A fixed address needs its gateway.", next_step="Add --gateway.")
    if options["all_devices"] or len(options["serial"]) > 1:
        raise SettingsError(
            "A fixed address is for one device.", next_step="Set the devices up one after the other."
        )
    return StaticAddress(options["static"], options["gateway"], tuple(options["dns"]))


def enterprise_of(options: Mapping[str, Any]) -> Enterprise | None:
    """Return the enterprise credentials; asks a person for a password that is missing.

    Raises `SettingsError` on what contradicts itself or is not there.
    """
    if options["eap"] is None:
        _refuse_stray(options)
        return None
    if options["is_open"] or options["passphrase_file"] or options["passphrase_prompt"]:
        raise SettingsError("A network has a password or enterprise credentials, not both.")
    if options["identity"] is None or options["ca_file"] is None:
        raise SettingsError(
            "An enterprise network needs --identity and --ca-file.",
            next_step="Ask whoever runs the network for the name and its authority's certificate.",
        )
    method = EapMethod(options["eap"])
    return Enterprise(
        method,
        options["identity"],
        _der(options["ca_file"], CERTIFICATE),
        options["eap_server_name"],
        _password(options, method),
        _given(options["client_certificate"], CERTIFICATE),
        _given(options["client_key"], KEY),
    )


def _password(options: Mapping[str, Any], method: EapMethod) -> bytes:
    if options["eap_password_file"]:
        return read(options["eap_password_file"]).removesuffix(b"\n").removesuffix(b"\r")
    if method is EapMethod.TLS:
        return b""
    if not person_is_there(options):
        raise SettingsError("The password of the identity is missing.", next_step="Add --eap-password-file.")
    return ask_eap_password(options["identity"])


def _refuse_stray(options: Mapping[str, Any]) -> None:
    for name in OF_EAP:
        if options[name]:
            raise SettingsError(
                f"--{name.replace('_', '-')} belongs to an enterprise network.", next_step="Add --eap."
            )


def _given(path: str | None, kind: str) -> bytes:
    return b"" if path is None else _der(path, kind)


def _der(path: str, kind: str) -> bytes:
    """Return the DER of a file that holds it as such or as PEM; of several, the first one's."""
    content = read(path, MAX_PEM)
    if content.startswith(b"\x30"):
        return content
    for found in PEM.finditer(content[:MAX_PEM]):
        if found[1].decode() == kind:
            try:
                return base64.b64decode(b"".join(found[2].split()), validate=True)
            except binascii.Error:
                break
    step = " A key: openssl pkcs8 -topk8 -nocrypt -in KEY." if kind == KEY else ""
    raise SettingsError(
        f"{path[:80]!r} holds no {kind.lower()}.", next_step=f"Give it as PEM or DER, not encrypted.{step}"
    )
