"""What the data plane needs goes away and comes back: nothing that a device was told is safe is lost."""

from pathlib import Path

import pytest

from tests.small_disk import on_small_disk


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_full_disk_under_brokers_and_database_loses_and_doubles_nothing(tmp_path: Path) -> None:
    shown = on_small_disk(tmp_path, "40m", "tests.ingest.full_disk", seconds=140)
    assert "the broker was started anew" in shown
    assert "stored once: 12000" in shown
