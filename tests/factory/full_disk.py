# ruff: noqa: T201 - it talks to the test that runs it
"""Run by test_run.py on a small file system of its own: ``full_disk.py (at-once|later) FOLDER``."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from doorstep.errors import UnavailableError
from doorstep.factory.batch import DeviceRecord
from doorstep.factory.orders import read_rows
from doorstep.factory.run import run_batch
from tests.factory.making import authority, request


def main(case: str, disk: Path) -> None:
    """Make a batch and print what came of it."""
    out, known = disk / "batch", list[DeviceRecord]()

    def record(devices: Sequence[DeviceRecord]) -> None:
        known.extend(devices)

    def fill_the_disk(_count: int) -> None:
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    try:
        run_batch(request(75), authority(), out, record, fill_the_disk, workers=1)
    except UnavailableError as error:
        print(error.message)
    print("recorded", len(known))
    print("files", len([*out.glob("devices/*")]))
    if case == "later":
        assert (out / "labels.pdf").read_bytes().rstrip().endswith(b"%%EOF")
        print("labels whole")
        print("remaining", len(read_rows((out / "remaining.csv").read_bytes(), "P-").devices))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
