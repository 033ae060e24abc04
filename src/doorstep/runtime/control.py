"""A word to a role, from programs that have no event loop."""

import json
import socket
from typing import Final

from doorstep.runtime.brokers import CONTROL_SUBJECT, Broker, Link, User, link
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings

__all__ = ["nudge"]

_TIMEOUT_S: Final = 0.5


def nudge(settings: Settings, key_file: KeyFile, subject: str = CONTROL_SUBJECT) -> None:
    """Make a role look for work, by default the authorizer. Never fails: unasked, it looks twice a second."""
    try:
        _publish(link(settings, key_file, Broker.SECURE, User.INGEST), subject)
    except OSError:
        return


def _publish(to: Link, subject: str) -> None:
    options = json.dumps({"verbose": False, "pedantic": False, "user": to.user, "pass": to.password})
    with socket.create_connection((to.host, to.port), timeout=_TIMEOUT_S) as connection:
        lines = connection.makefile("rb")
        lines.readline()  # INFO
        connection.sendall(f"CONNECT {options}\r\nPUB {subject} 0\r\n\r\nPING\r\n".encode())
        while (line := lines.readline()) and not line.startswith((b"PONG", b"-ERR")):
            pass
