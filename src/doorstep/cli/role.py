"""``doorstep role NAME``: run one role alone, in this process."""

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Final

import click

from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings, load
from doorstep.runtime.state import StateFolder

__all__ = ["BROKERS", "ROLES", "SEVERAL", "role"]

ROLES: Final[Mapping[str, str]] = {
    "authorizer": "doorstep.broker.authorizer:run",
    "ingest": "doorstep.ingest.worker:run",
    "downlink": "doorstep.downlink.worker:run",
    "device-api": "doorstep.server.device_api.app:run",
    "web": "doorstep.server.web:run",
    "jobs": "doorstep.server.jobs.worker:run",
}
"""Python roles in start order and where each lives; imported only when it runs."""

SEVERAL: Final = frozenset({"device-api"})
"""Roles of which several processes may run beside each other."""

BROKERS: Final = ("nats-secure", "nats-plain")
"""Roles that are a program of their own; they start before the others."""


@click.command(hidden=True)
@click.argument("name", type=click.Choice([*BROKERS, *ROLES]))
@click.option("--number", type=click.IntRange(1), default=1, help="Which of the role's processes.")
def role(name: str, number: int) -> None:
    """Run one role alone until it is told to stop; `doorstep up` runs them all."""
    settings = load(os.environ)
    if name in BROKERS:
        _become_broker(name, settings)
    module, attribute = ROLES[name].split(":")
    run: Callable[..., None] = getattr(importlib.import_module(module), attribute)
    if number == 1:
        run(settings)
    elif name in SEVERAL:
        run(settings, number)
    else:
        raise click.UsageError(f"{name} is one process.")


def _become_broker(name: str, settings: Settings) -> None:
    processes = importlib.import_module("doorstep.broker.processes")
    state = StateFolder.open(settings.state)
    brokers = processes.prepare(settings, state, KeyFile.open(state.key_file))
    argv = next((broker.argv for broker in brokers if broker.role == name), None)
    if argv is None:
        raise click.UsageError(f"{name} runs elsewhere: the settings name a URL for it.")
    os.execv(argv[0], argv)  # noqa: S606 - its own command line, no shell
