"""The captive portal API (RFC 8908) and where DHCP says that it is (RFC 8910 §2, option 114)."""

import json
from typing import Final

__all__ = ["API_PATH", "API_TYPE", "CAPTIVE_OPTION", "captive_api_url", "portal_state"]

API_PATH: Final = "/captive-portal/api"
API_TYPE: Final = "application/captive+json"
CAPTIVE_OPTION: Final = 114
"""DHCPv4 option number of the address below."""


def captive_api_url(authority: str) -> str:
    """Return the value of option 114; ``authority`` is the board's address, as in a Host header.

    The API exists over TLS alone (RFC 8908 §4), so give it out where the board's HTTPS server runs. A phone
    that does not trust the certificate drops it and goes by its probes.
    """
    return f"https://{authority}{API_PATH}"


def portal_state(page: str) -> bytes:
    """Return the API's document: captive until the set-up is over, and ``page`` is where it happens."""
    return json.dumps({"captive": True, "user-portal-url": page}).encode()
