"""Runs proofs inside the machine: ``python3 -m tests.radio.guest.run MODULE::PROOF …``.

One JSON object a line for each proof: ``proof``, ``ok``, ``seconds``, ``note`` (what it returned), ``trace``.
"""

import asyncio
import importlib
import inspect
import json
import signal
import sys
import time
import traceback
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from tests.radio.guest.lab import LOGS, Lab

LINES: Final = Path("/outcome/lines")
PROOF_SECONDS: Final = 150
LOG_LINES: Final = 15


class Overdue(Exception):
    """A proof ran longer than any may."""


@cache
def lab() -> Lab:
    """Return the radios; made when the first proof wants them, for Bluetooth needs none."""
    return Lab()


def main() -> int:
    """Run the proofs that the command line names; 1 when one of them failed."""
    signal.signal(signal.SIGALRM, _overdue)
    outcomes = [_prove(name) for name in sys.argv[1:]]
    return not all(outcomes)


def _prove(name: str) -> bool:
    started = time.monotonic()
    report = {"proof": name, "ok": False, "note": "", "trace": ""}
    signal.alarm(PROOF_SECONDS)
    try:
        report["note"] = str(_call(name) or "")
        report["ok"] = True
    except BaseException:  # noqa: BLE001 - whatever it is, it is this proof's failure
        report["trace"] = traceback.format_exc() + _logs()
    signal.alarm(0)
    _tell(report | {"seconds": round(time.monotonic() - started, 2)})
    if lab.cache_info().currsize:
        lab().reset()
    return bool(report["ok"])


def _call(name: str) -> object:
    module, _, function = name.partition("::")
    proof = getattr(importlib.import_module(f"tests.radio.guest.{module}"), function)
    result = proof(lab()) if inspect.signature(proof).parameters else proof()
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def _overdue(_number: int, _frame: FrameType | None) -> None:
    raise Overdue(f"not proven within {PROOF_SECONDS} s")


def _logs() -> str:
    tails = [
        f"\n--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-LOG_LINES:])
        for path in sorted(LOGS.glob("*"))
        if path.is_file()
    ]
    return "".join(tails)


def _tell(report: dict[str, object]) -> None:
    with LINES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    sys.exit(main())
