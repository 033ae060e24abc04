"""A folder in which somebody puts sealed credentials by hand: a door without a radio."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.device.racing import end
from doorstep.errors import DoorstepError
from doorstep.onboarding.sealed.blob import TEXT_CAP

__all__ = ["Inbox"]

_PATTERN: Final = "*.sealed"
_FILES_CAP: Final = 32
_POLL: Final = 1.0

log = logging.getLogger(__name__)


class Inbox:
    """A `Door`: while entered, looks for ``*.sealed`` and offers each content once; files stay in place."""

    def __init__(self, folder: Path, take: Callable[[bytes], None], *, poll: float = _POLL) -> None:
        """``take`` raises DoorstepError for what is not taken."""
        self._folder = folder
        self._take = take
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
        for path in sorted(self._folder.glob(_PATTERN))[:_FILES_CAP]:
            with path.open("rb") as file:
                content = file.read(TEXT_CAP + 1)
            digest = hashlib.sha256(content).digest()
            if digest not in self._seen:
                self._seen.add(digest)
                self._offer(path, content)

    def _offer(self, path: Path, content: bytes) -> None:
        try:
            self._take(content)
        except DoorstepError as error:
            log.warning("%s was not taken: %s %s", path.name, error.message, error.next_step)
