"""The platform's signed word: COSE_Sign1 by the Operations CA, whose certificate travels along (RFC 9360).

A device that trusts the maker's root needs no TLS to believe it, and no clock: the word says when it was
issued, and the certificate must have been valid then.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from doorstep.crypto.x509 import Certificate, CertificateRefused, Issuer, Purpose
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.identity import cose_sign1
from doorstep.wire import cbor

__all__ = ["LAST_SECOND", "SignedWord", "WrongSigner", "read", "sign", "verify"]

LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""

_X5CHAIN: Final = 33


class WrongSigner(VerificationFailed):
    """The signer is not the maker's platform."""


SignedWord = tuple[cose_sign1.Signed, Certificate]
"""What was read, and the certificate that came with it; neither is believed yet."""


def sign(fields: Mapping[str, cbor.Value], context: bytes, operations: Issuer) -> bytes:
    """Return the signed bytes."""
    header: dict[int, cbor.Value] = {_X5CHAIN: operations.certificate.der}
    return cose_sign1.sign(cbor.encode(dict(fields)), context, operations.key.sign, header)


def read(data: bytes, *, max_bytes: int) -> SignedWord:
    """Take a word apart; raise MalformedMessage. Nothing is verified yet."""
    signed = cose_sign1.read(data, max_bytes=max_bytes)
    match signed.unprotected:
        case {33: bytes(der), **rest} if not rest:
            return signed, Certificate(der)
        case _:
            raise MalformedMessage(
                "the platform's word carries the certificate of its signer and nothing else"
            )


def verify(word: SignedWord, roots: Sequence[Certificate], context: bytes, *, issued: int) -> None:
    """Check certificate, then signature; ``issued`` is the second in which the word says it was made.

    Raises WrongSigner, CertificateRefused or SignatureRefused.
    """
    signed, signer = word
    _check_chain(signer, roots, datetime.fromtimestamp(issued, UTC))
    if not signer.is_ca or Purpose.SERVER_AUTH not in signer.purposes:
        raise WrongSigner("this is signed by somebody whom the maker trusts, but not by its platform")
    signed.verify(signer.public_key, context)


def _check_chain(signer: Certificate, roots: Sequence[Certificate], at: datetime) -> None:
    refused: CertificateRefused = CertificateRefused("there is no root to trust")
    for root in roots:
        try:
            signer.verify(root, now=at)
        except CertificateRefused as error:
            refused = error
        else:
            return
    raise refused
