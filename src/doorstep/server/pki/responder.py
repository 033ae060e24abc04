"""OCSP (RFC 6960): good, revoked or unknown, signed by a delegated key that lives in this process alone."""

from datetime import timedelta
from threading import Lock
from typing import Final

from doorstep.crypto.revocation import (
    MalformedOcspRequest,
    OcspFailure,
    OcspQuestion,
    Validity,
    answer_ocsp,
    refuse_ocsp,
)
from doorstep.crypto.x509 import Issuer
from doorstep.runtime.authority import Authority
from doorstep.server.clock import from_us, to_us
from doorstep.server.fleet.models import Credential
from doorstep.server.pki.lists import ended

__all__ = ["ANSWER_VALID", "Responder"]

ANSWER_VALID: Final = timedelta(minutes=5)
"""An answer that somebody keeps is not believed for longer."""
_KEY_LIFETIME: Final = timedelta(days=7)
_RENEW_BEFORE_US: Final = 86_400 * 1_000_000


class Responder:
    """Answers for the operations CA with a key of this process, renewed each six days and never stored."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._issuer: Issuer | None = None
        self._lock = Lock()

    def answer(self, request: bytes, now_us: int) -> bytes:
        """Return the DER answer to a DER request, also to a malformed one."""
        try:
            question = OcspQuestion.from_der(request)
        except MalformedOcspRequest:
            return refuse_ocsp(OcspFailure.MALFORMED)
        if not question.is_about(self._authority.operations.certificate):
            return refuse_ocsp(OcspFailure.UNAUTHORIZED)
        row = Credential.objects.filter(serial=f"{question.serial:x}").first()
        now = from_us(now_us)
        return answer_ocsp(
            question,
            None if row is None else ended(row),
            self._delegated(now_us),
            Validity(now, now + ANSWER_VALID),
            known=row is not None,
        )

    def _delegated(self, now_us: int) -> Issuer:
        with self._lock:
            if self._issuer is None or to_us(self._issuer.certificate.not_after) < now_us + _RENEW_BEFORE_US:
                self._issuer = self._authority.delegate_ocsp(now=from_us(now_us), lifetime=_KEY_LIFETIME)
            return self._issuer
