"""Which doors for HTTP a product opens: the one for apps, or the page with it, and the one under TLS."""

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Final

from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.dns import CaptiveDns
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.https import HttpsServer, tls_context
from doorstep.device.setup.secret import setup_secret
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["http_doors"]

MICRO_AP: Final = "micro-ap"
PIN: Final = "pin"
HTTPS: Final = "https-pinned"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - not a board's own address


def http_doors(
    made: Provisioning, store: Store, host: str, port: int, rng: Callable[[int], bytes]
) -> tuple[DoorMaker, ...]:
    """Return the makers of a product's doors for HTTP, by the methods in its provisioning file.

    ``host`` is the board's address on its own access point, where the name server answers too. On ``0.0.0.0``
    the server stands in every network of the board: there nothing leads phones to a page, and no page stands
    on the access point's key.
    """
    profile = DeviceProfile(made.device_id, setup_secret(made))
    facts = _facts(made, host)
    if facts is None:
        doors: list[DoorMaker] = [
            lambda joiner: SoftApServer(profile, joiner, host=host, port=port, rng=rng),
        ]
    else:
        doors = [lambda joiner: CaptiveServer(profile, joiner, facts, host=host, port=port, rng=rng)]
        if host != EVERYWHERE:
            doors.append(lambda _joiner: CaptiveDns(IPv4Address(host)))
    if HTTPS in made.onboarding:
        page = PageFacts(made.setup.service_name, Air.TLS, made.servers.device_api)
        tls = tls_context(store.idevid_server(), idevid=True)
        doors.append(lambda joiner: HttpsServer(profile, joiner, page, tls, host=host, rng=rng))
    return tuple(doors)


def _facts(made: Provisioning, host: str) -> PageFacts | None:
    """Return what the page knows; None for a product without one."""
    name, server, username = made.setup.service_name, made.servers.device_api, made.setup.username
    if MICRO_AP in made.onboarding and made.setup.access_key and host != EVERYWHERE:
        return PageFacts(name, Air.KEY, server, username)
    if PIN in made.onboarding:
        return PageFacts(name, Air.CODE, server, username)
    return None
