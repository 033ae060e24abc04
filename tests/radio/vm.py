"""Boots the small machine and runs one program in it: real Wi-Fi and Bluetooth stacks on simulated radios."""

import contextlib
import shlex
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.radio.image import Image, ensure_image

__all__ = ["CHECKOUT", "VmRun", "run_in_vm"]

CHECKOUT: Final = Path(__file__).resolve().parents[2]
MEMORY_MB: Final = 1536
CONSOLE_TAIL: Final = 4000
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class VmRun:
    """How a program in the machine ended: exit code (None: it never ended), result lines, console."""

    code: int | None
    lines: tuple[str, ...]
    console: str


def run_in_vm(
    module: str,
    *arguments: str,
    timeout: float = 300,
    heard: Callable[[str], None] = lambda _line: None,
    tell: Callable[[str], None] = print,
) -> VmRun:
    """Run ``python3 -m module arguments`` in a machine of its own and return how it ended.

    The checkout and the packages of the running Python are there, read-only. The program writes result
    lines to ``/outcome/lines``; ``heard`` gets each as soon as it stands there, ``tell`` a line of progress
    for people now and then.
    """
    image = ensure_image()
    with tempfile.TemporaryDirectory(prefix="radio-") as folder:
        outcome = Path(folder)
        (outcome / "command").write_text(
            f"exec python3 -m {shlex.join((module, *arguments))} >/outcome/console 2>&1\n", encoding="utf-8"
        )
        for name in ("lines", "console", "kernel"):
            (outcome / name).touch()
        started = time.monotonic()
        tell(f"[radio] booting the machine for {module} {' '.join(arguments)}"[:150])
        with _running(image, outcome) as machine:
            lines = _follow(machine, outcome / "lines", started + timeout, heard)
        code = _number(outcome / "exit")
        ended = "never ended" if code is None else f"ended with {code}"
        tell(f"[radio] {module} {ended} after {time.monotonic() - started:.0f} s")
        return VmRun(code, tuple(lines), _tail(outcome / "console") + _tail(outcome / "kernel"))


@contextlib.contextmanager
def _running(image: Image, outcome: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (outcome / "kernel").open("wb") as kernel:
        machine = subprocess.Popen(
            _command(image, outcome), stdin=subprocess.DEVNULL, stdout=kernel, stderr=subprocess.STDOUT
        )
        try:
            yield machine
        finally:
            machine.kill()
            machine.wait()


def _command(image: Image, outcome: Path) -> Sequence[str]:
    shares = {
        "checkout": (CHECKOUT, ",readonly=on"),
        "packages": (Path(sysconfig.get_path("purelib")), ",readonly=on"),
        "outcome": (outcome, ""),
    }
    virtfs = [
        word
        for tag, (path, more) in shares.items()
        for word in (
            "-virtfs",
            f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}",
        )
    ]
    # Software emulation always: nested virtualisation hangs this kernel on some hosts.
    return [
        *("nice", "-n", "5", "qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-cpu", "max", "-smp", "1"),
        *("-m", str(MEMORY_MB), "-nographic", "-no-reboot", "-nic", "none", *virtfs),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on"),
    ]


def _follow(
    machine: "subprocess.Popen[bytes]", path: Path, deadline: float, heard: Callable[[str], None]
) -> list[str]:
    """Hand on every whole line until the machine is off or the time is over."""
    lines: list[str] = []
    rest = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        while True:
            off = machine.poll() is not None or time.monotonic() > deadline
            *whole, rest = (rest + file.read()).split("\n")
            for line in whole:
                lines.append(line)
                heard(line)
            if off:
                return lines
            time.sleep(POLL_S)


def _number(path: Path) -> int | None:
    return int(path.read_text(encoding="ascii")) if path.exists() else None


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-CONSOLE_TAIL:]
