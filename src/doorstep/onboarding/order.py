"""The registration order: what a device needs to make itself its owner's."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from doorstep.errors import SettingsError
from doorstep.wire.provisioning.delivery import MAX_ALIAS, MAX_SERVER, MAX_TOKEN

__all__ = ["RegistrationOrder"]


@dataclass(frozen=True, slots=True)
class RegistrationOrder:
    """A single-use token, the server to register at, and the owner's name for the device (may be empty)."""

    token: bytes = field(repr=False)
    server: str
    alias: str = ""

    def __post_init__(self) -> None:
        """Check the sizes and that the server is an address of the web."""
        if not 1 <= len(self.token) <= MAX_TOKEN:
            raise SettingsError(
                f"A registration token has 1 to {MAX_TOKEN} bytes.",
                next_step="Copy it whole from the portal.",
            )
        if len(self.server.encode()) > MAX_SERVER or not _is_web_address(self.server):
            raise SettingsError(
                "The server's address is not of the form https://name.", next_step="Copy it from the portal."
            )
        if len(self.alias.encode()) > MAX_ALIAS or not self.alias.isprintable():
            raise SettingsError(
                f"The device's name is longer than {MAX_ALIAS} bytes or has characters without a shape.",
                next_step="Choose a shorter name.",
            )


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
