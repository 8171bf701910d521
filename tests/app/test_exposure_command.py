"""`senexo exposure`: sentences and a table out, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd


def test_the_command(senexo: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "doses.csv").write_text("TIME,AMT,RATE\n0,1400,8.333333\n")
    status, said, _ = senexo(
        "exposure", "doses.csv", "--agent", "cytarabine", "--unit", "mg/m2", "--end", 168, "--out", "course"
    )
    assert status == 0
    assert "cytarabine in a patient: highest concentration 0.2" in said
    assert len(pd.read_csv(tmp_path / "course" / "exposure.csv")) == 201
    again, _, said = senexo("exposure", "doses.csv", "--agent", "cytarabine", "--out", "course")
    assert (again, "which is there already" in said) == (2, True)
    again, _, said = senexo("exposure", "doses.csv", "--agent", "cytarabine", "--end", 0)
    assert (again, "a time after the first record" in said) == (2, True)
