"""With DOORSTEP_SMTP_URL mail goes to that server, not into a folder."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TextIO

SENDING = """
from doorstep.server.setup import start
start()
from doorstep.server.jobs.handlers import HANDLERS
HANDLERS["mail"]({"to": "owner@example.org", "subject": "Hello", "text": "By SMTP."})
"""

SETTINGS = """
from doorstep.server import settings as s
print(s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER, s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_SSL, s.EMAIL_USE_TLS)
"""


def run(code: str, smtp_url: str, state: Path) -> str:
    environ = os.environ | {"DOORSTEP_SMTP_URL": smtp_url, "DOORSTEP_STATE": str(state)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=30, check=True
    ).stdout


class MailServer(threading.Thread):
    """Takes one mail as RFC 5321 says, with no extension."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lines: list[str] = []

    def run(self) -> None:
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rw", encoding="utf-8", newline="\r\n") as wire:
            self.answer(wire, "220 here")
            reading_mail = False
            for line in wire:
                self.lines.append(line.strip())
                if reading_mail and line.strip() != ".":
                    continue
                reading_mail = line.upper().startswith("DATA")
                self.answer(wire, "354 go on" if reading_mail else "250 fine")
                if line.upper().startswith("QUIT"):
                    return

    @staticmethod
    def answer(wire: TextIO, text: str) -> None:
        wire.write(f"{text}\n")
        wire.flush()


def test_mail_reaches_the_server(tmp_path: Path) -> None:
    server = MailServer()
    server.start()
    with server.listener:
        run(SENDING, f"smtp://127.0.0.1:{server.listener.getsockname()[1]}", tmp_path / "state")
        server.join(20)
    assert "rcpt to:<owner@example.org>" in [line.lower() for line in server.lines]
    assert "By SMTP." in server.lines
    assert not any((tmp_path / "state" / "mail").iterdir())


def test_password_travels_only_encrypted(tmp_path: Path) -> None:
    url = "smtp://me%40example.org:p%3Ass@mail.example.org"
    shown = "mail.example.org 587 me@example.org p:ss False True"
    assert run(SETTINGS, url, tmp_path / "s").split() == shown.split()
    url = "smtps://me:pass@mail.example.org"
    assert run(SETTINGS, url, tmp_path / "s").split()[1:] == ["465", "me", "pass", "True", "False"]
