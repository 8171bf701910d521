"""What counts as a caught fault: a false assertion, or a process that dies of leaving its arrays; nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from verify.population_faults import run

CASES = {
    "assert": ("assert 1 == 2", True),
    "segfault": ("import ctypes; ctypes.string_at(0)", True),
    "abort": ("import os; os.abort()", True),
    "passes": ("assert 1 == 1", False),
    "error": ("raise OSError('gone')", False),
    "exit": ("import os; os._exit(1)", False),
    "killed": ("import os; os.kill(os.getpid(), 9)", False),
    "does not load": ("x = = 1", False),
}


@pytest.mark.parametrize("name", CASES)
def test_what_counts_as_caught(tmp_path: Path, name: str) -> None:
    body, caught = CASES[name]
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    found = run(["test_it.py::test_it"], tmp_path, tmp_path / "cache")
    assert found.caught == caught
    assert (found.died != "") == (name in ("segfault", "abort"))
