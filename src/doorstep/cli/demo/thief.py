"""The attempt of somebody who photographed a label: they know all that is printed, and hold no key."""

import dataclasses
import os

from doorstep.crypto import p256
from doorstep.device.registration import DeviceApi
from doorstep.errors import RefusedError
from doorstep.identity.provisioning import Provisioning

__all__ = ["try_photographed_label"]


async def try_photographed_label(victim: Provisioning, device_api: str, token: str) -> str | None:
    """Register ``victim`` with a genuine token and a key of the thief's own; return the refusal, if any.

    Of ``victim`` only the device id, which the label shows, and the maker's public root are used.
    """
    key = p256.generate(os.urandom)
    forged = dataclasses.replace(victim, private_key=key.to_pem().decode())
    try:
        await DeviceApi(forged, device_api).register(token, key)
    except RefusedError as error:
        return error.message
    return None
