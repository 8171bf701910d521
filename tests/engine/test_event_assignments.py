"""Assignments of one event to species and to the size of their compartment.

All of them are made in the state before the event, conversion of a concentration to an amount included: cases 01779
and 01780 of the SBML Test Suite (https://github.com/sbmlteam/sbml-test-suite), whose numbers are the first two below.
A value taken at the trigger's time is a concentration, and is converted when the event executes. libRoadRunner 2.10.0
gives the same amounts for every model here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from senexo.lab.simulation import simulate
from senexo.model.loading import load

# model -> amounts and sizes at time 4
MODELS = {
    "species first": (
        "compartment C = 0.5; species $S in C = 2; at time > 1.5: S = 0.2, C = 0.2;",
        {"S": 0.1, "C": 0.2},
    ),
    "compartment first": (
        "compartment C = 0.5; species $S in C = 2; at time > 1.5: C = 0.2, S = 0.2;",
        {"S": 0.1, "C": 0.2},
    ),
    "several species": (
        "compartment C = 0.5; species $S in C = 2, $R in C = 3; substanceOnly species $Q in C = 7;"
        "at time > 1.5: S = R, C = 0.2, R = S + C, Q = Q + 1;",
        {"S": 3.0 * 0.5, "R": 2.5 * 0.5, "Q": 8.0, "C": 0.2},
    ),
    "size by a rule": (
        "k = 0.5; compartment C; C := 2*k; species $S in C = 2; at time > 1.5: S = 0.2, k = 0.2;",
        {"S": 0.2 * 1.0, "C": 0.4},
    ),
    "delay, values of the trigger": (
        "compartment C = 0.5; species $S in C = 2; at 1 after time > 1.5: S = 2*C, C = 0.2; at time > 2: C = 3;",
        {"S": 1.0 * 3.0, "C": 0.2},
    ),
    "delay, values of the execution": (
        "compartment C = 0.5; species $S in C = 2; at 1 after time > 1.5, fromTrigger=false: S = 2*C, C = 0.2;"
        "at time > 2: C = 3;",
        {"S": 6.0 * 3.0, "C": 0.2},
    ),
    "two events of one instant": (
        "compartment C = 0.5; species $S in C = 2; at time > 1.5, priority = 2: C = 4;"
        "at time > 1.5, priority = 1: S = 0.25, C = 0.2;",
        {"S": 0.25 * 4.0, "C": 0.2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_amounts_are_converted_with_the_size_before_the_event(name: str, tmp_path: Path) -> None:
    text, expected = MODELS[name]
    path = tmp_path / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    found = simulate(load(path), [0.0, 4.0]).isel(run=0, time=-1)
    assert {id: float(found[id]) for id in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        ("S = 6, C = 2, R = 3*S", {"S": 24.0, "R": 30.0 * 4.0, "C": 2.0}),
        ("C = 2, R = 3*S, S = 6", {"S": 24.0, "R": 30.0 * 4.0, "C": 2.0}),
        ("S = S/2, C = 2*C", {"S": 20.0, "R": 12.0, "C": 8.0}),
    ],
)
@pytest.mark.parametrize("delay", ["", "1 after "])
def test_whole_molecules_too(assignments: str, expected: dict[str, float], delay: str, tmp_path: Path) -> None:
    """Nothing reacts with these species, so every run ends with the same counts; another reaction keeps time."""
    path = tmp_path / "model.ant"
    path.write_text(
        "model m()\ncompartment C = 4; species S in C = 10, R in C = 3; compartment d = 1; species X in d = 0;"
        f"=> X; 5;\nat {delay}time > 1.5: {assignments};\nend\n"
    )
    found = simulate(load(path), [0.0, 4.0], method="ssa", runs=3, seed=5).isel(time=-1)
    for id, value in expected.items():
        assert np.all(found[id].values == value), id
    assert np.all(found["X"].values > 0)  # Poisson with mean 20: three zeros have probability 9e-27
