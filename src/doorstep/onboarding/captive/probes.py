"""How phones and computers find out that a network shows a page first: the addresses they try.

Each system fetches a known address over plain HTTP. What it expects means "the internet is there"; the board
answers with a redirect to its page, which every system takes for "show the page". It never gives the expected
answer, because the internet is not there.

Sources: the captive-portal behaviour database of the Wireless Broadband Alliance
(captivebehavior.wballiance.com); Android's NetworkMonitor and Chromium's captive portal detector (their
default addresses); Microsoft's NCSI documentation; Mozilla's `captivedetect.canonicalURL`; NetworkManager's
`connectivity.uri` as Debian, Fedora, Ubuntu, Arch and GNOME set it; the Kindle's stub page.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["PROBES", "Probe", "is_probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One system's address, and what it takes for the free internet."""

    system: str
    host: str
    path: str
    status: int
    body: bytes = b""
    """The start of the expected body; empty where any will do."""


_APPLE: Final = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD>"

PROBES: Final = (
    Probe("Apple", "captive.apple.com", "/hotspot-detect.html", 200, _APPLE),
    Probe("Apple, older", "www.apple.com", "/library/test/success.html", 200, _APPLE),
    Probe("Android, ChromeOS", "connectivitycheck.gstatic.com", "/generate_204", 204),
    Probe("Android, fallback", "www.google.com", "/gen_204", 204),
    Probe("Android, second fallback", "play.googleapis.com", "/generate_204", 204),
    Probe("Android 4 and 5", "clients3.google.com", "/generate_204", 204),
    Probe("Android in China", "connectivitycheck.cbg-app.huawei.com", "/generate_204", 204),
    Probe("Android by Xiaomi", "connect.rom.miui.com", "/generate_204", 204),
    Probe("Windows 10 and 11", "www.msftconnecttest.com", "/connecttest.txt", 200, b"Microsoft Connect Test"),
    Probe("Windows 8 and older", "www.msftncsi.com", "/ncsi.txt", 200, b"Microsoft NCSI"),
    Probe("Firefox", "detectportal.firefox.com", "/success.txt", 200, b"success"),
    Probe("Firefox, newer", "detectportal.firefox.com", "/canonical.html", 200, b"<meta"),
    Probe("Kindle", "spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", 200, b"81ce4465"),
    Probe("GNOME", "nmcheck.gnome.org", "/check_network_status.txt", 200, b"NetworkManager is online"),
    Probe("Debian", "network-test.debian.org", "/nm", 200, b"NetworkManager is online"),
    Probe("Fedora", "fedoraproject.org", "/static/hotspot.txt", 200, b"OK"),
    Probe("Ubuntu", "connectivity-check.ubuntu.com", "/", 204),
    Probe("Arch Linux", "ping.archlinux.org", "/nm-check.txt", 200, b"NetworkManager is online"),
    Probe("KDE", "networkcheck.kde.org", "/", 200, b"OK"),
)

_PATHS: Final = frozenset(probe.path for probe in PROBES) - {"/"}


def is_probe(path: str) -> bool:
    """Tell whether a path is one that systems try, whatever host they give."""
    return path in _PATHS
