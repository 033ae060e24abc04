"""Reaches the platform under the roots that this device trusts, and keeps those up to date.

What comes from a server that cannot show a trusted certificate is believed for its signature alone.
"""

import base64
import binascii
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import httpx
import msgspec

from doorstep.device.registration import ANSWER_CAP, TIMEOUT_S, DeviceApi, PlatformMisbehaved, WrongPlatform
from doorstep.device.store import Store
from doorstep.errors import PeerError
from doorstep.identity import anchors, signed_time
from doorstep.identity.provisioning import Provisioning
from doorstep.wire import base64url, jsontext

__all__ = ["Anchoring"]

_log: Final = logging.getLogger(__name__)
_NONCE_LENGTH: Final = 32
_Answer = TypeVar("_Answer")


class _Updates(msgspec.Struct, frozen=True):
    updates: list[str]


class _Time(msgspec.Struct, frozen=True):
    signed: str


class Anchoring:
    """The device API as a device reaches it that may have slept while the maker changed its root."""

    def __init__(self, store: Store, made: Provisioning) -> None:
        self._store = store
        self._made = made

    async def ask(self, url: str, question: Callable[[DeviceApi], Awaitable[_Answer]]) -> _Answer:
        """Ask under the staged roots, then under those before; then look for updates, and ask once more.

        Raises what ``question`` raises.
        """
        try:
            return await self._ask(url, question)
        except WrongPlatform:
            if not await self._update(url):
                raise
        return await self._ask(url, question)

    async def catch_up(self, url: str, newest: int) -> None:
        """Stage the updates up to version ``newest``, which the platform says it has."""
        known = self._store.anchors()
        if newest > (known.version if known.staged is None else known.staged.version):
            await self._update(url)

    async def signed_time(self, url: str, rng: Callable[[int], bytes], *, at_least: int) -> int:
        """Return the platform's second, which needs no clock and no TLS to believe.

        Raises PlatformMisbehaved, or what `doorstep.identity.signed_time.verify` raises.
        """
        nonce = rng(_NONCE_LENGTH)
        text = base64url.encode(nonce)
        word = _decoded((await _fetch(url, f"time?nonce={text}", _Time)).signed)
        roots = self._store.anchors().all()
        return signed_time.verify(word, roots, nonce, at_least=at_least)

    async def _ask(self, url: str, question: Callable[[DeviceApi], Awaitable[_Answer]]) -> _Answer:
        known = self._store.anchors()
        *staged, trusted = known.attempts
        for roots in staged:
            try:
                answer = await question(DeviceApi(self._made, url, roots))
            except WrongPlatform:
                continue  # the platform has not changed over
            self._store.keep_anchors(known.proven())
            return answer
        return await question(DeviceApi(self._made, url, trusted))

    async def _update(self, url: str) -> bool:
        """Stage the updates that this server has, whoever it is; say whether there was one."""
        known = self._store.anchors()
        version = known.version if known.staged is None else known.staged.version
        try:
            found = (await _fetch(url, f"anchors?after={version}", _Updates)).updates
            for text in found:
                known = anchors.stage(known, _decoded(text))
                self._store.keep_anchors(known)
        except (PeerError, httpx.HTTPError) as error:
            _log.warning(
                "no update of the trust anchors: %s", getattr(error, "message", type(error).__name__)
            )
            return False
        return bool(found)


def _unverified() -> ssl.SSLContext:
    """Return a context that believes anybody: what comes through is signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_Kind = TypeVar("_Kind", _Updates, _Time)


async def _fetch(url: str, path: str, kind: type[_Kind]) -> _Kind:
    async with httpx.AsyncClient(verify=_unverified(), timeout=TIMEOUT_S, trust_env=False) as http:
        response = await http.get(f"{url.rstrip('/')}/device/v1/{path}")
        if response.status_code != httpx.codes.OK or len(response.content) > ANSWER_CAP:
            raise PlatformMisbehaved(f"the device API answered {response.status_code}")
    try:
        return jsontext.decode(response.content, kind)
    except jsontext.NotJson as error:
        raise PlatformMisbehaved(f"the device API's answer is not what it should be: {error}") from error


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise PlatformMisbehaved("the device API sent something that is not base64url") from error
