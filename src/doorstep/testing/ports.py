"""Free TCP ports for servers that tests and benches start on this machine."""

import socket

__all__ = ["free_port", "free_ports"]


def free_port() -> int:
    """Return a TCP port of the loopback address that nothing uses."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return that many different ports."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
