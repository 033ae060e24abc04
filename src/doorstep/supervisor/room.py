"""Is there room to start: free ports and free space, each with the setting to change when there is not."""

import errno
import shutil
import socket
from typing import Final

from doorstep.errors import UnavailableError
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["LEAST_FREE_BYTES", "check_disk", "check_port", "listeners"]

LEAST_FREE_BYTES: Final = 256 * 1024**2
"""Below this the next hour's readings might not fit."""

_LOOPBACK: Final = "127.0.0.1"


def listeners(settings: Settings) -> dict[str, tuple[str, int]]:
    """Return setting → address and port that the roles of these settings will bind."""
    bind = settings.bind
    public = {
        name: (bind, getattr(settings, name))
        for name in ("portal_port", "device_api_port", "mqtt_tls_port", "mqtt_plain_port")
    }
    if settings.device_api_plain_port:
        public["device_api_plain_port"] = (bind, settings.device_api_plain_port)
    if settings.nats_secure_url:
        del public["mqtt_tls_port"], public["mqtt_plain_port"]
        return public
    embedded = {
        name: (_LOOPBACK, getattr(settings, name)) for name in ("nats_secure_port", "nats_plain_port")
    }
    return public | embedded


def check_port(setting: str, address: str, port: int) -> None:
    """Raise UnavailableError when this port can't be bound; say which setting moves it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            raise _refused(setting, address, port, error) from error


def check_disk(state: StateFolder) -> int:
    """Return the free bytes below the state folder, or raise UnavailableError when they are too few."""
    free = shutil.disk_usage(state.root).free
    if free < LEAST_FREE_BYTES:
        raise UnavailableError(
            f"the disk of {state.root} has {free // 1024**2} MiB left, less than the "
            f"{LEAST_FREE_BYTES // 1024**2} it takes to start",
            next_step="Free some space, or choose a folder on another disk with DOORSTEP_STATE.",
        )
    return free


def _refused(setting: str, address: str, port: int, error: OSError) -> UnavailableError:
    variable = f"DOORSTEP_{setting.upper()}"
    if error.errno == errno.EADDRINUSE:
        return UnavailableError(
            f"port {port} ({setting}) is taken by another program",
            next_step=f"Stop that program (`ss -ltnp` names it), or give another port with {variable}.",
        )
    if error.errno == errno.EACCES:
        return UnavailableError(
            f"port {port} ({setting}) may not be used without root",
            next_step=f"Give a port above 1023 with {variable}.",
        )
    return UnavailableError(
        f"address {address} can't be bound for {setting}: {error.strerror}",
        next_step="Give an address of this machine with DOORSTEP_BIND.",
    )
