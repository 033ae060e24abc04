"""``doorstep device``: run this board's agent, show how it stands, make it forget its network."""

import click

from doorstep.cli.lazy import Later, LazyGroup

__all__ = ["device"]


@click.group(
    cls=LazyGroup,
    later={
        "run": Later(
            "doorstep.cli.device.run:run", "Live this device's life in the foreground, until interrupted."
        ),
        "show": Later(
            "doorstep.cli.device.looking:show", "Show identity, epoch, certificate and the next step."
        ),
        "forget-network": Later(
            "doorstep.cli.device.looking:forget_network",
            "Forget the Wi-Fi, so that the next start waits for a new set-up.",
        ),
        "seal": Later(
            "doorstep.cli.device.sealing:seal",
            "Seal CONTENT as this device and write the message to standard output, for another MQTT program.",
        ),
    },
)
def device() -> None:
    """Run the agent of this board and look at it."""
