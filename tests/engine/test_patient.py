"""Parts of a virtual patient against closed forms and against other implementations.

Statistical tests have fixed seeds; where they may fail by chance the rate is stated.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from senexo.base.streams import derive
from senexo.engine.blood.transit import Line, counts
from senexo.engine.host.patient import PATIENT, at_rest, blood_step, marrow_step
from senexo.engine.host.stem_cells import step

# division, renewal, renewal after escape, rest, wake, commit, loss active, loss resting, escape, loss senescent
RATES = np.array([1.0, 0.55, 0.6, 0.06, 0.02, 0.1, 0.05, 0.01, 0.03, 0.02])


def grown(start: list[float], days: float, run: int, rates: np.ndarray = RATES) -> tuple[np.ndarray, float]:
    k0, k1 = (np.uint64(word) for word in derive(7, "stem cells", run))
    x, born = np.array(start), np.zeros(1)
    step(k0, k1, np.zeros(1, np.uint64), x, days, rates, born)
    return x, float(born[0])


def matrix(h: np.ndarray) -> np.ndarray:
    """The generator of the means: active, quiescent, senescent, escaped active and quiescent, blasts made."""
    a = np.zeros((6, 6))
    for active, quiet, renewal in ((0, 1, h[1]), (3, 4, h[2])):
        a[active, active] = (2 * renewal - 1) * h[0] - h[3] - h[5] - h[6]
        a[quiet, active], a[2, active], a[5, active] = h[3], h[5], 2 * (1 - renewal) * h[0]
        a[active, quiet], a[quiet, quiet] = h[4], -(h[4] + h[7])
    a[3, 2], a[2, 2] = h[8], -(h[8] + h[9])
    return a


@pytest.mark.parametrize(
    ("start", "runs", "days"),
    [
        pytest.param([10.0, 10.0, 5.0, 0.0, 5.0], 3000, 10.0, id="one by one"),
        pytest.param([1000.0, 500.0, 300.0, 200.0, 100.0], 200, 10.0, id="leaps"),
        pytest.param([4e5, 2e5, 1e5, 0.0, 1e5], 1, 10.0, id="means"),
    ],
)
def test_means_of_stem_cells_are_those_of_the_linear_equations(start: list[float], runs: int, days: float) -> None:
    """Within 4.5 standard errors (false alarm in 7 of 1e6 for each of six numbers), and 0.2 % for the step."""
    expected = expm(matrix(RATES) * days) @ np.array([*start, 0.0])
    found = np.array([[*x, born] for x, born in (grown(start, days, run) for run in range(runs))])
    error = 4.5 * found.std(axis=0) / np.sqrt(runs) + 2e-3 * expected
    assert (np.abs(found.mean(axis=0) - expected) < error).all(), (found.mean(axis=0), expected)


def test_one_active_stem_cell_dies_out_as_a_galton_watson_process_does() -> None:
    """Daughters stay stem cells with probability p, nothing else happens: extinction ((1 - p) / p)^2."""
    rates, n = np.array([1.0, 0.6, 0.6, 0, 0, 0, 0, 0, 0, 0]), 20_000
    extinct = np.mean([grown([1.0, 0, 0, 0, 0], 60.0, run, rates)[0].sum() == 0.0 for run in range(n)])
    expected = (0.4 / 0.6) ** 2
    assert abs(extinct - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n)  # false alarm in 7 of 1e6


def test_no_stem_cell_comes_from_nothing() -> None:
    x, born = grown([0.0] * 5, 1000.0, 1)
    assert (x == 0.0).all()
    assert born == 0.0


def test_blood_has_the_course_of_the_other_implementation() -> None:
    """`senexo.engine.blood`, which equals libRoadRunner: seven days of a drug, then recovery beside leukaemic cells."""
    days = np.arange(0.0, 60.0, 0.25)
    line = np.array([[2.8, 0.722, 2.3765, 0.444], [250.0, 0.615, 0.615, 0.2]])
    share = 0.6
    b, found = at_rest(line, share), []
    for day in days:
        found.append(b[:, 4].copy())
        drug = np.array([0.9, 0.5]) if day < 7.0 else np.zeros(2)
        for _ in range(5):
            blood_step(b, line, drug, share, 0.05)
    hours = 24.0 * np.concatenate([days[days < 7.0], [7.0], days[days >= 7.0]])
    given = np.concatenate([np.full((days < 7.0).sum() + 1, 1.0), np.zeros((days >= 7.0).sum())])
    for row, slope in enumerate((0.9, 0.5)):
        own = Line(line[row, 0], line[row, 1] / 24.0, line[row, 2] / 24.0, line[row, 3])
        other = counts(own, hours, exposure=given * (np.e - 1.0), slope=slope, normal_share=share).circulating[0]
        other = np.delete(other, (days < 7.0).sum())
        np.testing.assert_allclose(np.array(found)[:, row], other, rtol=2e-4)


def a_patient() -> np.ndarray:
    p = np.zeros(1, PATIENT)
    numbers = {
        "transits": 6, "transit_division": 1.5, "blast_loss": 0.15, "renewal_normal": 0.87, "division_normal": 0.45,
        "loss_normal": 2.3, "signal": 1.89e-9, "normal_kill": 0.1,
    }  # fmt: skip
    for name, value in numbers.items():
        p[name] = value
    return p


def test_a_healthy_marrow_stays_as_it_is() -> None:
    t = np.zeros(9)
    t[8] = (2 * 0.87 - 1) / 1.89e-9
    t[7] = 2.3 * t[8] / 0.45
    start = t.copy()
    for _ in range(400):
        marrow_step(a_patient()[0], t, 0.0, 0.0, 0.0, 0.05)
    np.testing.assert_allclose(t, start, rtol=1e-9)


def test_every_division_of_a_transit_blast_makes_two() -> None:
    """One blast made per day for a long time: 2^6 mature ones a day are lost."""
    t = np.zeros(9)
    for _ in range(10_000):
        marrow_step(a_patient()[0], t, 1.0, 0.0, 0.0, 0.05)
    assert t[6] * 0.15 == pytest.approx(2.0**6, rel=1e-6)
    assert t[:6] * 1.5 == pytest.approx(2.0 ** np.arange(6), rel=1e-6)
