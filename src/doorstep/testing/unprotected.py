"""Both roles of security 0, which protects nothing: the only door to it, for the simulator and tests."""

from doorstep.errors import ProtocolViolation
from doorstep.onboarding.protocomm.capabilities import Capabilities
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.protocomm.sec0 import Sec0Device, handshake_as_configurator
from doorstep.onboarding.protocomm.session import Handshake

__all__ = ["UnprotectedConfigurator", "unprotected_session"]


def unprotected_session() -> Sec0Device:
    """Return the session of a device that whoever comes may set up, and everybody in reach may watch."""
    return Sec0Device()


class UnprotectedConfigurator(Configurator):
    """Sets up devices of security 0 and no others; its label's code is not used."""

    def _choose(self, offered: Capabilities) -> None:
        if offered.sec_ver != Sec0Device.scheme:
            raise ProtocolViolation("this configurator of the simulator speaks security 0 alone")

    def _handshake(self) -> Handshake:
        return handshake_as_configurator()
