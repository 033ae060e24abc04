"""A Wi-Fi driver that follows a script, on a real control socket; the real ones are met in `tests/radio`."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ScriptedDriver", "scripted_driver"]


class ScriptedDriver:
    """Answers OK, or what the script says for a command's first word; events may follow an answer."""

    def __init__(self, path: Path, script: Mapping[str, list[str]]) -> None:
        self.path = path
        self.asked: list[str] = []
        self._script = {word: list(lines) for word, lines in script.items()}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        asyncio.get_running_loop().add_reader(self._socket, self._answer)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _answer(self) -> None:
        command, sender = self._socket.recvfrom(8192)
        self.asked.append(command.decode())
        for line in self._script.get(self.asked[-1].split()[0], ["OK"]):
            self._socket.sendto(line.encode(), sender)


@contextmanager
def scripted_driver(folder: Path, **script: list[str]) -> Iterator[ScriptedDriver]:
    """Run one; a list of the script is the answer and the events after it, of every time."""
    driver = ScriptedDriver(folder / "wlan0", script)
    try:
        yield driver
    finally:
        driver.close()
