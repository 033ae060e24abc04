"""Where webhooks may go: to public addresses by HTTPS, unless the operator allows their own network.

The name is resolved once for each attempt, every address of it is checked, and the connection goes to the
address that was checked: a name that changes its mind in between (DNS rebinding) gains nothing. Redirects
are answers like any other and are not followed.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from doorstep.errors import MisuseError, RefusedError

__all__ = ["ANSWER_CAP", "BadAddress", "Target", "TargetRefused"]

URL_CAP: Final = 500
ANSWER_CAP: Final = 1024
"""Bytes of an answer that are read."""
_TIMEOUT_S: Final = 15.0
"""Without a byte."""
_WHOLE_S: Final = 30.0
"""For one attempt from its connection on."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadAddress(MisuseError):
    """A webhook's address can't be one."""


class TargetRefused(RefusedError):
    """A name leads to where webhooks must not go."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address."""

    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, *, private: bool) -> Self:
        """Read an address; ``private`` allows plain HTTP, too. Raises BadAddress."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _bad("is no address") from error
        host = parts.hostname or ""
        if len(url) > URL_CAP or not url.isascii() or not url.isprintable() or " " in url:
            raise _bad(f"has up to {URL_CAP} printable ASCII characters without a space")
        if parts.scheme not in ({"https", "http"} if private else {"https"}):
            raise _bad("begins with https://")
        if not host or parts.username is not None or parts.fragment or port == 0:
            raise _bad("names a host, and neither a user nor a fragment")
        tls = parts.scheme == "https"
        return cls(tls, host, port or (443 if tls else 80), _path(parts))

    def post(self, body: bytes, headers: dict[str, str], *, private: bool) -> int:
        """Post once and return the status; raises TargetRefused, OSError or HTTPException."""
        connection = _Pinned(self, _checked(self, private=private))
        watch = threading.Timer(_WHOLE_S, connection.cut)
        watch.start()
        try:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            answer.read(ANSWER_CAP)
            return answer.status
        finally:
            watch.cancel()
            connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, under the name that was asked for."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=_TIMEOUT_S)
        self.default_port = 443 if target.tls else 80
        self._target = target
        self._address = address

    def connect(self) -> None:
        """Connect there, with TLS for the name."""
        self.sock = socket.create_connection((self._address, self._target.port), _TIMEOUT_S)
        if self._target.tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)

    def cut(self) -> None:
        """End it from another thread: whoever answers a byte at a time must not hold ours."""
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _checked(target: Target, *, private: bool) -> str:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not private:
        for one in addresses:
            if not _is_public(ipaddress.ip_address(one.partition("%")[0])):
                raise TargetRefused(
                    f"{target.host} leads to {one}, which is not a public address",
                    next_step="Use a public address, or ask the operator about webhooks_private.",
                )
    return addresses[0]


def _is_public(address: _Address) -> bool:
    """Whether an address, and what it may embed, is everybody's."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in _NAT64 or address.sixtofour is not None or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _bad(what: str) -> BadAddress:
    return BadAddress(f"a webhook's address {what}", next_step="Give the address of your program.")
