"""The device's talk with the device API: a nonce, then a statement signed by the factory key.

Asking twice is harmless: the same token and the same staged key give the same answer. TLS trusts the
maker's root from the provisioning file and nothing else.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

import httpx
import msgspec

from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, build_request
from doorstep.device.store import Broker, Endpoint
from doorstep.errors import MalformedMessage, RefusedError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.identity.statement import Purpose, Statement, sign
from doorstep.wire import base64url, jsontext

__all__ = [
    "ANSWER_CAP",
    "TIMEOUT_S",
    "Answer",
    "ClockWrong",
    "DeviceApi",
    "DeviceBlocked",
    "NotOwned",
    "OtherCopyAnswered",
    "PlatformMisbehaved",
    "PlatformUnreachable",
    "Refused",
    "Status",
    "WrongPlatform",
    "trust",
]

ANSWER_CAP: Final = 65_536
"""Bytes of an answer that are read."""

TIMEOUT_S: Final = 15.0

_SHOWN: Final = 300
"""Characters of a peer's text that are repeated."""

_FINAL: Final = frozenset({400, 401, 403, 404, 409, 410, 413, 415, 422})
"""Answers that asking again would not change."""

_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""

Status = Literal["bound", "held", "disputed"]
_T = TypeVar("_T")


class PlatformUnreachable(UnavailableError):
    """The device API did not answer, or could not now."""


class WrongPlatform(PlatformUnreachable):
    """Whoever answered has no certificate under a root that this device trusts."""


class ClockWrong(UnavailableError):
    """The platform's certificate is not valid at the time that this device believes it is."""


class PlatformMisbehaved(MalformedMessage):
    """The device API answered what its specification does not have."""


class Refused(RefusedError):
    """The token or the statement was refused for good."""


class DeviceBlocked(RefusedError):
    """The platform revoked or blocked this device."""


class OtherCopyAnswered(RefusedError):
    """Somebody with this device's identity renewed first; the key in use may be the one that counts."""


class NotOwned(RefusedError):
    """The platform knows the device, and knows nobody whom it belongs to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform decided. Without "bound" there is no certificate."""

    status: Status
    reason: str
    certificate: str = field(repr=False)
    """PEM chain, leaf first; empty unless bound."""
    broker: Broker | None
    first_epoch: int
    """The first epoch that this device may use."""
    time_us: int
    anchors: int = 0
    """Newest version of the trust anchors that the platform has."""
    mix: bytes = field(default=b"", repr=False)
    """Nonce to mix into the root of ``first_epoch``; empty mostly."""


class _Place(msgspec.Struct, frozen=True):
    host: str
    port: int


class _Listeners(msgspec.Struct, frozen=True):
    tls: _Place
    plain: _Place


class _Epoch(msgspec.Struct, frozen=True):
    epoch: int
    mix: str = ""


class _Answered(msgspec.Struct, frozen=True):
    status: Status
    time: float
    reason: str = ""
    certificate: str = ""
    mqtt: _Listeners | None = None
    sealed: _Epoch | None = None
    anchors: int = 0


class _Nonce(msgspec.Struct, frozen=True):
    nonce: str


class _Problem(msgspec.Struct, frozen=True):
    """RFC 9457; the last part of ``type`` says which."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    next_step: str = ""


def trust(roots: Sequence[bytes]) -> ssl.SSLContext:
    """Return a client context that believes these roots alone; DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=b"".join(roots))
    return context


