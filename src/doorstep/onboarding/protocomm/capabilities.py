"""The ``proto-ver`` document: what a device says of itself before anything is proven.

Nobody signed it: `doorstep.onboarding.protocomm.schemes` decides what it may change.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorstep.errors import MalformedMessage

__all__ = ["OWN_LABEL", "AppCapabilities", "Capabilities", "parse_capabilities"]

OWN_LABEL = "doorstep"
MAX_DOCUMENT = 4096
MAX_ITEMS = 32


@dataclass(frozen=True, slots=True)
class AppCapabilities:
    """What an application beside local provisioning offers under its own label."""

    version: str
    caps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The document; ``sec_ver`` is `None` where the firmware is too old to say."""

    version: str
    sec_ver: int | None
    sec_patch_ver: int = 0
    caps: tuple[str, ...] = ()
    apps: Mapping[str, AppCapabilities] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the JSON that a device answers."""
        prov: dict[str, Any] = {"ver": self.version, "sec_ver": self.sec_ver}
        prov |= {"sec_patch_ver": self.sec_patch_ver, "cap": list(self.caps)}
        apps = {label: {"ver": app.version, "cap": list(app.caps)} for label, app in self.apps.items()}
        return json.dumps({"prov": prov} | apps, separators=(",", ":")).encode()


def parse_capabilities(data: bytes) -> Capabilities:
    """Read a document, or the plain version text of very old firmware."""
    if len(data) > MAX_DOCUMENT:
        raise MalformedMessage(f"the device's description has {len(data)} bytes, more than {MAX_DOCUMENT}")
    try:
        document = json.loads(data)
    except RecursionError:
        raise MalformedMessage("the device's description nests too deeply") from None
    except ValueError:
        return Capabilities(version=data[:16].decode("ascii", "replace"), sec_ver=None)
    if not isinstance(document, dict) or not isinstance(document.get("prov"), dict):
        raise MalformedMessage("the device's description has no 'prov' part")
    prov = document.pop("prov")
    sec_ver, patch = prov.get("sec_ver"), prov.get("sec_patch_ver", 0)
    if type(patch) is not int or not (sec_ver is None or type(sec_ver) is int):
        raise MalformedMessage("the device's description numbers its security with something else")
    apps = {
        label: _app(value) for label, value in list(document.items())[:MAX_ITEMS] if isinstance(value, dict)
    }
    main = _app(prov)
    return Capabilities(main.version, sec_ver, patch, main.caps, apps)


def _app(value: Mapping[str, Any]) -> AppCapabilities:
    version, caps = value.get("ver"), value.get("cap")
    if not isinstance(caps, list):
        caps = []
    texts = tuple(cap for cap in caps[:MAX_ITEMS] if isinstance(cap, str))
    return AppCapabilities(version if isinstance(version, str) else "", texts)
