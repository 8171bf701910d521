"""Courses of amounts under event records against closed forms that are written here as sums of exponentials.

The response of the central compartment to one bolus is a sum of exponentials; infusions are its integral, several doses
its sum, a steady state its geometric series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from senexo.base.errors import InvalidInput
from senexo.engine.pk.compartments import Compartments, half_life
from senexo.engine.pk.course import course
from senexo.engine.pk.events import Event

Floats = NDArray[np.float64]
TIMES = np.array([0.0, 0.25, 1.0, 2.0, 5.5, 7.0, 12.0, 13.0, 24.0, 25.0, 36.5, 48.0, 60.0, 96.0])
CL, V, Q, V2, KA = 3.0, 20.0, 4.0, 30.0, 0.9

# exponents and weights of the amount in the central compartment after a bolus of 1 (into the depot where there is one)
Terms = tuple[tuple[float, float], ...]


def one(k: float = CL / V) -> Terms:
    return ((k, 1.0),)


def two() -> Terms:
    k10, k12, k21 = CL / V, Q / V, Q / V2
    total, product = k10 + k12 + k21, k10 * k21
    alpha, beta = (total + np.sqrt(total**2 - 4 * product)) / 2, (total - np.sqrt(total**2 - 4 * product)) / 2
    return ((alpha, (alpha - k21) / (alpha - beta)), (beta, (k21 - beta) / (alpha - beta)))


def absorbed(terms: Terms, ka: float = KA) -> Terms:
    """The convolution with ka e^(-ka t)."""
    found = [(rate, weight * ka / (ka - rate)) for rate, weight in terms]
    return (*found, (ka, -sum(weight for _, weight in found)))


def bolus(terms: Terms, t: Floats) -> Floats:
    after = np.maximum(t, 0.0)
    return np.where(t < 0.0, 0.0, sum(w * np.exp(-k * after) for k, w in terms))


def infusion(terms: Terms, t: Floats, duration: float) -> Floats:
    """At rate 1."""

    def since(x: Floats) -> Floats:
        return sum(w / k * -np.expm1(-k * np.maximum(x, 0.0)) for k, w in terms)

    return since(t) - since(t - duration)


def steady_bolus(terms: Terms, t: Floats, ii: float) -> Floats:
    """From the dose at 0 on, after doses of 1 at -ii, -2 ii and so on; no further dose."""
    return sum(w * np.exp(-k * t) / -np.expm1(-k * ii) for k, w in terms)


def steady_infusion(terms: Terms, t: Floats, duration: float, ii: float, n: int = 4000) -> Floats:
    """The same of infusions at rate 1, as the sum over n earlier ones."""
    return sum(infusion(terms, t + k * ii, duration) for k in range(n))


def since(time: float) -> Floats:
    return np.maximum(TIMES - time, 0.0)


IV1, IV2 = Compartments(CL, V), Compartments(CL, V, (Q,), (V2,))
PO1 = Compartments(CL, V, absorption=KA, bioavailability=0.7, lag=0.5)
PO2 = Compartments(CL, V, (Q,), (V2,), absorption=KA)
LATE = Compartments(CL, V, lag=1.5)
T = TIMES
CASES: dict[str, tuple[Compartments, list[Event], Floats]] = {
    "1 bolus": (IV1, [Event(0, amt=100)], 100 * bolus(one(), T)),
    "1 bolus later": (IV1, [Event(5.5, amt=100)], 100 * bolus(one(), T - 5.5)),
    "1 two boluses": (IV1, [Event(0, amt=100), Event(12, amt=50)], 100 * bolus(one(), T) + 50 * bolus(one(), T - 12)),
    "1 infusion": (IV1, [Event(0, amt=100, rate=20)], 20 * infusion(one(), T, 5)),
    "1 overlapping infusions": (IV1, [Event(0, amt=100, rate=20), Event(2, amt=60, rate=10)],
                                20 * infusion(one(), T, 5) + 10 * infusion(one(), T - 2, 6)),
    "1 bolus and infusion at once": (IV1, [Event(1, amt=40), Event(1, amt=100, rate=20)],
                                     40 * bolus(one(), T - 1) + 20 * infusion(one(), T - 1, 5)),
    "1 ADDL": (IV1, [Event(0, amt=100, ii=12, addl=3)], sum(100 * bolus(one(), T - 12 * k) for k in range(4))),
    "1 ADDL of infusions": (IV1, [Event(1, amt=100, rate=50, ii=24, addl=2)],
                            sum(50 * infusion(one(), T - 1 - 24 * k, 2) for k in range(3))),
    "1 ADDL of infusions that overlap": (IV1, [Event(0, amt=100, rate=10, ii=6, addl=4)],
                                         sum(10 * infusion(one(), T - 6 * k, 10) for k in range(5))),
    "1 SS": (IV1, [Event(0, amt=100, ii=12, ss=1)], 100 * steady_bolus(one(), T, 12)),
    "1 SS and ADDL": (IV1, [Event(0, amt=100, ii=12, ss=1, addl=2)],
                      100 * steady_bolus(one(), T, 12) + sum(100 * bolus(one(), T - 12 * k) for k in (1, 2))),
    "1 SS takes the place": (IV1, [Event(0, amt=500), Event(1, amt=100, ii=12, ss=1)],
                             np.where(T < 1, 500 * bolus(one(), T), 100 * steady_bolus(one(), since(1), 12))),
    "1 SS 2 adds": (IV1, [Event(0, amt=500), Event(1, amt=100, ii=12, ss=2)],
                    500 * bolus(one(), T) + np.where(T < 1, 0, 100 * steady_bolus(one(), since(1), 12))),
    "1 SS of infusions": (IV1, [Event(0, amt=100, rate=25, ii=12, ss=1)], 25 * steady_infusion(one(), T, 4, 12)),
    "1 SS of infusions that overlap": (IV1, [Event(0, amt=100, rate=5, ii=8, ss=1)],
                                       5 * steady_infusion(one(), T, 20, 8)),
    "1 SS of an infusion without end": (IV1, [Event(0, rate=9, ss=1)], 9 * V / CL * bolus(one(), T)),
    "1 reset": (IV1, [Event(0, amt=100), Event(5.5, evid=3), Event(12, amt=10)],
                np.where(T < 5.5, 100 * bolus(one(), T), 10 * bolus(one(), T - 12))),
    "1 reset of an infusion": (IV1, [Event(0, amt=100, rate=5), Event(2, evid=3)],
                               np.where(T < 2, 5 * infusion(one(), T, 20), 0)),
    "1 reset cancels ADDL": (IV1, [Event(0, amt=100, ii=12, addl=5), Event(13, evid=3)],
                             np.where(T < 13, 100 * (bolus(one(), T) + bolus(one(), T - 12)), 0)),
    "1 reset and dose": (IV1, [Event(0, amt=100), Event(12, evid=4, amt=30)],
                         np.where(T < 12, 100 * bolus(one(), T), 30 * bolus(one(), T - 12))),
    "1 a dose and a reset at one time": (IV1, [Event(0, amt=100), Event(12, amt=9), Event(12, evid=3)],
                                         np.where(T < 12, 100 * bolus(one(), T), 0)),
    "1 other events and observations": (IV1, [Event(0, amt=100), Event(1, evid=2), Event(2, evid=0)],
                                        100 * bolus(one(), T)),
    "1 lag": (LATE, [Event(0, amt=100)], 100 * bolus(one(), T - 1.5)),
    "1 lag of an infusion": (LATE, [Event(0, amt=100, rate=20)], 20 * infusion(one(), T - 1.5, 5)),
    "1 lag and SS": (LATE, [Event(0, amt=100, ii=12, ss=1)],
                     np.where(T < 1.5, 100 * steady_bolus(one(), T + 10.5, 12),
                              100 * steady_bolus(one(), since(1.5), 12))),
    "1 reset cancels a lagged dose": (LATE, [Event(0, amt=100), Event(1, evid=3)], 0 * T),
    "1 absorption, share, lag": (PO1, [Event(0, amt=100)], 70 * bolus(absorbed(one()), T - 0.5)),
    "1 absorption, ADDL": (PO1, [Event(1, amt=100, ii=12, addl=2)],
                           sum(70 * bolus(absorbed(one()), T - 1.5 - 12 * k) for k in range(3))),
    "1 absorption, into the central one": (PO1, [Event(0, amt=100, cmt=2)], 100 * bolus(one(), T)),
    "1 absorption, infused into the depot": (PO1, [Event(0, amt=100, rate=20)],
                                             20 * infusion(absorbed(one()), T - 0.5, 3.5)),
    "2 bolus": (IV2, [Event(0, amt=100)], 100 * bolus(two(), T)),
    "2 infusion": (IV2, [Event(2, amt=90, rate=30)], 30 * infusion(two(), T - 2, 3)),
    "2 ADDL and a reset": (IV2, [Event(0, amt=100, ii=24, addl=9), Event(36.5, evid=4, amt=7)],
                           np.where(T < 36.5, 100 * (bolus(two(), T) + bolus(two(), T - 24)),
                                    7 * bolus(two(), T - 36.5))),
    "2 SS": (IV2, [Event(0, amt=100, ii=8, ss=1)], 100 * steady_bolus(two(), T, 8)),
    "2 SS of infusions that overlap": (IV2, [Event(1, amt=100, rate=5, ii=8, ss=1)],
                                       np.where(T < 1, 0, 5 * steady_infusion(two(), T - 1, 20, 8))),
    "2 SS of an infusion without end": (IV2, [Event(0, rate=9, ss=1)],
                                        9 * sum(w / k * np.exp(-k * T) for k, w in two())),
    "2 absorption": (PO2, [Event(0, amt=100)], 100 * bolus(absorbed(two()), T)),
    "2 absorption, SS": (PO2, [Event(0, amt=100, ii=6, ss=1)], 100 * steady_bolus(absorbed(two()), T, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_closed_forms(name: str) -> None:
    compartments, events, expected = CASES[name]
    found = course(compartments, events, TIMES)
    central = found.amounts[0, :, compartments.central - 1]
    np.testing.assert_allclose(central, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.concentration[0], expected / V, rtol=1e-9, atol=1e-9)


def test_there_are_more_than_thirty_cases_of_either_kind() -> None:
    assert len(CASES) >= 30
    assert {name[0] for name in CASES} == {"1", "2"}


@pytest.mark.parametrize("compartments", [IV1, IV2, PO1, PO2, Compartments(CL, V, (Q, 1.0), (V2, 90.0))])
def test_the_exposure_of_a_dose_is_what_arrives_over_clearance(compartments: Compartments) -> None:
    for events in ([Event(0, amt=100)], [Event(0, amt=100, rate=12)], [Event(0, amt=25, ii=5, addl=3)]):
        found = course(compartments, events, [0.0, 3000.0])
        assert found.exposure[0, -1] == pytest.approx(compartments.bioavailability * 100 / CL, rel=1e-9)
        assert found.exposure[0, 0] == 0.0


def test_what_is_given_is_where_it_went() -> None:
    """Amounts and what was cleared (clearance times exposure) sum to the dose at every time."""
    three = Compartments(CL, V, (Q, 1.0), (V2, 90.0), absorption=KA)
    found = course(three, [Event(0, amt=100)], TIMES)
    np.testing.assert_allclose(found.amounts[0].sum(axis=1) + CL * found.exposure[0], 100.0, rtol=1e-10)


def test_courses_of_three_compartments_are_those_of_an_ode_solver() -> None:
    from scipy.integrate import solve_ivp

    three = Compartments(CL, V, (Q, 1.0), (V2, 90.0), absorption=KA)
    found = course(three, [Event(0, amt=100)], TIMES)
    matrix = three.matrix()[0]
    solved = solve_ivp(lambda _, x: matrix @ x, (0, TIMES[-1]), [100.0, 0, 0, 0], method="LSODA", t_eval=TIMES,
                       rtol=1e-11, atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(found.amounts[0], solved.y.T, rtol=1e-6, atol=1e-8)


def test_hosts_are_independent() -> None:
    clearance = np.array([1.0, 3.0, 9.0])
    events = [Event(0, amt=100, rate=30, ii=12, addl=2), Event(40, amt=50, ii=12, ss=2)]
    together = course(replace(IV2, clearance=clearance), events, TIMES)
    for place, value in enumerate(clearance):
        alone = course(replace(IV2, clearance=value), events, TIMES)
        np.testing.assert_allclose(together.amounts[place], alone.amounts[0], rtol=1e-12)
        np.testing.assert_allclose(together.exposure[place], alone.exposure[0], rtol=1e-12)


def test_doses_superpose_and_scale() -> None:
    a, b = [Event(0, amt=100, rate=20)], [Event(3, amt=10, cmt=2)]
    both = course(PO2, [*a, *b], TIMES).amounts
    np.testing.assert_allclose(both, course(PO2, a, TIMES).amounts + course(PO2, b, TIMES).amounts, atol=1e-12)
    tenfold = course(PO2, [replace(a[0], amt=1000, rate=200)], TIMES).amounts
    np.testing.assert_allclose(tenfold, 10 * course(PO2, a, TIMES).amounts, rtol=1e-12)


def test_more_times_change_no_value() -> None:
    events = CASES["1 SS of infusions that overlap"][1]
    fine = np.union1d(TIMES, np.linspace(0, 96, 1000))
    np.testing.assert_allclose(
        course(IV1, events, fine).amounts[0][np.searchsorted(fine, TIMES)], course(IV1, events, TIMES).amounts[0],
        rtol=1e-10,
    )  # fmt: skip


def test_equal_rates_of_absorption_and_elimination() -> None:
    """The closed form is k t e^(-k t) there; no sum of exponentials."""
    found = course(Compartments(0.5, 1.0, absorption=0.5), [Event(0, amt=1.0)], TIMES)
    np.testing.assert_allclose(found.amounts[0, :, 1], 0.5 * TIMES * np.exp(-0.5 * TIMES), atol=1e-12)


def test_terminal_half_life() -> None:
    beta = min(rate for rate, _ in two())
    assert half_life(IV2)[0] == pytest.approx(np.log(2) / beta)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([Event(0, amt=1, rate=-1)], "record 1: RATE: found -1, expected a rate .* is not supported"),
        ([Event(0, amt=-1)], "record 1: AMT: found -1, expected a finite number from 0"),
        ([Event(0, amt=float("nan"))], "AMT: found nan"),
        ([Event(3, amt=1), Event(1, amt=1)], "record 2: TIME: found 1 after 3"),
        ([Event(0, amt=1, evid=5)], "EVID: found 5, expected 0, 1, 2, 3 or 4"),
        ([Event(0, amt=1, cmt=2)], "CMT: found 2, expected 1 to 1"),
        ([Event(0)], "AMT: found 0, expected an amount above 0"),
        ([Event(0, evid=0, amt=5)], "AMT: found EVID 0, expected EVID 1 or 4 for a dose"),
        ([Event(0, amt=1, addl=2)], "II: found 0, expected a time above 0 with ADDL or SS"),
        ([Event(0, amt=1, ii=12)], "II: found 12, expected ADDL or SS with it"),
        ([Event(0, amt=1, ss=1)], "II: found 0, expected a time above 0"),
        ([Event(0, amt=1, ss=3, ii=1)], "SS: found 3"),
        ([Event(0, rate=1, ss=1, ii=3)], "II: found 3, expected 0 and no ADDL for a steady infusion"),
        ([Event(0, amt=1, ii=1, addl=200_000)], "more doses, expected at most 100,000"),
        ([Event(0, amt=-1), Event(0, amt=1, evid=7)], "record 2: EVID"),
    ],
)
def test_faulty_records_are_named(events: Sequence[Event], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        course(IV1, events, [0.0])


@pytest.mark.parametrize(
    "make",
    [lambda: Compartments(0.0, 1.0), lambda: Compartments(1.0, np.nan), lambda: Compartments(1.0, 1.0, (1.0,), ()),
     lambda: Compartments([1.0, 2.0], [1.0, 2.0, 3.0]), lambda: Compartments(1.0, 1.0, bioavailability=1.5),
     lambda: Compartments(1.0, 1.0, lag=-1.0), lambda: course(IV1, [], [2.0, 1.0]),
     lambda: course(LATE, [Event(0, amt=1, ii=1, ss=1)], [0.0])],
)  # fmt: skip
def test_faulty_compartments_and_times_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        make()
