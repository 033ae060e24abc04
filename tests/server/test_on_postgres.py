"""The same tests again, on PostgreSQL: not one line of them knows which database it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


_FOLDERS = (
    "custody",
    "api",
    "device_api",
    "accounts",
    "cli",
    "portal",
    "fleet",
    "audit",
    "readings",
    "webhooks",
    "jobs",
    "pki",
)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(620)
def test_server_passes_on_postgres(fresh_postgres_url: str) -> None:
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("this is PostgreSQL already")
    tested = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not browser and not slow",
            *(str(_HERE / name) for name in _FOLDERS),
        ],
        env={**os.environ, "TEST_DATABASE_URL": fresh_postgres_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert tested.returncode == 0, tested.stdout[-8000:] + tested.stderr[-2000:]
