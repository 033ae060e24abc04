"""``doorstep device``: run this board's agent, show how it stands, make it forget its network."""

from doorstep.cli.device import looking, run, sealing
from doorstep.cli.device.group import device

__all__ = ["device", "looking", "run", "sealing"]
