"""What a device says of its set-up to whoever asks beside sessions; nothing of it is authenticated."""

import json
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.identity.ids import check_device_id
from doorstep.wire import jsontext
from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["STATUS_CAP", "DeviceStatus", "parse_status"]

STATUS_CAP: Final = 512
"""Bytes of a status."""

_STAGES: Final = {stage.name.lower().replace("_", "-"): stage for stage in DeviceStage}
_NAMES: Final = {stage: name for name, stage in _STAGES.items()}


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """``pairing`` while the presence window is open, ``locked`` while a release is needed first."""

    device: str
    stage: DeviceStage
    pairing: bool
    locked: bool

    def encode(self) -> bytes:
        """Return the JSON that a device answers."""
        return json.dumps(
            {
                "device": self.device,
                "stage": _NAMES[self.stage],
                "pairing": self.pairing,
                "locked": self.locked,
            },
            separators=(",", ":"),
        ).encode()


def parse_status(data: bytes) -> DeviceStatus:
    """Read a status; a stage that is unknown here counts as trying. Raises MalformedMessage."""
    if len(data) > STATUS_CAP:
        raise MalformedMessage(f"a device's status has at most {STATUS_CAP} bytes")
    match jsontext.decode(data, object):
        case {"device": str(device), "stage": str(stage), "pairing": bool(pairing), "locked": bool(locked)}:
            at = _STAGES.get(stage, DeviceStage.TRYING)
            return DeviceStatus(check_device_id(device), at, pairing, locked)
        case _:
            raise MalformedMessage("this is not a device's status")
