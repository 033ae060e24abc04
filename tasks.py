#!/usr/bin/env python3
"""Everything one does in a clone, on nothing but Python 3.11, pip and git: ``python3 tasks.py TASK``.

The environment is ``.venv``, made from hash-pinned locks and used again while they stay the same.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RECEIPT = VENV / "installed.json"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
CORES = ("wire", "crypto", "identity", "onboarding", "ownership", "messaging")
DEBIAN_PACKAGES = {
    "chromium": "chromium",
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "initdb": "postgresql",
    "pdftoppm": "poppler-utils",
    "openssl": "openssl",
    "gcc": "gcc libc6-dev",
    "node": "nodejs",
    "npm": "npm",
    "fc-list": "fontconfig fonts-dejavu",
    "qemu-system-x86_64": "qemu-system-x86",
    "cpio": "cpio",
    "zstd": "zstd",
    "depmod": "kmod",
    "wpa_supplicant": "wpasupplicant",
    "ip": "iproute2",
    "curl": "curl",
}
"""Program that some tests drive, and the Debian packages that bring it."""
WHOLE_SET_UPS = (
    *("tests/server/portal", "tests/server/cli", "tests/server/fleet", "tests/downlink", "tests/gateway"),
    *("tests/broker/test_processes.py", "tests/cli/test_provision.py", "tests/device/test_agent.py"),
    *("tests/device/setup/test_singletouch.py", "tests/device/setup/test_service.py"),
    *("tests/ingest/test_forgeries.py", "tests/broker/test_registry.py"),
)
"""Where most tests set up a deployment, a board or both; the quick suite leaves them to `test`."""


class TaskFailed(Exception):
    """A step failed; the message says what to do next."""


# --- the environment ----------------------------------------------------------------------------


def environment(*, dev: bool) -> None:
    """Bring ``.venv`` up to date with the locks; nothing happens when it is."""
    wanted = _digests((RUNTIME_LOCK, DEV_LOCK) if dev else (RUNTIME_LOCK,))
    receipt = _receipt()
    if receipt.get("python") != sys.version or not PYTHON.exists():
        _make_venv()
        receipt = {"python": sys.version}
    if any(receipt.get(name) != digest for name, digest in wanted.items()):
        lock = DEV_LOCK if dev else RUNTIME_LOCK
        _install_lock(lock)
        receipt |= wanted
    project = _digests((ROOT / "pyproject.toml",))
    if receipt.items() >= project.items():
        return
    step("installing Doorstep itself, editable")
    pip("install", "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    RECEIPT.write_text(json.dumps(receipt | project), encoding="utf-8")


def _make_venv() -> None:
    step(f"making .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian's python3 has neither ensurepip nor the right to install beside its own packages, but its
    # pip can install into another interpreter. So the environment needs no pip of its own.
    options = ["--without-pip"] if importlib.util.find_spec("pip") else []
    if subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=False).returncode:
        raise TaskFailed(
            "Install pip for this Python (Debian: apt install python3-pip), then run this again."
        )


def _install_lock(lock: Path) -> None:
    total = sum(
        "==" in line for line in lock.read_text(encoding="utf-8").splitlines() if line[:1] not in "# "
    )
    step(f"installing {total} packages of {lock.name}, each checked against its hash")
    options = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off")
    pip("install", *options, "--requirement", str(lock), total=total)


def pip(*arguments: str, total: int = 0) -> None:
    """Run pip on the environment, with a line of progress for each tenth of ``total`` packages."""
    runner = [sys.executable] if importlib.util.find_spec("pip") else [str(PYTHON)]
    command = [*runner, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check", *arguments]
    tail: deque[str] = deque(maxlen=15)
    seen = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            tail.append(line)
            if total and line.startswith(("Collecting ", "Requirement already")):
                seen += 1
                _show_progress(seen, total)
    if process.returncode:
        sys.stderr.writelines(tail)
        raise TaskFailed(
            "pip failed as shown above. Check the network and the free disk space, then run this again."
        )


def _show_progress(seen: int, total: int) -> None:
    end = "\n" if seen == total else "\r"
    if sys.stdout.isatty():
        print(f"    {seen:3} of {total} {'█' * (30 * seen // total):30}", end=end, flush=True)
    elif seen == total or seen % max(1, total // 5) == 0:
        print(f"    {seen} of {total}", flush=True)


def _receipt() -> dict[str, str]:
    try:
        receipt: dict[str, str] = json.loads(RECEIPT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return receipt


def _digests(files: tuple[Path, ...]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


# --- the steps ----------------------------------------------------------------------------------


def step(what: str) -> None:
    """Say what happens now and how long the task has run."""
    print(f"[{time.monotonic() - STARTED:5.0f} s] {what}", flush=True)


def run(*command: str, why: str) -> None:
    """Run one program of the environment; raise TaskFailed with ``why`` when it fails."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    step(" ".join(command))
    if subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, check=False).returncode:
        raise TaskFailed(why)


