"""What the platform gives a batch beyond its devices."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorstep.cli.platform_batch import factory
from tests.server.making import product

pytestmark = pytest.mark.usefixtures("rolled_back")


@pytest.mark.parametrize(
    ("portal", "named"),
    [
        ("https://devices.example.com", "https://devices.example.com/claim/#GH-00001"),
        ("http://localhost:8420", ""),  # no phone reaches it
    ],
)
def test_label_names_a_portal_that_phones_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portal: str, named: str
) -> None:
    monkeypatch.setenv("DOORSTEP_PORTAL_URL", portal)
    monkeypatch.setenv("DOORSTEP_DEVELOPER_PAGE", "false")
    out = tmp_path / "batch"
    options = ["--product", product().key, "--count", "1", "--serial-prefix", "GH-", "--out", str(out)]
    done = CliRunner().invoke(factory, ["batch", *options, "--yes"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    [row] = csv.DictReader((out / "labels.csv").read_text().splitlines())
    assert row["claim_url"] == named
