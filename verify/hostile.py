"""The whole hostile corpus, and 10,000 models with code for names (reliability bars R16 and R17)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from senexo.base.errors import SenexoError
from senexo.engine.formula.lower import lower
from senexo.model.loading import load
from verify import Check
from verify._hostile import Case, cases


def main() -> list[Check]:
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [(case, *attempt(case, Path(folder) / case.file)) for case in cases()]
    wrong = [case.name for case, outcome, _ in outcomes if outcome != case.outcome]
    slowest = max(outcomes, key=lambda row: row[2])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "verify._audit", folder, "10000"]
        audit = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [
        Check(f"{len(outcomes)} hostile files, wrong outcomes", len(wrong), 0, not wrong, ", ".join(wrong)),
        Check("slowest of them, seconds", slowest[2], 30, slowest[2] <= 30, slowest[0].name),
        Check(f"audit events from {audit['tried']} models", len(audit["seen"]), 0, not audit["seen"]),
        Check("of these, wrong outcomes", len(audit["wrong"]), 0, not audit["wrong"], ", ".join(audit["wrong"][:3])),
    ]


def attempt(case: Case, path: Path) -> tuple[str, float]:
    path.write_bytes(case.data)
    start = time.perf_counter()
    try:
        lower(load(path).network)
        outcome = "accepted"
    except SenexoError:
        outcome = "refused"
    return outcome, time.perf_counter() - start