def pytest(*arguments: str) -> None:
    """Run pytest in the environment."""
    # Hundreds of processes start in a run: each would compile everything for itself.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    run("python", "-m", "pytest", *arguments, why=f"Mend the tests named by: pytest {' '.join(arguments)}")


def become(program: str, *arguments: str) -> None:
    """Replace this process by a program of the environment, which then gets the terminal and the signals."""
    step(" ".join((program, *arguments)))
    os.execv(VENV / "bin" / program, [program, *arguments])  # noqa: S606 - its own arguments, no shell


def debian_packages() -> None:
    """As root on Debian, install the programs that some tests drive; elsewhere those tests skip by name."""
    missing = [package for program, package in DEBIAN_PACKAGES.items() if not _is_installed(program)]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        step(f"tests that need {', '.join(missing)} will skip: only root on Debian gets them installed")
        return
    step(f"installing for the tests: {', '.join(missing)}")
    names = [name for package in missing for name in package.split()]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
        if subprocess.run(
            ["apt-get", "-qq", *command], env=quiet, stdout=subprocess.DEVNULL, check=False
        ).returncode:
            raise TaskFailed("apt-get failed as shown above. Mend it, or install those packages yourself.")


def _is_installed(program: str) -> bool:
    # Debian keeps the server's programs of PostgreSQL, and root's, off the PATH.
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    return bool(found or [*Path("/usr/lib/postgresql").glob(f"*/bin/{program}")])


# --- the tasks ----------------------------------------------------------------------------------


def demo(*arguments: str) -> None:
    """Set up everything and run the demonstration: twenty devices, from the factory to the portal."""
    environment(dev=False)
    become("doorstep", "demo", *arguments)


def up(*arguments: str) -> None:
    """Set up everything and run all roles of the platform."""
    environment(dev=False)
    become("doorstep", "up", *arguments)


def test() -> None:
    """Run every check and every test."""
    environment(dev=True)
    debian_packages()
    _all(check, cores, _others, _slow, _alone, _radio)


def _all(*parts: Callable[[], None]) -> None:
    """Run every part; failures are told together at the end, so that one run shows all of them."""
    failures = []
    for part in parts:
        try:
            part()
        except TaskFailed as error:
            failures.append(str(error))
    if failures:
        raise TaskFailed("\n  ".join(failures))


def _others() -> None:
    pytest("-n", "2", "-m", "not slow", *(f"--ignore=tests/{core}" for core in CORES))


def _slow() -> None:
    # Whole files: a file's tests share the deployment that its fixture started. They wait for programs a
    # quarter of their time, so three workers keep two cores busy.
    pytest(
        "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "slow and not radio and not alone"
    )


def _alone() -> None:
    pytest("-m", "alone")


def radio() -> None:
    """Run the tests with real Wi-Fi and Bluetooth stacks, in two small machines side by side."""
    environment(dev=True)
    debian_packages()
    _radio()


def _radio() -> None:
    started = time.monotonic()
    pytest("-m", "radio")
    step(f"all radio tests took {time.monotonic() - started:.0f} s, building the machine included")


def quick() -> None:
    """Run the tests that take no more than a minute together."""
    environment(dev=True)
    os.environ["DOORSTEP_TEST_EXAMPLES"] = "20"
    left_out = (f"--ignore={path}" for path in WHOLE_SET_UPS)
    pytest("-n", "2", "-m", "not slow and not peer and not postgres and not roles", *left_out)


def check() -> None:
    """Lint, check the format, the types and the direction of dependencies."""
    environment(dev=True)
    gates = {
        "ruff check .": "Run: .venv/bin/ruff check --fix .",
        "ruff format --check .": "Run: .venv/bin/ruff format .",
        "lint-imports": "Move the import: pyproject.toml says what may import what.",
        "mypy": "Mend the types that mypy names.",
    }
    _all(*(partial(run, *command.split(), why=why) for command, why in gates.items()))


