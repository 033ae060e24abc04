"""A folder in which somebody puts sealed credentials or a release by hand: a door without a radio."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.device.racing import end
from doorstep.errors import DoorstepError
from doorstep.onboarding.sealed.blob import TEXT_CAP

__all__ = ["Inbox"]

_FILES_CAP: Final = 32
_POLL: Final = 1.0

log = logging.getLogger(__name__)


class Inbox:
    """A `Door`: while entered, looks for files and offers each content once; they stay in place."""

    def __init__(
        self, folder: Path, takers: Mapping[str, Callable[[bytes], None]], *, poll: float = _POLL
    ) -> None:
        """``takers`` take what files with their endings hold, or raise DoorstepError."""
        self._folder = folder
        self._takers = takers
        self._poll = poll
        self._seen: set[bytes] = set()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to look; a folder that is not there yet may come, as a stick does."""
        self._watching = asyncio.get_running_loop().create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        if self._watching is not None:
            await end(self._watching)

    async def _watch(self) -> None:
        while True:
            try:
                self._look()
            except OSError as error:
                log.debug("the inbox %s can't be read: %s", self._folder, error.strerror)
            await asyncio.sleep(self._poll)

    def _look(self) -> None:
        files = sorted(path for path in self._folder.iterdir() if path.suffix in self._takers)
        for path in files[:_FILES_CAP]:
            with path.open("rb") as file:
                content = file.read(TEXT_CAP + 1)
            digest = hashlib.sha256(content).digest()
            if digest not in self._seen:
                self._seen.add(digest)
                self._offer(path, content)

    def _offer(self, path: Path, content: bytes) -> None:
        try:
            self._takers[path.suffix](content)
        except DoorstepError as error:
            log.warning("%s was not taken: %s %s", path.name, error.message, error.next_step)
