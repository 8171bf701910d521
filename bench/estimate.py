"""What `senexo check` says a run will take, beside what it takes: the shipped studies, by the command line.

Each study is run with the number of donors that is stated for it, or with two where a run of all would take longer than
`MOST` seconds by its own estimate. A study is checked and run in turn, so that both have the same load; compiled
kernels are there for both. The aim is a factor of 1.5 either way.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from senexo.study.read import shipped_studies

MOST, FACTOR = 150.0, 1.5
TIME = re.compile(r"with \d+ workers?: about (\d+) (s|min)")


def stated(study: str, options: list[str]) -> float:
    """Seconds that `senexo check` states."""
    command = [sys.executable, "-m", "senexo", "check", study, *options]
    found = TIME.search(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found is not None, study
    return float(found[1]) * {"s": 1.0, "min": 60.0}[found[2]]


def taken(study: str, options: list[str]) -> float:
    """Seconds from the start of `senexo run` to its end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "senexo", "run", study, *options, "--out", str(Path(folder) / "out")]
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - begin


def main() -> None:
    """Print the stated time over the time of each run."""
    within = 0
    for study in shipped_studies():
        options: list[str] = []
        says = stated(study, options)
        if says > MOST:
            options = ["--set", "donors.n=2"]
            says = stated(study, options)
        if says > 2.0 * MOST:
            print(f"{study:<24} {says:6.0f} s stated for two donors: not run")
            continue
        took = taken(study, options)
        within += 1 / FACTOR <= says / took <= FACTOR
        print(
            f"{study:<24} {'all donors' if not options else '2 donors':<10} stated / taken {says / took:5.2f}",
            flush=True,
        )
    print(f"{within} of {len(shipped_studies())} studies within a factor of {FACTOR}")
