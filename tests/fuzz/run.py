"""Fuzz one target or all: ``python -m tests.fuzz.run TARGET|all --seconds N [--seed S] [--jobs J]``.

With atheris installed the search is guided by coverage, else by mutation alone. What is learnt stays in
``.cache/fuzz``; a finding's input is written there, and belongs into ``tests/fuzz/found/TARGET``.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz import targets
from tests.fuzz.mutation import Finding, fuzz
from tests.fuzz.targets import Target

CACHE = Path(__file__).parents[2] / ".cache" / "fuzz"
GUIDED = importlib.util.find_spec("atheris") is not None
SLOW_SECONDS = 10
MAX_INPUT = 8192
MEMORY_MB = 2048


def main() -> int:
    """Run what the command line names; the exit code is the number of targets that broke, capped."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzz the parsers.")
    parser.add_argument("target", help="a target's name, or all")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same mutants")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    wanted = parser.parse_args()
    if wanted.target == "all":
        return _all(wanted)
    return _one(wanted.target, wanted.seconds, wanted.seed)


def _all(wanted: argparse.Namespace) -> int:
    names = sorted(targets.load())
    rounds = -(-len(names) // wanted.jobs)
    how = "guided by coverage (atheris)" if GUIDED else "by mutation; install atheris for guidance"
    print(f"{len(names)} targets, {wanted.seconds} s each, {how}: about {rounds * wanted.seconds} s")
    with ThreadPoolExecutor(wanted.jobs) as pool:
        broken = sum(pool.map(lambda name: _child(name, wanted), names))
    print(f"{len(names) - broken} of {len(names)} targets held.")
    return min(broken, 100)


def _child(name: str, wanted: argparse.Namespace) -> bool:
    options = ["--seconds", str(wanted.seconds), "--seed", str(wanted.seed)]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", name, *options], capture_output=True, text=True, check=False
    )
    runs = next((line for line in done.stdout.splitlines() if line.startswith("runs ")), "runs ?")
    print(f"  {name:24} {'held' if done.returncode == 0 else 'BROKE'}  {runs}, "
          f"{time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
    if done.returncode:
        print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), flush=True)
    return done.returncode != 0


def _one(name: str, seconds: int, seed: int) -> int:
    if GUIDED:
        import atheris  # noqa: PLC0415 - only where installed

        with atheris.instrument_imports(include=["doorstep"]):
            known = targets.load()
    else:
        known = targets.load()
    if name not in known:
        print(f"There is no target {name!r}. There are: {', '.join(sorted(known))}.")
        return 2
    return _guided(known[name], seconds, seed) if GUIDED else _by_mutation(known[name], seconds, seed)


def _by_mutation(target: Target, seconds: int, seed: int) -> int:
    try:
        print(f"runs {fuzz(target, seed=seed, seconds=seconds)}")
    except Finding as finding:
        traceback.print_exception(finding)
        _keep(target, finding.data)
        return 1
    return 0


def _guided(target: Target, seconds: int, seed: int) -> int:
    """Let libFuzzer search; it ends the process itself, so this never returns."""
    import atheris  # noqa: PLC0415 - only where installed

    corpus = CACHE / target.name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate((*target.seeds, *target.found())):
        (corpus / f"seed-{number}").write_bytes(data)
    runs = 0
    started = time.monotonic()

    def once(data: bytes) -> None:
        nonlocal runs
        runs += 1
        try:
            target(data)
        except Exception:
            _keep(target, data)
            raise
        if time.monotonic() - started > seconds:
            print(f"runs {runs}", flush=True)
            os._exit(0)  # libFuzzer takes any other end for a crash

    options = [f"-seed={seed}", f"-timeout={SLOW_SECONDS}", f"-max_len={MAX_INPUT}", "-verbosity=0"]
    options += [f"-artifact_prefix={CACHE / target.name}/", f"-rss_limit_mb={MEMORY_MB}"]
    atheris.Setup([target.name, *options, str(corpus)], once)
    atheris.Fuzz()
    return 0


def _keep(target: Target, data: bytes) -> None:
    folder = CACHE / target.name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"broke-{abs(hash(data)):x}"
    file.write_bytes(data)
    print(f"The input is in {file}; put it into tests/fuzz/found/{target.name}/ with its mend.")


if __name__ == "__main__":
    sys.exit(main())
