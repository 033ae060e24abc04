"""The configurator's link over HTTPS: it knows the device's certificate before it says a word.

The judgement stands inside the TLS handshake: no library above it can send anything to the wrong device,
because for it the connection never came to be.
"""

import ssl
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from doorstep.crypto.x509 import Certificate
from doorstep.errors import DoorstepError, SettingsError, VerificationFailed
from doorstep.identity.certificates import verify_idevid
from doorstep.onboarding.failures import DowngradeRefused
from doorstep.onboarding.label import SetupLabel
from doorstep.provisioner.http import HttpLink

__all__ = [
    "HttpsLink",
    "Judge",
    "WrongCertificate",
    "judging_context",
    "makers_device",
    "open_link",
    "pinned",
]

HTTP_DEVICE: Final = "http://192.168.4.1"
HTTPS_DEVICE: Final = "https://192.168.4.1"

Judge = Callable[[bytes], None]
"""Looks at the DER bytes of the server's certificate; raises `WrongCertificate`."""


class WrongCertificate(VerificationFailed):
    """What answers is not the device of the label; nothing was sent to it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"What answers is not this device: {why}. Nothing was sent.",
            next_step="Check that the label is this device's and that you are on its Wi-Fi. If both are "
            "right, somebody is imitating the device: do not go on, and tell the maker.",
        )


def pinned(fingerprint: str) -> Judge:
    """Judge by the label: the SHA-256 of the certificate, in lower-case hexadecimal."""

    def judge(certificate: bytes) -> None:
        if not compare_digest(sha256(certificate).hexdigest(), fingerprint):
            raise WrongCertificate("its certificate has another fingerprint than the label")

    return judge


def makers_device(factory: Certificate, device_id: str, clock: Callable[[], datetime]) -> Judge:
    """Judge by the maker: an IDevID that the factory CA issued to this very device; ``clock`` is in UTC."""

    def judge(certificate: bytes) -> None:
        try:
            shown = verify_idevid(Certificate(certificate), factory, now=clock())
        except DoorstepError as error:
            raise WrongCertificate("the maker did not issue its certificate") from error
        if not compare_digest(shown, device_id):
            raise WrongCertificate("its certificate is another device's")

    return judge


class HttpsLink(HttpLink):
    """One keep-alive connection to the one device whose certificate passes."""

    def __init__(self, url: str, judge: Judge) -> None:
        """``url`` is the device's address, as ``https://192.168.4.1``; raises `DowngradeRefused` on http."""
        if urlsplit(url).scheme != "https":
            raise DowngradeRefused("an HTTPS server", "plain HTTP")
        super().__init__(url, tls=judging_context(judge))


def open_link(label: SetupLabel, url: str = "", *, judge: Judge | None = None) -> HttpLink:
    """Return the link that a label demands: HTTPS where it has a fingerprint or ``judge`` is given.

    ``url`` may be left out for a device on its own access point. Raises `DowngradeRefused` where it asks for
    plain HTTP all the same, `SettingsError` where nothing says which certificate is right.
    """
    if judge is None and label.fingerprint:
        judge = pinned(label.fingerprint)
    if judge is not None:
        return HttpsLink(url or HTTPS_DEVICE, judge)
    if urlsplit(url).scheme == "https":
        raise SettingsError(
            "Nothing says which certificate this device has: its label carries no fingerprint.",
            next_step="Use the label's QR text with 'fingerprint' in it, or the device's http:// address.",
        )
    return HttpLink(url or HTTP_DEVICE)


class _JudgedObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        super().do_handshake()
        _judge(self.context, self.getpeercert(binary_form=True))


class _JudgedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's signature
        super().do_handshake(block)
        try:
            _judge(self.context, self.getpeercert(binary_form=True))
        except WrongCertificate:
            self.close()
            raise


class _JudgingContext(ssl.SSLContext):
    """A client's context without authorities or names: the judge alone decides."""

    sslobject_class = _JudgedObject
    sslsocket_class = _JudgedSocket
    judge: Judge


def judging_context(judge: Judge) -> ssl.SSLContext:
    """Return a client's context for any TLS library: a handshake that the judge refuses raises his error."""
    context = _JudgingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.judge = judge
    return context


def _judge(context: ssl.SSLContext, certificate: bytes | None) -> None:
    if not isinstance(context, _JudgingContext) or certificate is None:
        raise WrongCertificate("it showed no certificate")
    context.judge(certificate)
