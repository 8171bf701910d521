"""The list of slow tests names tests that exist, and what is on it is left out of the quick run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "slow.txt"


def listed() -> list[str]:
    return [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def test_every_name_is_that_of_a_test() -> None:
    gone = []
    for name in listed():
        file, _, function = name.partition("::")
        path = ROOT / file
        if not path.is_file() or not re.search(rf"^def {function}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            gone.append(name)
    assert gone == [], "take these lines out of tests/slow.txt, or give them their new names"
    assert listed() == sorted(set(listed()))


def test_the_quick_run_leaves_them_out(tmp_path: Path) -> None:
    """Collected only: one file of which some functions are listed and some are not."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "tests/lab/test_claim_nulls.py",
        "-p",
        "no:cacheprovider",
    ]
    both = [subprocess.run([*command, "-m", m], cwd=ROOT, capture_output=True, text=True) for m in ("slow", "not slow")]
    slow, quick = ({line.partition("[")[0] for line in run.stdout.splitlines() if "::" in line} for run in both)
    name = "tests/lab/test_claim_nulls.py::test_the_same_of_coupled_cells"
    assert name in slow
    assert name not in quick
    assert "tests/lab/test_claim_nulls.py::test_only_compared_arms_are_simulated_again" in quick
    assert slow == {line for line in listed() if line.startswith("tests/lab/test_claim_nulls.py")}
