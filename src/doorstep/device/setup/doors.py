"""Which doors for HTTP a product opens: the one for apps, or the page with it, and the one under TLS."""

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Final

from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.dns import CaptiveDns
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.https import HttpsServer, tls_context
from doorstep.device.setup.secret import setup_secret
from doorstep.device.setup.service import SetupAddress
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["http_doors"]

MICRO_AP: Final = "micro-ap"
OPEN_PAGE: Final = "micro-ap-open"
PIN: Final = "pin"
HTTPS: Final = "https-pinned"


def http_doors(
    made: Provisioning, store: Store, address: SetupAddress, rng: Callable[[int], bytes]
) -> tuple[DoorMaker, ...]:
    """Return the makers of a product's doors for HTTP, by the methods in its provisioning file.

    A page stands on the board's own access point alone, with the name server that leads phones to it.
    """
    profile = DeviceProfile(made.device_id, setup_secret(made))
    facts, own = _facts(made, address), address.point
    doors: list[DoorMaker] = []
    if facts is not None:
        doors.append(
            lambda joiner: CaptiveServer(profile, joiner, facts, host=own, port=address.port, rng=rng)
        )
        doors.append(lambda _joiner: CaptiveDns(IPv4Address(own)))
    else:
        doors.append(
            lambda joiner: SoftApServer(profile, joiner, host=address.host, port=address.port, rng=rng)
        )
    if HTTPS in made.onboarding:
        page = PageFacts(made.setup.service_name, Air.TLS, made.servers.device_api)
        tls = tls_context(store.idevid_server(), idevid=True)
        doors.append(
            lambda joiner: HttpsServer(profile, joiner, page, tls, host=own or address.host, rng=rng)
        )
    return tuple(doors)


def _facts(made: Provisioning, address: SetupAddress) -> PageFacts | None:
    """Return what the page knows; None for a product without one, or without a safe place for it.

    The forms that need no script stand on the access point's key: on an open one there are none, unless
    the maker accepted the risk.
    """
    name, server, username = made.setup.service_name, made.servers.device_api, made.setup.username
    if MICRO_AP in made.onboarding and address.point and address.has_key:
        return PageFacts(name, Air.KEY, server, username)
    if PIN in made.onboarding and address.point:
        return PageFacts(name, Air.CODE, server, username)
    if OPEN_PAGE in made.onboarding and address.point:
        return PageFacts(name, Air.NOTHING, server, username)
    return None
