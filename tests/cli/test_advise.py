"""``doorstep advise``: by options, by answers at a real terminal, for people and for programs."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.advise import advise_command
from doorstep.errors import DoorstepError
from doorstep.ownership.policy import parse

ANSWERS: Final = {
    "damage": "control",
    "price": "40",
    "budget": "1.50",
    "units": "20000",
    "chip": "tls",
    "sales": "wholesale",
    "can-scan": "yes",
    "control": "none",
    "line-online": "yes",
}


def _options(**changes: str) -> list[str]:
    answers = ANSWERS | {name.replace("_", "-"): text for name, text in changes.items()}
    return [part for name, text in answers.items() for part in (f"--{name}", text)]


def _run(*arguments: str) -> Result:
    result = CliRunner().invoke(advise_command, arguments, env={"COLUMNS": "120"})
    if isinstance(result.exception, DoorstepError):
        raise result.exception
    return result


def _advice(*arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_run(*arguments, "--json").stdout)
    return answer


def test_advice_for_programs_is_whole() -> None:
    advice = _advice(*_options())
    recommended = advice["recommended"]
    assert (recommended["identity"], recommended["onboarding"]) == ("certificate", "protocomm-sec2")
    assert recommended["available"] is True
    assert recommended["assurance"] == 2
    assert "the device itself registers" in recommended["claim_needs"]
    lines = recommended["cost"]["lines"]
    assert float(recommended["cost"]["high"]) == pytest.approx(sum(float(line["high"]) for line in lines))
    assert all(line["basis"] for line in lines)
    assert advice["cheaper"]["identity"] == "claim_code"
    assert advice["stronger"]["identity"] == "secure_element"
    assert advice["assumed"]["line-hour"] == {
        "cost": "20 to 60",
        "what": "an hour of a person and a station at the line",
    }
    words = shlex.split(advice["next"])
    assert words[:3] == ["doorstep", "product", "add"]
    assert parse(words[-1]).text == recommended["claim_policy"]


def test_advice_for_people_shows_everything_that_matters() -> None:
    shown = _run(*_options(budget="0", control="button")).stdout
    for words in (
        "Recommended: symmetric key, protocomm-sec2",
        "more than your budget",
        "What an attacker can still do",
        "Next cheaper",
        "Next stronger",
        "Not yet",
        "from assumptions",
        "% of its price",
        "Next:  doorstep product add",
    ):
        assert words in shown


def test_chip_that_no_method_fits_gets_the_truth() -> None:
    advice = _advice(*_options(chip="no-crypto"))
    assert advice["recommended"]["available"] is False
    assert advice["next"] == ""
    assert "choose a chip" in _run(*_options(chip="no-crypto")).stdout


def test_maker_replaces_an_assumption() -> None:
    advice = _advice(*_options(), "--assume", "label=0.5", "--assume", "key-seconds=1..2")
    assert advice["assumed"]["label"]["cost"] == "0.5"
    lines = {line["what"]: line for line in advice["recommended"]["cost"]["lines"]}
    assert (lines["label"]["low"], lines["label"]["high"]) == ("0.500", "0.500")
    assert lines["writing the key"]["basis"] == "1 to 2 seconds at 20 to 60 an hour"


BAD: Final = {
    "an answer is missing and nobody is there": (["--damage", "data"], "--price"),
    "the price is a word": (_options(price="cheap"), "not an amount"),
    "the price is endless": (_options(price="inf"), "Infinity"),
    "half a device": (_options(units="0.5"), "not a whole number"),
    "no device": (_options(units="0"), "0 devices a year"),
    "an unknown assumption": ([*_options(), "--assume", "gold=1"], "no price 'gold'"),
    "an assumption without an amount": ([*_options(), "--assume", "label"], "not an amount"),
}


@pytest.mark.parametrize("name", BAD)
def test_command_refuses(name: str) -> None:
    arguments, words = BAD[name]
    with pytest.raises(DoorstepError, match=re.escape(words)) as caught:
        _run(*arguments)
    assert caught.value.next_step


def test_person_at_a_terminal_is_asked_until_each_answer_can_be_read() -> None:
    outer, inner = pty.openpty()
    answers = ["9", "nonsense", "4", "forty", "-40", "40", "1.5", "20000", "3", "2", "yes", "1", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "doorstep", "advise", "--json"],
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    os.close(inner)
    os.write(outer, "".join(f"{answer}\n" for answer in answers).encode())
    stdout, stderr = process.communicate(timeout=30)
    os.close(outer)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["recommended"] == _advice(*_options())["recommended"]
    assert "What is the worst that an attacker could do with it?" in stderr
    assert stderr.count("Type a number from 1 to 5.") == 2
    assert "'forty' is not an amount" in stderr
    assert "can't be -40" in stderr