def cores() -> None:
    """Run each core's own tests, which must cover every branch of it."""
    environment(dev=True)
    _all(*(partial(_core, core) for core in CORES))


def _core(core: str) -> None:
    cover = (f"--cov=doorstep.{core}", "--cov-branch", "--cov-report=term-missing:skip-covered")
    pytest("-n", "2", f"tests/{core}", "-q", "-m", "not slow", *cover, "--cov-fail-under=100")


def fuzz(*arguments: str) -> None:
    """Search every parser for inputs that break it: --seconds N for each, or one TARGET."""
    environment(dev=True)
    named = arguments[:1] if arguments and not arguments[0].startswith("-") else ()
    options = arguments[len(named) :]
    run("python", "-m", "tests.fuzz.run", *(named or ("all",)), *options,
        why="Mend what broke, and put its input into tests/fuzz/found/TARGET/.")  # fmt: skip


def power_cuts() -> None:
    """Cut the power in 1,000 rotations of a key, at every write of both ends; CI cuts it in a dozen."""
    environment(dev=True)
    os.environ["DOORSTEP_TEST_POWER_CUTS"] = "1000"
    pytest("tests/server/fleet/test_power_cuts.py", "tests/messaging/rotation", "-q")


def rest() -> None:
    """Try 300 generated requests for each operation of the REST API; CI tries a handful."""
    environment(dev=True)
    os.environ["DOORSTEP_TEST_REST_EXAMPLES"] = "300"
    pytest("tests/server/api/test_schemathesis.py", "-q")


def kills() -> None:
    """Kill each role ten times under load, on both databases; CI kills each four times."""
    environment(dev=True)
    os.environ["DOORSTEP_TEST_KILLS"] = "10"
    pytest("tests/ingest/test_survival.py", "-k", "kills")


def docs() -> None:
    """Write the pages of the reference that are made from the code."""
    environment(dev=True)
    pages = [f"tests.docs.test_{page}_page" for page in ("settings", "cli", "identity", "methods")]
    for page in (*pages, "tests.server.roles_page"):
        run("python", "-m", page, why="Mend the error above.")


def vectors() -> None:
    """Write the test vectors again; without a change of the format they stay the same."""
    environment(dev=True)
    run("python", "vectors/generate.py", why="Mend the error above.")


def lock() -> None:
    """Pin every dependency of pyproject.toml, with hashes for all platforms, into the two lock files."""
    environment(dev=True)
    import tomllib  # noqa: PLC0415 - Python 3.10 must get as far as the sentence about its version

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    _compile(runtime, RUNTIME_LOCK)
    _compile([*runtime, *project["dependency-groups"]["dev"], f"-c {RUNTIME_LOCK.name}"], DEV_LOCK)


def _compile(requirements: list[str], lock_file: Path) -> None:
    options = ("--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header", "--no-annotate")
    anonymous = ("--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--no-emit-options")
    with tempfile.NamedTemporaryFile("w", suffix=".in", dir=ROOT) as source:
        source.write("\n".join(requirements))
        source.flush()
        run("pip-compile", "--quiet", *options, *anonymous, "--output-file", str(lock_file), source.name,
            why="Mend the version named above in pyproject.toml.")  # fmt: skip


def clean() -> None:
    """Remove the environment and everything that tools cached; the state folder stays."""
    for name in (
        ".venv",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".cache",
        ".hypothesis",
        ".import_linter_cache",
    ):
        shutil.rmtree(ROOT / name, ignore_errors=True)


TASKS = {
    task.__name__.replace("_", "-"): task
    for task in (
        *(demo, up, test, quick, radio, check, cores, fuzz, power_cuts, kills, rest),
        *(docs, vectors, lock, clean),
    )
}
STARTED = time.monotonic()


def main() -> int:
    """Run the task that the command line names."""
    if sys.version_info < (3, 11):
        print(f"Doorstep needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
        print("Run this with another one: python3.12 tasks.py TASK")
        return 2
    name, *arguments = sys.argv[1:] or [""]
    if name not in TASKS or (arguments and name not in ("demo", "up", "fuzz")):
        print("Usage: python3 tasks.py TASK\n")
        print("\n".join(f"  {key:7} {(task.__doc__ or '').splitlines()[0]}" for key, task in TASKS.items()))
        return 0 if name in ("-h", "--help") else 2
    try:
        TASKS[name](*arguments)
    except TaskFailed as error:
        print(f"\n{name} failed. Next: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    step(f"{name}: done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
