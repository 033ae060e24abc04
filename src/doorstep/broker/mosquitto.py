"""What an operator's own Mosquitto needs to take the devices' messages and bridge them to us. Pure texts.

Mosquitto knows devices by the common name of their certificates. The access file names each device that may
work now, so a device that is not in it may do nothing, also while it is connected.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorstep.messaging.envelope import MAX_MESSAGE

__all__ = ["BRIDGE_CLIENT_ID", "MosquittoFacts", "access_file", "crl_pem", "mosquitto_configuration"]

BRIDGE_CLIENT_ID: Final = "doorstep-bridge"
"""No device's: those have eight characters."""

_QUEUED: Final = 100_000
_MAX_PACKET: Final = MAX_MESSAGE + 64
"""A message, its topic and its header."""

_PEM_LINE: Final = 64


@dataclass(frozen=True, slots=True)
class MosquittoFacts:
    """All that differs between installations."""

    folder: Path
    """Where the exported files lie on Mosquitto's machine."""
    port: int
    run_as: str
    upstream: str
    """``host:port`` of our mTLS listener, as Mosquitto reaches it."""
    user: str
    password: str = field(repr=False)


def mosquitto_configuration(facts: MosquittoFacts) -> str:
    """Return mosquitto.conf; holds the bridge's password."""
    folder = facts.folder
    return f"""\
# Written by doorstep broker export: changes here are lost with the next one.
user {facts.run_as}
allow_anonymous false
pid_file {folder}/mosquitto.pid
acl_file {folder}/acl
max_packet_size {_MAX_PACKET}
set_tcp_nodelay true
# Mosquitto acknowledges before it saves: a crash may cost what came since the last save.
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 100
max_queued_messages {_QUEUED}

listener {facts.port}
cafile {folder}/ca.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
crlfile {folder}/devices.crl
require_certificate true
use_identity_as_username true

connection doorstep
address {facts.upstream}
bridge_cafile {folder}/ca.crt
bridge_certfile {folder}/bridge.crt
bridge_keyfile {folder}/bridge.key
remote_clientid {BRIDGE_CLIENT_ID}
remote_username {facts.user}
remote_password {facts.password}
bridge_protocol_version mqttv311
try_private false
notifications false
cleansession false
restart_timeout 1 30
topic d/+/up/+ out 1
topic d/+/down/+ in 0
"""


def access_file(devices: Iterable[str]) -> str:
    """Return the access file: each device its own topics, nobody anything else."""
    lines = ["# Written by doorstep broker export."]
    for device in devices:
        lines += ["", f"user {device}", f"topic write d/{device}/up/+", f"topic read d/{device}/down/+"]
    return "\n".join(lines) + "\n"


def crl_pem(der: bytes) -> bytes:
    """Return a revocation list as OpenSSL's users want it (RFC 7468)."""
    text = base64.b64encode(der)
    lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
    return b"\n".join([b"-----BEGIN X509 CRL-----", *lines, b"-----END X509 CRL-----", b""])
