"""Puts what `make coverage` measured into docs/verification.md: `python -m verify._coverage REPORT.json`."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify._record import ROOT, Record, now, written_by

KERNEL = re.compile(r"(kernel|_compile|_inlined|intrinsic)\b")  # decorators; pyproject.toml leaves the same ones out


def main(report: Path) -> None:
    record = Record.read()
    record.coverage = summary(json.loads(report.read_text(encoding="utf-8")))
    record.write()
    sys.stdout.write(f"{record.coverage['percent']:.1f} % of {record.coverage['statements']} statements executed\n")


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """Of the whole package and of each of its rooms, from coverage's own JSON."""
    by_room: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in report["files"].items():
        parts = Path(name).parts
        room = by_room["/".join(parts[:2]) if len(parts) > 2 else "senexo/*.py"]
        room[0] += file["summary"]["num_statements"]
        room[1] += file["summary"]["covered_lines"]
    totals = report["totals"]
    commit, _ = written_by()
    return {
        "percent": _share(totals["covered_lines"], totals["num_statements"]),
        "statements": totals["num_statements"],
        "branches": totals["num_branches"],
        "branch_percent": _share(totals["covered_branches"], totals["num_branches"]),
        "kernel_lines": sum(kernel_lines(path.read_text(encoding="utf-8")) for path in (ROOT / "senexo").rglob("*.py")),
        "command": "make coverage",
        "date": now(),
        "commit": commit,
        "packages": [
            {"name": name, "statements": n, "percent": _share(ran, n)}
            for name, (n, ran) in sorted(by_room.items())
            if n
        ],
    }


def kernel_lines(source: str) -> int:
    """Lines of functions that numba compiles."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    compiled = (f for f in functions if any(KERNEL.match(ast.unparse(decorator)) for decorator in f.decorator_list))
    return sum((f.end_lineno or f.lineno) - f.lineno + 1 for f in compiled)


def _share(part: int, whole: int) -> float:
    return round(100.0 * part / whole, 2) if whole else 100.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
