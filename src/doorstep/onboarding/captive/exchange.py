"""What goes into the board's page and what comes out of it."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.onboarding.protocomm.credentials import USERNAME
from doorstep.onboarding.protocomm.device import Wish

__all__ = ["HTML", "PLAIN", "Air", "PageAnswer", "PageFacts", "PageRequest"]

HTML: Final = "text/html; charset=utf-8"
PLAIN: Final = "text/plain; charset=utf-8"


class Air(enum.Enum):
    """What stands between the phone and whoever listens."""

    KEY = "key"
    """WPA2 with the key on this device's label: who is here has it."""
    TLS = "tls"
    """This server's certificate; who is here may be anybody, so the form asks for the set-up code."""
    CODE = "code"
    """Nothing: a script proves the code and seals what it sends; without scripts there is no form."""
    NOTHING = "nothing"
    """Nothing at all: whoever listens reads the password. The maker has to want it."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page knows of its board."""

    name: str
    """As on the label."""
    air: Air
    server: str = ""
    """The device API that the form offers."""
    username: str = USERNAME
    """Of the set-up code, for `Air.CODE`."""
    check_code: Callable[[bytes, float], None] | None = None
    """With `Air.TLS`: checks a typed code at a time; raises `WrongCode` or `TooManyGuesses`."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request of a browser; ``here`` is the address that it reached, as in a Host header."""

    method: str
    path: str
    query: str = field(repr=False)
    host: str
    here: str
    peer: str
    origin: str = ""
    languages: str = ""
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    secure: bool = False

    @property
    def root(self) -> str:
        """The origin of our own pages."""
        return f"{'https' if self.secure else 'http'}://{self.here}"


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """The answer, and what the shell is to do beside sending it."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = PLAIN
    headers: tuple[tuple[str, str], ...] = ()
    wishes: tuple[Wish, ...] = ()
