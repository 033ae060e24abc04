import socket
import threading
from dataclasses import replace
from pathlib import Path

from doorstep.runtime.control import nudge
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.testing.ports import free_port


def test_nudge_is_published_as_our_user(tmp_path: Path) -> None:
    key_file = KeyFile.open(tmp_path / "key")
    received: list[bytes] = []

    def broker(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as lines:
            peer.sendall(b'INFO {"server_name":"x"}\r\n')
            while (line := lines.readline()) != b"PING\r\n":
                received.append(line)
            peer.sendall(b"PONG\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=broker, args=(listener,))
        thread.start()
        nudge(Settings(nats_secure_port=listener.getsockname()[1]), key_file)
        thread.join(timeout=5)
    assert received[1:] == [b"PUB doorstep.control 0\r\n", b"\r\n"]
    assert b'"user": "ingest"' in received[0]


def test_nudge_never_fails(tmp_path: Path) -> None:
    key_file = KeyFile.open(tmp_path / "key")
    absent = Settings(nats_secure_port=free_port())
    nudge(absent, key_file)
    nudge(
        replace(absent, nats_secure_url="nats://nowhere.invalid:4222", nats_plain_url="nats://x:1"), key_file
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nudge(Settings(nats_secure_port=silent.getsockname()[1]), key_file)
