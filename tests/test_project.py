"""The project's own files keep their promises: locks that fit and name no machine, one entry to all."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
DEV = [*RUNTIME, *PROJECT["dependency-groups"]["dev"]]
PIN = re.compile(
    r"^([a-z0-9.-]+)==([^ ;]+)([^\\]*)\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", re.MULTILINE
)


def pins(name: str) -> dict[str, str]:
    """Return package → version of a lock file."""
    return {pin[1]: pin[2] for pin in PIN.finditer((ROOT / name).read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("lock", "requirements"), [("requirements.lock", RUNTIME), ("requirements-dev.lock", DEV)]
)
def test_lock_fits_the_project(lock: str, requirements: list[str]) -> None:
    pinned = pins(lock)
    for requirement in map(Requirement, requirements):
        version = pinned[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(version), f"{requirement}: run python3 tasks.py lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_holds_nothing_but_hashed_pins(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    rest = [line for line in PIN.sub("", text).splitlines() if line.strip() and not line.startswith("#")]
    assert rest == []


def test_development_runs_the_versions_that_are_shipped() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_task_runner_lists_its_tasks_and_refuses_others() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tasks.py", "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    for task in ("demo", "test", "quick", "check", "lock"):
        assert re.search(rf"^  {task} +[A-Z]", done.stdout, re.MULTILINE)


def test_ci_runs_the_readmes_test_command() -> None:
    command = "python3 tasks.py test"
    assert f"$ {command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").endswith(f"exec {command}\n")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
