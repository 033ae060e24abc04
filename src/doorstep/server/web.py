"""The web role: portal and REST API in one server process."""

import warnings
from typing import Final

from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.server.serving import listening, serve, uvicorn_config

__all__ = ["ROLE", "run"]

ROLE: Final = "web"


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raise UnavailableError when the port is taken.

    The process's environment must name the same settings, because Django loads them from there.
    """
    # WhiteNoise's files are read synchronously also below ASGI; they are few and small.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    with listening(settings.bind, settings.portal_port, "DOORSTEP_PORTAL_PORT") as listener:
        config = uvicorn_config("doorstep.server.asgi:application")
        serve(config, listener, Heartbeat(StateFolder.open(settings.state), ROLE), dict)
