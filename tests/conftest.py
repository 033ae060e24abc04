"""What every test shares: no setting of the developer's own, calm hypothesis, and skips that are seen."""

import inspect
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.attacks import told_by

pytest_plugins = ["tests.plants", "tests.postgres"]

_NO_SKIP = "DOORSTEP_TEST_NO_SKIP"
"""With this in the environment a skipped test is a failure: the machine claims to have everything."""

_EXAMPLES = "DOORSTEP_TEST_EXAMPLES"
"""How many examples a property is tried with; the quick suite takes fewer."""


# A developer's DOORSTEP_DATABASE_URL must never become the database that tests write to. This file is
# loaded before every other conftest, so what those set stays.
for _name in [
    name for name in os.environ if name.startswith("DOORSTEP_") and not name.startswith("DOORSTEP_TEST_")
]:
    del os.environ[_name]


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C, and so would every program that a test interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Two cores shared by many processes make single examples slow now and then; that is no defect.
    settings.register_profile(
        "doorstep",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=int(os.environ.get(_EXAMPLES, "100")),
    )
    settings.load_profile("doorstep")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest begins first, so that two workers end together.
    items.sort(key=lambda item: item.path.name != "test_on_postgres.py")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    passed = yield
    if told := told_by(pyfuncitem.name, inspect.getdoc(pyfuncitem.obj) or ""):
        print(told)  # noqa: T201 - the report of the attack suite
    return passed


def _skipped(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [f"{report.nodeid}: {_reason(report)}" for report in reports]


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    if os.environ.get(_NO_SKIP) and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    names = _skipped(config)
    if names:
        verdict = "failures here" if os.environ.get(_NO_SKIP) else "by name"
        terminalreporter.section(f"{len(names)} skipped: {verdict}")
        terminalreporter.write_line("\n".join(names))
