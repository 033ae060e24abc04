"""``python -m doorstep.supervisor.leash PARENT PROGRAM …``: run a program that can't outlive its supervisor.

On Linux the kernel holds the leash: the program replaces this process and is killed when PARENT ends,
however it ends. Elsewhere this process stays, watches PARENT and ends the program with it.
"""

import ctypes
import os
import signal
import subprocess
import sys
from types import FrameType
from typing import Final

__all__ = ["command", "follow", "main"]

_PR_SET_PDEATHSIG: Final = 1
_ORPHANED: Final = 75
_NOT_FOUND: Final = 127
_WATCH_S: Final = 0.25


def command(argv: tuple[str, ...]) -> list[str]:
    """Return the command line that runs ``argv`` on a leash held by this process."""
    return [sys.executable, "-m", "doorstep.supervisor.leash", str(os.getpid()), *argv]


def main(arguments: list[str]) -> int:
    """Run the program; return its exit code, or 75 when the supervisor is gone already."""
    parent, argv = int(arguments[0]), arguments[1:]
    if sys.platform != "linux":
        return follow(parent, argv)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The supervisor may have ended before the kernel took the leash.
    if os.getppid() != parent:
        return _ORPHANED
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the supervisor's own command line, no shell
    except OSError as error:
        sys.stderr.write(f"{argv[0]} can't be run: {error.strerror}\n")
        return _NOT_FOUND


def follow(parent: int, argv: list[str]) -> int:
    """Run the program as a child, pass signals on, and kill it when ``parent`` is no longer ours."""
    child = subprocess.Popen(argv)  # noqa: S603 - the supervisor's own command line, no shell

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    while os.getppid() == parent:
        try:
            return child.wait(_WATCH_S)
        except subprocess.TimeoutExpired:
            continue
    child.kill()
    child.wait()
    return _ORPHANED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
