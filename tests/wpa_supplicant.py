"""A real wpa_supplicant without a radio: it drives a cable, the loopback of a private network."""

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.wait import until

__all__ = ["WpaSupplicant", "running_wpa_supplicant"]

SETTINGS = "ctrl_interface={folder}/control\ndpp_config_processing=1\nupdate_config=1\n"


class WpaSupplicant:
    """One process, told over its control socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.settings = folder / "wpa_supplicant.conf"
        self._log = folder / "log"
        self.settings.write_text(SETTINGS.format(folder=folder))
        self._process = subprocess.Popen(
            ["wpa_supplicant", "-dd", "-K", "-t", "-Dwired", "-ilo", f"-c{self.settings}", f"-f{self._log}"],
            env=os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def control(self) -> Path:
        return self._folder / "control" / "lo"

    def tell(self, command: str) -> str:
        """Send one command and return the answer, which must not be a failure."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(5)
            line.bind(f"\0{os.urandom(8).hex()}")
            line.connect(str(self.control))
            line.send(command.encode())
            answer = line.recv(8192).decode().strip()
        assert not answer.startswith(("FAIL", "UNKNOWN")), (command, answer)
        return answer

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def logged(self, name: str) -> bytes:
        """Return the last octets that were logged under that name."""
        found = re.findall(rf": {re.escape(name)} - hexdump\(len=\d+\): ([0-9a-f ]+)", self.log)
        return bytes.fromhex(found[-1])


@contextlib.contextmanager
def running_wpa_supplicant(folder: Path) -> Iterator[WpaSupplicant]:
    """Start one that ends with the test; ready when entered."""
    folder.mkdir(parents=True, exist_ok=True)
    peer = WpaSupplicant(folder)
    try:
        until(peer.control.exists)
        yield peer
    finally:
        peer.stop()
