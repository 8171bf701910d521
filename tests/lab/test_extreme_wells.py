"""Wells at the ends of what a study can ask for: no cell at all, and cells whose model has events."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senexo import workflow
from senexo.base.errors import UnsupportedFeature
from senexo.study.resolve import resolve
from senexo.study.schema import Study

SWITCH = Path(__file__).parents[1] / "circuits" / "switch"


def study(circuit: Path, method: str, cells: int) -> Study:
    return resolve({
        "title": "t", "seed": 3, "model": {"circuit": str(circuit)}, "cells": {"A": {"n": cells}}, "donors": {"n": 1},
        "arms": {"mock": {}}, "culture": {"duration": "6 h", "method": method, "preequilibration": "1 h"},
        "readouts": {"times": ["0 h", "6 h"]},
    })  # fmt: skip


@pytest.mark.parametrize("method", ["exact", "split", "hybrid", "mean_field"])
def test_a_well_that_is_empty_from_the_start_stays_empty(tmp_path: Path, method: str) -> None:
    found = workflow.run(study(SWITCH, method, 0), out=tmp_path / "out", workers=1).table("counts")
    cells = found[found["quantity"] == "cells"]
    assert {0.0, 6.0} <= set(cells["time_h"])
    assert (cells["value"] == 0).all()
    medium = found[found["cell_type"] == "medium"]
    assert (medium["value"] == 0).all()  # no cell releases anything


@pytest.mark.parametrize("method", ["exact", "split", "hybrid", "mean_field"])
def test_events_of_a_cell_are_refused(tmp_path: Path, method: str) -> None:
    """So two events that trigger each other without end cannot hold a well up; cells alone may have events."""
    circuit = tmp_path / "chattering"
    shutil.copytree(SWITCH, circuit)
    model, table = circuit / "circuit.ant", circuit / "parameters.csv"
    events = "flag = 0;\n  up: at (flag < 0.5): flag = 1;\n  down: at (flag > 0.5): flag = 0;\n  is_on :="
    model.write_text(model.read_text(encoding="utf-8").replace("is_on :=", events), encoding="utf-8")
    table.write_text(table.read_text(encoding="utf-8") + "flag,0,0,0,fixed,1,none found,assumed,\n", encoding="utf-8")
    with pytest.raises(UnsupportedFeature, match="events in a population"):
        workflow.run(study(circuit, method, 6), out=tmp_path / "out", workers=1)
