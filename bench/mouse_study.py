"""A study of mice: 8 arms x 10 samples x 6 mice for 16 weeks, on two processes, with its circuits apart.

An established graft is treated for 28 days, for which 100 circuits of each arm and sample are followed (their tables of
hazards are timed alone, on one process); then regrowth is watched. Wall time of the whole run, tables and report
included, kernels compiled before.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from senexo import workflow
from senexo.lab.experiment import UNTREATED, World
from senexo.lab.lone import hazards
from senexo.lab.mouse.experiment import MouseExperiment
from senexo.lab.registry import experiment_of
from senexo.study.resolve import resolve
from senexo.study.schema import Study

CIRCUITS, SAMPLES, AIM_MIN = 100, 10, 15.0


def study(samples: int = SAMPLES) -> Study:
    """Six doses of the mimic, untreated mice and a permanent arrest."""
    given: dict[str, Any] = {"what": "miR-34c-5p", "amount": [300, 1000, 3000, 10000, 30000, 100000], "at": "0 h"}
    return resolve({
        "title": "speed of mice", "seed": 1, "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": CIRCUITS}},
        "donors": {"n": samples}, "culture": {"duration": "28 d"},
        "arms": {"mock": {}, "mimic": {"dose": given}, "arrest": {"express": {"p21": 20}}},
        "readouts": {"grid": "3 h"},
        "mouse": {
            "strain": "NSG", "cells": 1e5, "mice": 6, "treated_from": "28 d", "marrow": ["4 weeks", "8 weeks"],
            "end": "16 weeks", "draws": {"no_engraftment": 0.0},
        },
    })  # fmt: skip


def main() -> None:
    """Print the times; fail where mice are missing."""
    own = study()
    experiment = experiment_of(own)
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    warm = next(unit for unit in experiment.units() if unit.world is World.STUDY)
    experiment.simulate_unit(warm)
    begin = time.perf_counter()
    for donor in range(1, SAMPLES + 1):
        for arm in (UNTREATED, *own.arms.values()):
            hazards.of_cells(experiment.simulator, arm, donor, range(1, CIRCUITS + 1))
    tables = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as name:
        begin = time.perf_counter()
        found = workflow.run(own, out=Path(name) / "run", workers=2)
        whole = time.perf_counter() - begin
        mice = len(found.table("mice"))
    assert mice == len(own.arms) * SAMPLES * own.mouse.mice  # type: ignore[union-attr]
    assert len(own.arms) == 8
    print(f"tables of hazards, {SAMPLES} samples x 9 x {CIRCUITS} circuits of 28 d, one process {tables:8.1f} s")
    print(
        f"study of {mice} mice for 16 weeks, two processes, with these tables {whole / 60:8.2f} min (aim {AIM_MIN:g})"
    )


if __name__ == "__main__":
    main()
