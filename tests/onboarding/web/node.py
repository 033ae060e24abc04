"""Node as a stand-in for a browser: runs the web scripts, which ask this process instead of a device."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import pytest

from doorstep.runtime.webfiles import web_folder

__all__ = ["HERE", "Browser", "Json", "node"]

HERE: Final = Path(__file__).parent
Json = dict[str, Any]


def node() -> str:
    """Return the program, or skip by name where it is missing."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("peer node is not in PATH")
    return found


class Browser:
    """Runs jobs of `driver.mjs` one after another in one process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [node(), HERE / "driver.mjs", web_folder()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def run(self, job: Json, ask: Callable[[str, bytes], bytes]) -> list[Json]:
        """Do a job; return for each step what it learnt or why it failed. ``ask`` may raise: a lost reply."""
        self._write(job)
        for line in self._lines():
            if "results" in line:
                results: list[Json] = line["results"]
                return results
            try:
                self._write({"reply": ask(line["endpoint"], bytes.fromhex(line["body"])).hex()})
            except Exception as error:  # noqa: BLE001 - whatever a device raises, the link shows as a refusal
                self._write({"lost": type(error).__name__})
        raise AssertionError("node ended")

    def _write(self, value: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _lines(self) -> Iterator[Json]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)
