"""Text of the two brokers' configuration files. Pure: paths, ports and secrets come in."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorstep.runtime.brokers import DEVICES_ACCOUNT, PARTITIONS, User

__all__ = ["MAX_PAYLOAD", "BrokerFacts", "TlsFiles", "broker_configuration"]

MAX_PAYLOAD: Final = 16 * 1024
"""Bytes of one message at the broker; a sealed message has far fewer, our own requests some more."""

_MAX_CONTROL_LINE: Final = 2048
_LOG_BYTES: Final = 8 * 1024 * 1024
_LOG_FILES: Final = 4
_TLS_TIMEOUT_S: Final = 10
_AUTH_TIMEOUT_S: Final = 3
"""Also how long a device hangs that comes while the authorizer is away: the broker asks once and waits."""

_BRIDGE_MAY: Final = (
    'allowed_connection_types: ["MQTT"],'
    ' permissions: { publish: { allow: ["u.*.*.*"] }, subscribe: { allow: ["d.*.down.*"] } }'
)
"""A Mosquitto speaks for all devices: it has checked who publishes, and ingest checks every seal."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What an mTLS listener reads: its chain and key, and the CA whose clients it admits."""

    certificate: Path
    key: Path
    client_ca: Path


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """All that differs between the two brokers and between installations."""

    name: str
    nats_port: int
    """Ours alone: bound to the loopback address."""
    mqtt_bind: str
    mqtt_port: int
    store: Path
    log_file: Path
    sync_interval_s: int
    store_max_bytes: int
    issuer: str
    """Public nkey that signs the authorizer's answers."""
    passwords: dict[User, str] = field(repr=False)
    tls: TlsFiles | None = None
    """None: a listener without TLS, for sealed traffic only."""


def broker_configuration(facts: BrokerFacts) -> str:
    """Return the file. Strings are quoted as JSON, which this format reads alike."""
    return f"""\
# Written by Doorstep at every start: changes here are lost.
server_name: {_text(f"doorstep-{facts.name}")}
listen: {_text(f"127.0.0.1:{facts.nats_port}")}
log_file: {_text(facts.log_file)}
logfile_size_limit: {_LOG_BYTES}
logfile_max_num: {_LOG_FILES}
max_payload: {MAX_PAYLOAD}
max_control_line: {_MAX_CONTROL_LINE}
# Fetched in order and acknowledged in batches, so much may be on its way to ingest at once.
max_pending: 67108864
jetstream {{
  store_dir: {_text(facts.store)}
  max_memory_store: 67108864
  max_file_store: {facts.store_max_bytes}
  sync_interval: "{facts.sync_interval_s}s"
  # The broker's own default of 1,000 would refuse the 1,001st device that subscribes with QoS 1.
  limits {{ default_max_consumers: 100000 }}
}}
mqtt {{
  listen: {_text(f"{facts.mqtt_bind}:{facts.mqtt_port}")}
{_tls(facts.tls)}}}
accounts {{
  {DEVICES_ACCOUNT} {{
    jetstream: enabled
    mappings: {{ "d.*.up.*": "u.{{{{partition({PARTITIONS},1)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}" }}
    users: [{_users(facts)}]
  }}
  AUTH {{ users: [{{{_user(facts, User.AUTH)}}}] }}
  SYS {{ users: [{{{_user(facts, User.SYS)}}}] }}
}}
system_account: SYS
authorization {{
  timeout: {_AUTH_TIMEOUT_S}
  auth_callout {{ issuer: {facts.issuer}, account: AUTH, auth_users: [{", ".join(_known_users(facts))}] }}
}}
"""


def _tls(files: TlsFiles | None) -> str:
    if files is None:
        return ""
    return f"""\
  tls {{
    cert_file: {_text(files.certificate)}
    key_file: {_text(files.key)}
    ca_file: {_text(files.client_ca)}
    verify: true
    timeout: {_TLS_TIMEOUT_S}
  }}
"""


def _users(facts: BrokerFacts) -> str:
    ingest = f"{{{_user(facts, User.INGEST)}}}"
    return ingest if facts.tls is None else f"{ingest}, {{{_user(facts, User.BRIDGE)}, {_BRIDGE_MAY}}}"


def _known_users(facts: BrokerFacts) -> list[User]:
    """Return whom the authorizer is not asked about; a password of a bridge never travels without TLS."""
    return [user for user in User if user is not User.BRIDGE or facts.tls is not None]


def _user(facts: BrokerFacts, user: User) -> str:
    return f"user: {user}, password: {_text(facts.passwords[user])}"


def _text(value: object) -> str:
    return json.dumps(str(value))
