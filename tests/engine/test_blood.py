"""Blood counts against libRoadRunner and against a closed form; laws; grades against the text of CTCAE 5.0."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from senexo.base.errors import InvalidInput
from senexo.engine.blood.grades import grade, toxicity
from senexo.engine.blood.transit import Line, counts

ORACLES = Path(__file__).parents[1] / "oracles" / "blood"
CASES = json.loads((ORACLES / "index.json").read_text(encoding="utf-8"))["cases"]
JOST = Line(baseline=2.8, transit=0.236 / 24, loss=2.3765 / 24, feedback=0.651)
WEEK = ([0.0, 24.0, 24.0, 192.0, 192.0, 1000.0], [0.0, 0.0, 0.3, 0.3, 0.0, 0.0])
Floats = NDArray[np.float64]


def on_grid(case: dict, wanted: Floats) -> tuple[Floats, Floats, Floats]:
    """Times that hold the wanted ones and all knots (one that stands twice does so here), exposure and share."""
    knots = {name: np.array(case[name]) for name in ("exposure", "share")}
    hours = dict.fromkeys(wanted.tolist(), 1)
    for table in knots.values():
        for hour in table[:, 0].tolist():
            hours[hour] = max(hours.get(hour, 1), int((table[:, 0] == hour).sum()))
    times = np.array([hour for hour in sorted(hours) for _ in range(hours[hour])])
    found = []
    for table in knots.values():
        value = np.interp(times, table[:, 0], table[:, 1])
        for hour in times[1:][np.diff(times) == 0.0]:
            here, there = np.flatnonzero(times == hour), table[table[:, 0] == hour, 1]
            if len(there) == 2:
                value[here] = there
        found.append(value)
    return times, found[0], found[1]


@pytest.mark.parametrize("name", CASES)
def test_as_libroadrunner(name: str) -> None:
    case = CASES[name]
    table = np.loadtxt(ORACLES / f"{name}.csv", delimiter=",", skiprows=1)
    times, drug, share = on_grid(case, table[:, 0])
    line = Line(case["baseline"], case["transit"], case["loss"], case["feedback"])
    found = counts(line, times, exposure=drug, slope=case["slope"], normal_share=share)
    last = np.searchsorted(times, table[:, 0], side="right") - 1
    assert found.states[0, last] == pytest.approx(table[:, 1:], rel=1e-6)


def test_without_feedback_the_course_is_a_matrix_exponential() -> None:
    f, line = 1.0 - 2.0 * np.log1p(0.3), Line(3.0, 0.04, 0.1, 1e-13)
    rates = np.diag([0.04 * (f - 1.0), -0.04, -0.04, -0.04, -0.1]) + np.diag([0.04] * 4, -1)
    times = np.array([0.0, 10.0, 77.0, 300.0])
    found = counts(line, times, exposure=0.3, slope=2.0)
    begin = np.array([7.5, 7.5, 7.5, 7.5, 3.0])
    for place, time in enumerate(times):
        assert found.states[0, place] == pytest.approx(expm(rates * time) @ begin, rel=1e-7)


def test_the_healthy_and_the_crowded_state_stay() -> None:
    """At rest C = B f^(1/gamma) and all earlier compartments hold k C / k_tr."""
    found = counts(JOST, [0.0, 500.0, 5000.0], normal_share=0.3)
    rest = 2.8 * 0.3 ** (1 / 0.651)
    assert found.circulating[0] == pytest.approx([rest] * 3, rel=1e-8)
    assert found.states[0, -1, :4] == pytest.approx([rest * 2.3765 / 0.236] * 4, rel=1e-8)


def test_counts_return_after_treatment_and_fall_deeper_with_more_effect() -> None:
    times, drug = [*WEEK[0], 10_000.0], [*WEEK[1], 0.0]
    course = np.arange(200.0, 10_000.0, 10.0)  # the drug is gone
    found = counts(
        Line(2.8, 0.03, 0.1, 0.444), [*times[:5], *course], exposure=[*drug[:5], *np.zeros(len(course))],
        slope=[0.0, 1.0, 3.0, 9.0],
    ).circulating  # fmt: skip
    assert found[0] == pytest.approx(np.full(found.shape[1], 2.8), rel=1e-8)
    assert (np.diff(found.min(axis=1)) < 0).all()
    assert found[:, -1] == pytest.approx([2.8] * 4, rel=1e-6)


def test_hosts_together_are_as_hosts_alone_and_courses_can_be_continued() -> None:
    times, drug = WEEK
    gammas = [0.161, 0.4, 0.651]
    together = counts(Line(2.8, 0.01, 0.1, gammas), times, exposure=drug, slope=4.0).states
    for host, gamma in enumerate(gammas):
        alone = counts(Line(2.8, 0.01, 0.1, gamma), times, exposure=drug, slope=4.0)
        assert together[host] == pytest.approx(alone.states[0], rel=1e-7)
        first = counts(Line(2.8, 0.01, 0.1, gamma), times[:4], exposure=drug[:4], slope=4.0).states[:, -1]
        rest = counts(Line(2.8, 0.01, 0.1, gamma), times[4:], exposure=drug[4:], slope=4.0, start=first).states[:, -1]
        assert rest == pytest.approx(alone.states[:, -1], rel=1e-7)


def test_counts_scale_with_the_baseline() -> None:
    times, drug = WEEK
    one = counts(Line(1.0, 0.01, 0.1, 0.6), times, exposure=drug, slope=4.0).states
    many = counts(Line(250.0, 0.01, 0.1, 0.6), times, exposure=drug, slope=4.0).states
    assert many == pytest.approx(250.0 * one, rel=1e-8)


def test_all_faults_of_a_call_at_once() -> None:
    with pytest.raises(InvalidInput) as error:
        counts(JOST, [2.0, 1.0], exposure=[-1.0, 0.0], slope=-1.0, normal_share=0.0, start=[1.0, 2.0])
    for word in ("times", "exposure", "slope", "normal_share", "start"):
        assert word in str(error.value)
    with pytest.raises(InvalidInput, match="transit"):
        Line(1.0, 0.0, 1.0, 1.0)
    with pytest.raises(InvalidInput, match="hosts"):
        counts(Line([1.0, 2.0], 0.1, 0.1, 1.0), [0.0, 1.0], slope=[1.0, 2.0, 3.0])
    with pytest.raises(InvalidInput, match="exposure"):
        counts(JOST, [0.0, 1.0], exposure=[1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("cells", "limits"), [("neutrophils", (1.8, 1.5, 1.0, 0.5)), ("platelets", (150.0, 75.0, 50.0, 25.0))]
)
def test_grades_begin_below_their_limit(cells: str, limits: tuple[float, ...]) -> None:
    for number, limit in enumerate(limits):
        assert grade(limit, cells) == number
        assert grade(np.nextafter(limit, 0.0), cells) == number + 1
    assert grade([0.0, 1e4], cells).tolist() == [4, 0]
    assert grade(limits[0], cells, normal=2 * limits[0]) == 1


def test_hours_at_a_grade_are_those_of_the_line_between_counts() -> None:
    """100 to 0 within 100 h, a jump to 60, and 60 to 60 within 10 h: below 75 for 75 + 10, below 50 for 50 h."""
    found = toxicity([0.0, 100.0, 100.0, 110.0], [[100.0, 0.0, 60.0, 60.0]], "platelets")
    assert found.hours.tolist() == [[110.0, 85.0, 50.0, 25.0]]
    assert (found.worst[0], found.nadir[0], found.nadir_h[0]) == (4, 0.0, 100.0)


def test_faults_of_grades() -> None:
    with pytest.raises(InvalidInput, match="cells"):
        grade(1.0, "erythrocytes")
    with pytest.raises(InvalidInput, match="counts"):
        grade([1.0, np.nan], "platelets")
    with pytest.raises(InvalidInput, match="normal"):
        grade(1.0, "neutrophils", normal=1.2)
    with pytest.raises(InvalidInput, match="times"):
        toxicity([0.0, -1.0], [1.0, 1.0], "platelets")
