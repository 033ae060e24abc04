"""``doorstep bench portal``: a short run of the real thing."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_bench_asks_for_every_page(database: str) -> None:
    size = ["--devices", "60", "--readings", "4000", "--organisations", "3", "--rounds", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "doorstep", "bench", "portal", "--database", database, *size, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert figures["p95_ms"].keys() == figures["p95_cpu_ms"].keys()
    assert {"home", "devices-deep", "device", "charts-year", "staff-ledger"} <= figures["p95_ms"].keys()
    assert all(value > 0 for value in figures["p95_ms"].values())
    assert set(figures["over"]) <= figures["p95_ms"].keys()
