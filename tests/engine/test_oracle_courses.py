"""Time courses of our own models against closed forms, libRoadRunner and COPASI; these oracles ship with the tests.

tests/oracles/make_courses.py made them, without senexo; courses/index.json says which programs agreed, and how well.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import senexo
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ode.ensemble import BatchODE
from senexo.model.loading import load, parse
from senexo.model.sbml_write import to_sbml

FOLDER = Path(__file__).parents[1] / "oracles" / "courses"
INDEX: dict[str, Any] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
COURSES: dict[str, dict[str, Any]] = INDEX["courses"]
# Defaults of `simulate` are rtol 1e-8 of each local error; 12 digits are stored.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


def expected(name: str) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    table = np.array(rows, dtype=float)
    return table[:, 0], {title: table[:, k] for k, title in enumerate(head) if k}


def compare(model: Any, name: str) -> None:
    times, known = expected(name)
    as_concentrations = set(COURSES[name]["concentrations"])
    for quantity, names in (("concentration", as_concentrations), ("amount", set(known) - as_concentrations)):
        found = senexo.simulate(model, times, quantity=quantity).isel(run=0) if names else None
        for variable in names:
            values = found[variable].values + np.zeros(len(times))
            scale = float(np.max(np.abs(known[variable])))
            np.testing.assert_allclose(
                values, known[variable], rtol=RELATIVE, atol=ABSOLUTE * scale, err_msg=f"{name}: {variable}"
            )


@pytest.mark.parametrize("name", COURSES)
def test_course(name: str) -> None:
    compare(load(FOLDER / f"{name}.xml"), name)


@pytest.mark.parametrize("name", COURSES)
def test_a_model_is_read_written_and_read_again_as_the_same(name: str) -> None:
    network = load(FOLDER / f"{name}.xml").network
    assert parse(to_sbml(network).encode(), source="written.xml") == network


def test_every_course_has_an_oracle_of_its_own() -> None:
    """Either each variable's closed form, or two programs that agreed to 1e-6."""
    assert {path.stem for path in FOLDER.glob("*.xml")} == set(COURSES)
    assert len(COURSES) >= 39
    assert set(INDEX["made_with"]) == {"libRoadRunner", "COPASI", "libSBML"}
    for name, course in COURSES.items():
        variables = set(expected(name)[1])
        assert set(course["closed_forms"]) == variables or len(course["agrees"]) == 2, name
        assert all(gap <= 1e-6 for gap in course["agrees"].values()), name


WRONG = {
    "dose that comes late": ("doses", '<cn type="integer"> 5 </cn>', "<cn> 5.01 </cn>"),
    "a rate that is off by 1 in 1,000": ("michaelis", "<cn> 0.5 </cn>", "<cn> 0.5005 </cn>"),
    "a size that is not multiplied": ("transport", 'size="5"', 'size="5.01"'),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_course_is_seen(name: str, tmp_path: Path) -> None:
    """The comparison has power: a small change of a model is a failure."""
    course, old, new = WRONG[name]
    text = (FOLDER / f"{course}.xml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "wrong.xml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AssertionError, match=course):
        compare(load(path), course)


@pytest.mark.parametrize("name", ["toggle", "michaelis", "titration"])
def test_batches_of_rows_go_the_same_course(name: str) -> None:
    """The batched solver, each of three rows its own run, where there are no events to carry."""
    lowered = lower(load(FOLDER / f"{name}.xml").network)
    times, known = expected(name)
    if lowered.events:
        times = times[times < 10.0]  # the first event of both comes at 10 or later
        lowered = senexo_without_events(lowered)
    rows = np.repeat(initial_values(lowered)[None], 3, axis=0)
    found = BatchODE(lowered).solve(rows, times, rtol=1e-9, atol=1e-12)
    assert not found.status.any()
    for variable, values in known.items():
        if variable in COURSES[name]["concentrations"]:
            continue
        column = found.values[:, :, lowered.slot(variable)]
        for row in column:
            np.testing.assert_allclose(row, values[: len(times)], rtol=RELATIVE, atol=ABSOLUTE * np.max(values))


def senexo_without_events(lowered: Any) -> Any:
    from dataclasses import replace

    return replace(lowered, events=())
