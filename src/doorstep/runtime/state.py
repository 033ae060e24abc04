"""The state folder: where everything lives, made private, locked by one supervisor at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorstep.errors import MisuseError, UnavailableError

__all__ = ["StateFolder", "move_durably", "write_private"]


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths below one folder. ``open`` makes it; nothing else creates state elsewhere."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "StateFolder":
        """Make the folder (0700) or check it; raise UnavailableError when it can't be written."""
        folder = cls(root.absolute())
        try:
            for path in (folder.root, folder.ca, folder.broker, folder.mail, folder.run, folder.logs):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"state folder {root} can't be made: {error.strerror}",
                next_step="Choose another with DOORSTEP_STATE, or free space and mend its permissions.",
            ) from error
        if stat.S_IMODE(folder.root.stat().st_mode) & 0o077:
            raise MisuseError(
                f"state folder {root} is open to other users of this machine",
                next_step=f"Run: chmod 700 {root}",
            )
        return folder

    @property
    def ca(self) -> Path:
        """Certificate authority: root, factory and operations keys and certificates."""
        return self.root / "ca"

    @property
    def broker(self) -> Path:
        """Broker configuration and its durable streams."""
        return self.root / "broker"

    @property
    def mail(self) -> Path:
        """Outgoing mail of the embedded default, one file a message."""
        return self.root / "mail"

    @property
    def run(self) -> Path:
        """Lock, status and sockets of what runs now."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log file a role."""
        return self.root / "logs"

    @property
    def key_file(self) -> Path:
        """The key that wraps every stored secret."""
        return self.root / "key"

    @property
    def sqlite_file(self) -> Path:
        """The embedded database."""
        return self.root / "doorstep.sqlite3"

    @contextmanager
    def locked(self, who: str = "up") -> Iterator[None]:
        """Hold the folder for the one ``doorstep WHO``; raise MisuseError when another holds it."""
        name = "lock" if who == "up" else f"{who.replace(' ', '-')}.lock"
        with (self.run / name).open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise MisuseError(
                    f"another `doorstep {who}` (process {holder}) runs on {self.root}",
                    next_step="Stop it, or choose another folder with DOORSTEP_STATE.",
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def write_private(path: Path, data: bytes) -> None:
    """Write a 0600 file whole or not at all, durable before this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def move_durably(source: Path, target: Path) -> None:
    """Put a file in another's place in the same folder, durable before this returns."""
    source.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable: without this a power cut may bring the old file back."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