class DeviceApi:
    """Speaks for one device to the device API at ``url``, trusting ``roots`` or else the factory's alone."""

    def __init__(self, made: Provisioning, url: str, roots: Sequence[bytes] = ()) -> None:
        self._made = made
        self._roots = roots or [Certificate.from_pem(made.trust_anchor.encode()).der]
        self._url = url.rstrip("/")
        self._key = PrivateKey.from_pkcs8(made.private_key.encode())

    async def register(self, token: str, key: PrivateKey) -> Answer:
        """Show the token and ask for a certificate of ``key``.

        Raises Refused, DeviceBlocked, PlatformUnreachable, ClockWrong or PlatformMisbehaved.
        """
        return await self._ask("register", Purpose.REGISTER, key, token)

    async def renew(self, key: PrivateKey) -> Answer:
        """Ask for the next certificate; raises as ``register``, and NotOwned."""
        return await self._ask("renew", Purpose.RENEW, key, None)

    async def _ask(self, path: str, purpose: Purpose, key: PrivateKey, token: str | None) -> Answer:
        async with httpx.AsyncClient(verify=trust(self._roots), timeout=TIMEOUT_S, trust_env=False) as http:
            nonce = await self._nonce(http)
            csr = build_request(key, self._made.device_id)
            statement = Statement(purpose, self._made.device_id, nonce, token=token, csr=csr)
            body = await self._post(http, path, sign(statement, self._key.sign), "application/cose")
        return _answer(body)

    async def _nonce(self, http: httpx.AsyncClient) -> bytes:
        body = msgspec.json.encode({"device": self._made.device_id})
        return _unpacked(_decoded(await self._post(http, "nonce", body, "application/json"), _Nonce).nonce)

    async def _post(self, http: httpx.AsyncClient, path: str, body: bytes, kind: str) -> bytes:
        url = f"{self._url}/device/v1/{path}"
        try:
            async with http.stream("POST", url, content=body, headers={"content-type": kind}) as response:
                content = await _capped(response)
        except httpx.HTTPError as error:
            raise _unreachable(self._url, error) from error
        if response.status_code == httpx.codes.OK:
            return content
        raise _refusal(response, content)


async def _capped(response: httpx.Response) -> bytes:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > ANSWER_CAP:
            raise PlatformMisbehaved(f"the device API's answer is longer than {ANSWER_CAP} bytes")
    return content


def _answer(body: bytes) -> Answer:
    made = _decoded(body, _Answered)
    if made.status == "bound" and not (made.certificate and made.mqtt and made.sealed):
        raise PlatformMisbehaved("the device API bound the device but gave no certificate, broker or epoch")
    return Answer(
        status=made.status,
        reason=_shown(made.reason),
        certificate=made.certificate,
        broker=None if made.mqtt is None else Broker(_endpoint(made.mqtt.tls), _endpoint(made.mqtt.plain)),
        first_epoch=0 if made.sealed is None else made.sealed.epoch,
        time_us=round(made.time * 1e6),
        anchors=made.anchors,
        mix=b"" if made.sealed is None else _unpacked(made.sealed.mix),
    )


def _unpacked(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except base64url.NotBase64Url as error:
        raise PlatformMisbehaved("the device API sent a nonce that is not base64url") from error


def _endpoint(place: _Place) -> Endpoint:
    return Endpoint(place.host, place.port)


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return jsontext.decode(body, kind)
    except jsontext.NotJson as error:
        raise PlatformMisbehaved(f"the device API's answer is not what it should be: {error}") from error


def _unreachable(url: str, error: httpx.HTTPError) -> UnavailableError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return PlatformUnreachable(
            f"the device API at {url} does not answer: {_shown(str(error)) or type(error).__name__}"
        )
    if cause.verify_code in (_NOT_YET_VALID, _EXPIRED):
        return ClockWrong(
            f"the certificate of {url} is not valid at the time that this device believes it is",
            next_step="Set this device's clock (NTP). If it is right, the platform needs a new certificate.",
        )
    return WrongPlatform(
        f"{url} is not this maker's platform: {cause.verify_message}",
        next_step="Check the address; if it is right, somebody stands between.",
    )


def _refusal(
    response: httpx.Response, content: bytes
) -> Refused | DeviceBlocked | NotOwned | OtherCopyAnswered | PlatformUnreachable:
    problem = _problem(content)
    said = _shown(problem.detail or problem.title) or f"it answered {response.status_code}"
    if response.status_code not in _FINAL:
        return PlatformUnreachable(f"the platform cannot answer now: {said}", next_step="It is asked again.")
    kind = _KINDS.get(problem.type.rpartition("/")[2], Refused)
    return kind(said, next_step=_shown(problem.next_step))


def _problem(content: bytes) -> _Problem:
    try:
        return jsontext.decode(content, _Problem)
    except jsontext.NotJson:
        return _Problem()


def _shown(text: str) -> str:
    """Cut a peer's text short and take control characters out, fit for a log or a terminal."""
    return "".join(char for char in text[:_SHOWN] if char.isprintable())


_KINDS: Final[Mapping[str, type[Refused | DeviceBlocked | NotOwned | OtherCopyAnswered]]] = {
    "device-blocked": DeviceBlocked,
    "device-not-owned": NotOwned,
    "other-copy-answered": OtherCopyAnswered,
}
"""Problem types that lead somewhere else than to a new set-up."""
