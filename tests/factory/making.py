"""An authority and a batch request for the tests of this package."""

import datetime as dt
import itertools
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from doorstep.factory.batch import BatchRequest
from doorstep.factory.orders import numbered
from doorstep.identity.provisioning import Servers
from doorstep.runtime.authority import Authority, create_authority

__all__ = ["NOW", "PEPPER", "authority", "request"]

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
PEPPER = b"p" * 32
_numbers = itertools.count(1)


@cache
def authority() -> Authority:
    """The maker's authority, made once."""
    return create_authority(Path(mkdtemp()) / "ca", "Example GmbH", now=NOW)


def request(count: int, product_name: str = "Greenhouse Sensor", *, portal: str = "") -> BatchRequest:
    """A batch of ``count`` numbered devices."""
    return BatchRequest(
        batch_id=f"20261121-t{next(_numbers)}",
        product="greenhouse",
        product_name=product_name,
        devices=numbered("SN-", count).devices,
        servers=Servers("https://localhost:8443", "localhost", 8883, 1883),
        pepper=PEPPER,
        now=NOW,
        portal=portal,
    )
