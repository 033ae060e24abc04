"""The Easy Connect doors of a product: over TCP, and over the air where wpa_supplicant has the radio."""

from pathlib import Path

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.dpp import DppDoor
from doorstep.device.setup.dpp_air import DppAirDoor
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.dpp.label_key import label_key

__all__ = ["METHOD", "easy_connect_doors"]

METHOD = "dpp"


def easy_connect_doors(made: Provisioning, control: Path | None = None) -> tuple[DoorMaker, ...]:
    """Return the doors of this device, none where its product has not the method.

    ``control`` is wpa_supplicant's socket, for a board whose radio is not an access point meanwhile.
    """
    if METHOD not in made.onboarding:
        return ()
    key = label_key(PrivateKey.from_pkcs8(made.private_key.encode()))

    doors: list[DoorMaker] = [lambda joiner: DppDoor(key, made.serial, joiner)]
    if control is not None:
        socket = control
        doors.append(lambda joiner: DppAirDoor(socket, key, joiner))
    return tuple(doors)
