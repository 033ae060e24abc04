"""The board's HTTPS server: the page and the endpoints under a certificate that the label or the maker knows.

Two certificates can stand there. The board's own, signed by itself at its first boot, is known by a
fingerprint that the line reads out and prints. The IDevID is known to the factory, which prints its
fingerprint, and to whoever has the factory CA. It is shown with TLS 1.3 alone, whose signatures say that they
are a server's, so that the factory key signs nothing here that could pass for a statement.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from doorstep.crypto.x509 import load_chain
from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import SettingsError
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.pin.secret import CodeJudge
from doorstep.onboarding.protocomm.credentials import Sec2Verifier
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["HTTPS_PORT", "HttpsServer", "shown_fingerprint", "tls_context"]

HTTPS_PORT: Final = 443


class HttpsServer(CaptiveServer):
    """A `Door` under TLS; a person on its page types the set-up code, as an app proves it."""

    def __init__(  # noqa: PLR0913 - a door's parts, one each
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        facts: PageFacts,
        tls: ssl.SSLContext,
        *,
        host: str,
        port: int = HTTPS_PORT,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``port`` 0 takes a free one; ``rng`` returns that many unpredictable bytes."""
        if not isinstance(profile.secret, Sec2Verifier):
            raise SettingsError("The HTTPS set-up needs a device with a verifier for security 2.")
        judge = CodeJudge(profile.secret, joiner.guesses)
        facts = replace(facts, air=Air.TLS, check_code=judge.check)
        super().__init__(profile, joiner, facts, host=host, port=port, tls=tls, rng=rng)


def tls_context(file: Path, *, idevid: bool = False) -> ssl.SSLContext:
    """Return the server's context for a key and its chain; ``idevid`` is that of `Store.idevid_server`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if idevid else ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file)
    return context


def shown_fingerprint(file: Path) -> str:
    """Return what belongs on the label: the SHA-256 of the server's certificate, in hexadecimal."""
    return load_chain(file.read_bytes())[0].fingerprint
