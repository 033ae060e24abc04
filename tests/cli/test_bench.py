import json

import pytest
from click.testing import CliRunner

from doorstep.cli.bench import bench

FIGURES = {
    "messages_per_s",
    "readings_per_s",
    "worker_us_per_message",
    "open_us_median",
    "ratio_to_no_crypto_no_store",
    "lost",
    "duplicated",
}
SMALL = ["ingest", "--messages", "2000", "--devices", "4", "--rounds", "1"]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_bench_ingest_prints_one_object_and_loses_nothing(database: str) -> None:
    options = ["--database", database, "--readings-per-message", "10", "--json"]
    result = CliRunner().invoke(bench, [*SMALL, *options], catch_exceptions=False)
    figures = json.loads(result.stdout)
    assert figures.keys() == FIGURES
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert figures["readings_per_s"] == pytest.approx(10 * figures["messages_per_s"], rel=0.01)
    assert figures["worker_us_per_message"] > 0
    assert 0 < figures["open_us_median"] < figures["worker_us_per_message"]


@pytest.mark.slow
def test_bench_ingest_prints_a_table() -> None:
    result = CliRunner().invoke(bench, SMALL, catch_exceptions=False)
    assert "acknowledged and not stored" in result.stdout


@pytest.mark.slow
def test_bench_onboarding_prints_the_ratio_and_what_handshakes_cost() -> None:
    """How far the ratio is below the number of devices depends on who else uses the machine."""
    options = ["onboarding", "--devices", "4", "--rounds", "1"]
    figures = json.loads(CliRunner().invoke(bench, [*options, "--json"], catch_exceptions=False).stdout)
    assert 0.9 <= figures["ratio_4_to_1"] < 3
    assert figures["seconds_one"] > figures["scan_s"] + figures["join_s"]
    assert 0 < figures["sec1_configurator_ms"] < figures["sec2_configurator_ms"]
    assert 0 < figures["sec2_configurator_ms"] <= figures["session_cpu_ms"] <= 150
    assert figures["sec2_device_ms"] > 0


@pytest.mark.slow
def test_bench_onboarding_prints_a_table_that_says_what_is_simulated() -> None:
    options = ["onboarding", "--devices", "2", "--rounds", "1"]
    result = CliRunner().invoke(bench, options, catch_exceptions=False)
    assert "of that the simulated radio" in result.stdout
