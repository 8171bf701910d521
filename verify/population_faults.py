"""Mutation tests of the population kernels: faults planted one at a time, each with the test that must fail.

Each is planted in a copy of the project of its own, with a cache of kernels of its own. It is caught if its test,
which passes without it, fails with a false assertion, or if the process of its test dies of a signal such as SIGSEGV (a
kernel without bounds checks that leaves its arrays). An error of any other kind (a module that no longer loads, a run
that breaks off) is not the test's doing, and does not count.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from verify import Check
from verify._planted import FAULTS, Planted

ROOT = Path(__file__).parents[1]
_COPIED = ("senexo", "tests", "reference", "verify", "pyproject.toml")
# what the processor or the C library does to a process that left its arrays; SIGKILL may be the system short of memory
DEADLY = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL})
_ASSERTED = ("AssertionError", "assert ")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many tests passed, how many failed with a false assertion, and anything else that went wrong.

    `died`: the name of the signal that ended the process of the tests, else "".
    """

    passed: int
    asserted: int
    other: int
    message: str
    died: str = ""

    @property
    def caught(self) -> bool:
        """Whether one test ran, and failed or died of the fault."""
        return bool(self.died) or (self.passed, self.asserted, self.other) == (0, 1, 0)


def plant(fault: Planted, root: Path) -> None:
    """Write the fault into the project at `root`; ValueError unless its text stands there exactly once."""
    path = root / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.name}: its text stands {text.count(fault.old)} times in {fault.file}, not once")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def copy(root: Path) -> None:
    """The project as it is here, at `root`, without what Python has compiled."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, root / name)


def run(tests: Sequence[str], root: Path, cache: Path) -> Verdict:
    """These tests in the project at `root`."""
    report = root / "report.xml"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTEST_", "PYTHON"))}
    report.unlink(missing_ok=True)
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"],
        cwd=root,
        env={**kept, "SENEXO_CACHE": str(cache), "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=600,
    )
    if -finished.returncode in DEADLY:
        died = signal.Signals(-finished.returncode).name
        return Verdict(0, 0, 0, f"the process died by {died}", died)
    if not report.exists():
        return Verdict(0, 0, 1, "no report")
    cases = list(ElementTree.parse(report).iter("testcase"))
    failures = [found.get("message", "") for case in cases for found in case.findall("failure")]
    asserted = sum(message.startswith(_ASSERTED) for message in failures)
    broken = len(failures) - asserted + sum(case.find("error") is not None for case in cases)
    told = next(iter(failures), "").splitlines()
    return Verdict(len(cases) - len(failures) - broken, asserted, broken, told[0] if told else "")


def main() -> list[Check]:
    tests = list(dict.fromkeys(fault.test for fault in FAULTS))
    checks = []
    with tempfile.TemporaryDirectory() as name:
        root, cache = Path(name) / "project", Path(name) / "cache"
        copy(root)
        sound = run(tests, root, cache)
        fine = sound.passed == len(tests)
        checks.append(Check("tests that pass without a fault", sound.passed, len(tests), fine, sound.message, "=="))
        for fault in FAULTS:
            copy(root)
            plant(fault, root)
            found = run([fault.test], root, cache)
            caught = found.caught
            detail = f"{fault.test.split('::')[1]}: {found.message}"[:160]
            checks.append(Check(fault.name, float(caught), 1.0, caught, detail, "=="))
            print(f"{'caught' if caught else 'NOT CAUGHT'}  {fault.name}  {detail}", file=sys.stderr, flush=True)
    return checks
