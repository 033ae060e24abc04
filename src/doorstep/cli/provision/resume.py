"""The file of a run over many devices: whoever is done stands in it, and is skipped the next time."""

import json
import os
from pathlib import Path
from typing import Final

from doorstep.cli.provision.labels import spoken
from doorstep.errors import SettingsError, UnavailableError

__all__ = ["Progress"]

MAX_FILE: Final = 8 * 1024 * 1024


class Progress:
    """Who is done; one JSON line each, on the disk before the next device is told to be done. No secrets."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there; `None` keeps nothing."""
        self._path = path
        content = b"" if path is None else _read(path)
        self._done = {name for line in content.splitlines() if (name := _name(line))}
        self._begin = b"\n" if content and not content.endswith(b"\n") else b""

    def is_done(self, name: str) -> bool:
        """Tell whether an earlier run finished this device."""
        return spoken(name) in self._done

    def finish(self, name: str) -> None:
        """Keep that a device is done; raises `UnavailableError` where the file cannot be written."""
        self._done.add(spoken(name))
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(self._begin + json.dumps({"done": name}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._begin = b""
        except OSError as error:
            raise UnavailableError(
                f"{self._path} cannot be written: {error.strerror}. {name} is done all the same.",
                next_step="Make room, or name another file with --resume.",
            ) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None


def _name(line: bytes) -> str:
    """Return the serial of a line; one that a power cut left half written names nobody."""
    try:
        value = json.loads(line)
    except ValueError:
        return ""
    name = value.get("done") if isinstance(value, dict) else None
    return spoken(name) if isinstance(name, str) else ""
