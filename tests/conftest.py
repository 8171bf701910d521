"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
import signal
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

# The same examples on every machine and in every run: a failure can be repeated, and a pass is not luck.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

MEMORY_OF_A_WORKER = 1.5  # GiB; numba keeps the machine code of all kernels that a process has used

SLOW = Path(__file__).with_name("slow.txt")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Ctrl-C is heard, by the tests and the programs they start, even where the shell runs them in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder ../shared/data beside the checkout: real data and test suites, never part of the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return SHARED


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: as many processes as there are cores this process may use, and memory for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return cores
    return max(1, min(cores, int(free / MEMORY_OF_A_WORKER)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow-list", type=float, metavar="SECONDS", help="write tests/slow.txt anew from this run")


def slow_functions() -> frozenset[str]:
    """What tests/slow.txt lists: "tests/.../test_x.py::test_y"."""
    lines = SLOW.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def pytest_collection_finish() -> None:
    """What the tests and libraries hold by now stays until the end: the collector need not look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of tests/slow.txt are marked slow."""
    listed = slow_functions()
    for item in items:
        if item.nodeid.partition("[")[0] in listed:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With --slow-list: the functions whose cases, set-up included, took this long together."""
    least = config.getoption("--slow-list")
    if least is None:
        return
    took: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                took[report.nodeid.partition("[")[0]] += report.duration  # type: ignore[assignment]
    head = [line for line in SLOW.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    names = sorted(name for name, seconds in took.items() if seconds >= least)
    SLOW.write_text("\n".join([*head, *names]) + "\n", encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> object:
    """Where ../shared is present, CI counts a skip as a failure: nothing may be silently left out."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and SHARED.is_dir() and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return (yield)
