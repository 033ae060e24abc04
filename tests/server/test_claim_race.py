"""BIND-05 on PostgreSQL with two processes; DOORSTEP_TEST_RACES=1000 is the full run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_RACES = int(os.environ.get("DOORSTEP_TEST_RACES", "20"))


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(60 + _RACES)
def test_bind_05_two_claims_in_one_millisecond_on_two_processes(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    """BIND-05: every time exactly one owner, one dispute, one ownership period, and a ledger that holds."""
    raced = subprocess.run(
        [sys.executable, "-m", "tests.server.claim_race", str(_RACES)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DOORSTEP_STATE": str(tmp_path), "DOORSTEP_DATABASE_URL": fresh_postgres_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=50 + _RACES,
    )
    assert raced.returncode == 0, raced.stderr[-4000:]
    told = json.loads(raced.stdout.splitlines()[-1])
    assert {told["one_bound_one_disputed"], told["one_owner"], told["one_dispute"]} == {_RACES}, told
    assert told["sent_within_1_ms"] > _RACES // 2, told
