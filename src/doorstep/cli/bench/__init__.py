"""``doorstep bench``: whole-path figures of this machine. One file a bench, registered here."""

import click

from doorstep.cli.bench.factory import factory
from doorstep.cli.bench.ingest import ingest
from doorstep.cli.bench.onboarding import onboarding
from doorstep.cli.bench.overhead import overhead
from doorstep.cli.bench.registration import registration
from doorstep.cli.bench.revocation import revocation

__all__ = ["bench"]


@click.group()
def bench() -> None:
    """Measure this machine, each path against the same path without what it is about."""


bench.add_command(ingest)
bench.add_command(factory)
bench.add_command(registration)
bench.add_command(onboarding)
bench.add_command(overhead)
bench.add_command(revocation)
