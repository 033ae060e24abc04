"""The transport of the client: keys, repeats, pages, errors."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from doorstep.client.failures import ProblemAnswer, Unreachable
from doorstep.client.operations import Operations
from doorstep.errors import MisuseError

__all__ = ["Client"]

_TIMEOUT_S: Final = 15.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0
_AGAIN: Final = frozenset({429, 502, 503, 504})
_FILES: Final = frozenset(
    {
        "text/csv",
        "application/gzip",
        "application/octet-stream",
        "application/pdf",
        "application/vnd.apache.parquet",
        "image/jpeg",
        "image/png",
    }
)
_FIRST_PROBLEM: Final = 400


class Client(Operations):
    """The REST API for one organisation's key. Usable by one thread at a time.

    Every POST carries an idempotency key, so a call that got no answer is repeated and still happens once.
    Calls raise ProblemAnswer for what the platform refuses, and Unreachable where it does not answer.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        attempts: int = 4,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username:
            raise MisuseError(
                f"{url[:80]!a} is no address of a platform",
                next_step="Give it as https://devices.example.org",
            )
        if not api_key.isascii() or not api_key.isprintable() or not api_key:
            raise MisuseError("this is no API key", next_step="Make one: doorstep account api-key")
        self._attempts = attempts
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {api_key}", "User-Agent": "doorstep-client"},
            timeout=_TIMEOUT_S,
            transport=transport,
        )

    @classmethod
    def with_key_file(cls, url: str, key_file: Path) -> Self:
        """Open a client with the key that a file holds; raise MisuseError where it can't be read."""
        try:
            key = key_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MisuseError(
                f"the API key can't be read from {key_file}",
                next_step="Put the key, and nothing else, into that file.",
            ) from error
        return cls(url, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(  # noqa: PLR0913 - each is a part of a request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: tuple[str, bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask, and ask again while the platform is away for a moment; return the JSON value of the answer."""
        headers = {}
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        told: dict[str, Any] = {} if body is None else {"json": body}
        if content is not None:
            headers["Content-Type"], told["content"] = content
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, path, params=asked, headers=headers, **told)
        for attempt in range(self._attempts - 1):
            pause = self._pause_after(request, attempt)
            if isinstance(pause, httpx.Response):
                return self._value(pause)
            self._sleep(pause)
        try:
            return self._value(self._http.send(request))
        except httpx.HTTPError as error:
            raise self._away(type(error).__name__) from None

    def _pause_after(self, request: httpx.Request, attempt: int) -> httpx.Response | float:
        """Ask once; return the answer, or how long to wait before asking again."""
        backing_off: float = _FIRST_PAUSE_S * 2**attempt
        try:
            answer = self._http.send(request)
        except httpx.HTTPError:
            return backing_off
        if answer.status_code not in _AGAIN:
            return answer
        told = answer.headers.get("retry-after", "")
        return min(float(told), _LONGEST_PAUSE_S) if told.isascii() and told.isdecimal() else backing_off

    def pages(self, fetch: Callable[[str], Any]) -> Iterator[Any]:
        """Yield the items of every page that ``fetch`` gets by its cursor."""
        cursor: str | None = ""
        while cursor is not None:
            page = fetch(cursor)
            yield from page["items"]
            cursor = page["next"]

    def _value(self, answer: httpx.Response) -> Any:
        if answer.status_code in _AGAIN:
            raise self._away(f"status {answer.status_code}")
        if answer.is_success and not answer.content:
            return None
        media = answer.headers.get("content-type", "").partition(";")[0]
        if answer.is_success and media in _FILES:
            return answer.content
        try:
            said = answer.json()
        except ValueError:
            raise self._away("something else than a platform answers there") from None
        if answer.status_code >= _FIRST_PROBLEM:
            raise ProblemAnswer(answer.status_code, said if isinstance(said, dict) else {})
        return said

    def _away(self, why: str) -> Unreachable:
        host = self._http.base_url.host
        return Unreachable(
            f"the platform at {host} does not answer ({why})",
            next_step="Check the address, and that this computer reaches it; then ask again.",
        )
