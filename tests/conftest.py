"""Test modules import `facts` and other fixtures of this folder by name; what pytest itself hands them is here."""

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Visit, browser
from hypothesis import settings

# No deadline: a busy machine is no defect. The same examples each time: what fails here fails everywhere.
settings.register_profile("press", deadline=None, derandomize=True)
settings.load_profile("press")

# What a machine may lack. A test that skips for any other reason fails, so that no check says less than it seems to.
MAY_SKIP = (
    "this CPU does not multiply in ",
    "this machine has a GPU",
    "this system does not tell a peak from a moment on",
    "children that still run are counted on Linux alone",
    "without /proc it cannot be seen whether a process has ended",
)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    _refuse((yield).get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    _refuse((yield).get_result())


def _refuse(report: Any) -> None:
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if not reason.startswith(MAY_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: skipped for a reason that MAY_SKIP does not list: {reason}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    made = Visit(chromium)
    yield made
    made.context.close()


@pytest.fixture(autouse=True)
def no_memory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs of tests bear one key and contradict each other: none is remembered beyond its test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
