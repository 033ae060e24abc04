"""``doorstep bench``: whole-path figures of this machine. One file a bench, registered here."""

import click

from doorstep.cli.lazy import Later, LazyGroup

__all__ = ["bench"]


@click.group(
    cls=LazyGroup,
    later={
        "ingest": Later(
            "doorstep.cli.bench.ingest:ingest",
            "Devices over mTLS, broker, authorizer, worker and database: how many messages a second get "
            "through.",
        ),
        "factory": Later(
            "doorstep.cli.bench.factory:factory",
            "Make a batch in a temporary platform, on all cores, by the same command that a line uses.",
        ),
        "registration": Later(
            "doorstep.cli.bench.registration:registration",
            "Devices register at the real device API over TLS: how many a second, and how long one takes.",
        ),
        "onboarding": Later(
            "doorstep.cli.bench.onboarding:onboarding",
            "Set up simulated boards by security 2 over HTTP: one, then many at once.",
        ),
        "overhead": Later(
            "doorstep.cli.bench.overhead:overhead",
            "Count on the loopback wire what protecting one small reading adds: sealed, mTLS, TLS-PSK, "
            "OSCORE.",
        ),
        "portal": Later(
            "doorstep.cli.bench.portal:portal",
            "How long the server works for each page of the portal, 95 of 100 times at most.",
        ),
        "revocation": Later(
            "doorstep.cli.bench.revocation:revocation",
            "Revoke devices while they flood: how long after the click the last message was accepted.",
        ),
    },
)
def bench() -> None:
    """Measure this machine, each path against the same path without what it is about."""
