"""A short run of every fuzz target, and the engine's own tests."""

import sys
from itertools import islice
from pathlib import Path

import pytest

from doorstep.errors import MalformedMessage
from tests.fuzz import run, targets
from tests.fuzz.mutation import Finding, fuzz, inputs
from tests.fuzz.targets import Target

KNOWN = targets.load()


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_parser_lets_out_only_documented_errors(name: str) -> None:
    fuzz(KNOWN[name], seed=1, most=150)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_parser_takes_at_least_one_seed(name: str) -> None:
    assert any(KNOWN[name](seed) for seed in KNOWN[name].seeds)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_parser_holds_on_what_once_broke_it(name: str) -> None:
    for data in KNOWN[name].found():
        KNOWN[name](data)


def _fragile(data: bytes) -> None:
    if data[:2] != b"ab":
        raise MalformedMessage("not ours")
    _ = data[2:][9 if b"\xff" in data else 0]


def test_engine_finds_a_planted_crash_and_names_its_input() -> None:
    planted = Target("planted", _fragile, (b"abcd",), (MalformedMessage,))
    with pytest.raises(Finding) as caught:
        fuzz(planted, seed=1, most=20_000)
    with pytest.raises(IndexError):
        _fragile(caught.value.data)


def test_engine_makes_the_same_inputs_from_the_same_seed() -> None:
    first, again, other = (list(islice(inputs((b"abcd" * 9,), seed), 400)) for seed in (1, 1, 2))
    assert first == again != other


def test_engine_stops_when_the_time_is_over() -> None:
    assert fuzz(Target("any", len, (b"a",), ()), seed=1, seconds=0) == 0


def test_command_names_the_targets_where_one_is_unknown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", "nonsense"])
    monkeypatch.setattr(run, "GUIDED", False)
    assert run.main() == 2
    assert "cbor" in capsys.readouterr().out


def test_command_fuzzes_by_mutation_where_nothing_guides_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "GUIDED", False)
    monkeypatch.setattr(run, "CACHE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run", "crash", "--seconds", "20"])
    monkeypatch.setitem(targets.TARGETS, "crash", Target("crash", _fragile, (b"abcd",), (MalformedMessage,)))
    assert run.main() == 1
    assert "put it into tests/fuzz/found/crash/" in capsys.readouterr().out
    (kept,) = (tmp_path / "crash").glob("broke-*")
    with pytest.raises(IndexError):
        _fragile(kept.read_bytes())
