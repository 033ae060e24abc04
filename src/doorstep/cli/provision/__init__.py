"""``doorstep provision``: bring devices onto a Wi-Fi network and into their owner's account."""

from doorstep.cli.provision.command import provision

__all__ = ["provision"]
