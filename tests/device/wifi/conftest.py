"""A real wpa_supplicant without a radio, for what needs none: its control socket, its networks."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wait import until

_PROGRAM = shutil.which("wpa_supplicant", path="/usr/sbin:/sbin:/usr/bin") or "wpa_supplicant"


@pytest.fixture
def supplicant(tmp_path: Path) -> Iterator[Path]:
    """The control socket of a wpa_supplicant on the loopback interface with the driver ``none``."""
    if not Path(_PROGRAM).exists():
        pytest.skip("wpa_supplicant is not installed")
    config, control = tmp_path / "wpa_supplicant.conf", tmp_path / "control"
    config.write_text(f"ctrl_interface={control}\nap_scan=0\n", encoding="ascii")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [_PROGRAM, "-Dnone", "-ilo", f"-c{config}"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        until((control / "lo").exists)
        yield control / "lo"
    finally:
        process.terminate()
        process.wait(10)
