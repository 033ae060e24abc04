"""A network of its own for one test: only a loopback, so that a peer's fixed ports meet nobody else's."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

__all__ = ["in_private_network", "need"]

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


def need(*programs: str) -> None:
    """Skip by name where the test is not root or a program is not installed."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network namespace of its own")
    for program in programs:
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"needs the program {program}")


def in_private_network(scenario: Callable[[], T]) -> T:
    """Run it in a thread that has left the machine's network; what it starts is in there with it."""
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                pytest.skip("this machine gives no network namespaces")
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            results.append(scenario())
        except BaseException as failure:  # noqa: BLE001 - handed to the test below
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
