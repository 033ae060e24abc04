"""MQTT-14: revoke in the middle of a flood. A few rounds; the command does as many as one asks for."""

import json
import subprocess
import sys

import pytest

ROUNDS = 2


@pytest.mark.slow
def test_mqtt_14_last_message_of_a_flood_is_accepted_within_a_second_of_the_click() -> None:
    command = ["bench", "revocation", "--rounds", str(ROUNDS), "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "doorstep", *command], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    print(f"MQTT-14: {ROUNDS} devices revoked while they flood: {figures}")  # noqa: T201 - the attack suite's report
    assert figures["rounds"] == ROUNDS
    assert 0 < figures["last_accepted_median_ms"] <= figures["last_accepted_max_ms"] < 1000
    assert figures["flood_per_s"] > 0
    assert (figures["accepted_later"], figures["left_in_queue"]) == (0, 0)
