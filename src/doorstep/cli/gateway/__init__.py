"""``doorstep gateway``: run one beside its children, and say on the platform which those are."""

from doorstep.cli.gateway import children
from doorstep.cli.gateway.group import gateway
from doorstep.cli.gateway.run import run

__all__ = ["children", "gateway", "run"]
