"""What `make coverage` puts on the page: shares of statements by package, kernels counted apart."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from verify import _coverage, _record
from verify._coverage import KERNEL, kernel_lines, summary
from verify._record import ROOT, Record

SOURCE = """
@kernel()
def one(x):
    y = x
    return y

@_compile
def two(x): return x

def three(x):
    return x

@kernels_of_another_kind
def four(x):
    return x
"""
REPORT = {
    "files": {
        "senexo/lab/a.py": {"summary": {"num_statements": 30, "covered_lines": 27}},
        "senexo/lab/coupled/b.py": {"summary": {"num_statements": 10, "covered_lines": 3}},
        "senexo/base/c.py": {"summary": {"num_statements": 60, "covered_lines": 60}},
        "senexo/workflow.py": {"summary": {"num_statements": 0, "covered_lines": 0}},
    },
    "totals": {"num_statements": 100, "covered_lines": 90, "num_branches": 40, "covered_branches": 20},
}


def test_lines_of_compiled_functions_are_counted() -> None:
    assert kernel_lines(SOURCE) == 4


def test_the_configuration_leaves_the_same_functions_out() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["report"]
    assert f"@{KERNEL.pattern}" in config["exclude_also"]


def test_shares_of_the_whole_and_of_each_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = summary(REPORT)
    assert (found["percent"], found["branch_percent"], found["statements"]) == (90.0, 50.0, 100)
    assert found["packages"] == [
        {"name": "senexo/base", "statements": 60, "percent": 100.0},
        {"name": "senexo/lab", "statements": 40, "percent": 75.0},
    ]
    assert found["kernel_lines"] > 1000
    monkeypatch.setattr(_record, "FOLDER", tmp_path)
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    _coverage.main(tmp_path / "report.json")
    page = Record.read().page()
    assert "90.0 % of 100 statements of `senexo` and 50.0 % of its\n40 branches" in page
    assert "| senexo/lab | 40 | 75.0 % |" in page
