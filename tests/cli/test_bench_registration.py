"""``doorstep bench registration``: a short run of the real thing."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_bench_registers_devices_and_tells_three_figures(database: str) -> None:
    command = ["bench", "registration", "--devices", "50", "--database", database, "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "doorstep", *command], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert set(figures) == {"registrations_per_s", "ratio_to_signature_limit", "p99_ms"}
    assert all(value > 0 for value in figures.values())
