"""Batches of stiff systems against published values, exact laws, and invariance of their bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula import lanes
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lane_math import lane_exp, lane_ln, lane_power
from senexo.engine.formula.layout import BACKWARD, COUNT, LANES, SHIFT
from senexo.engine.formula.network import Lowered
from senexo.engine.formula.sparse import eliminate
from senexo.engine.ode import rodas5p
from senexo.engine.ode.ensemble import BatchODE, message
from verify._problems import HIRES, STIFF, lowered


class Case:
    """A compiled problem and its rows."""

    def __init__(self, network: Lowered) -> None:
        self.network = network
        self.batch = BatchODE(network)

    def rows(self, n: int = 1, **values: object) -> np.ndarray:
        slots = {self.network.slot(name): value for name, value in values.items()}
        return initial_values(self.network, slots, n)

    def column(self, name: str) -> int:
        return self.network.slot(name)


@pytest.fixture(scope="module")
def problems() -> dict[str, Case]:
    return {problem.name: Case(problem.lowered()) for problem in STIFF}


@pytest.fixture(scope="module")
def linear() -> Case:
    """x' = A x with 16 parameters, a third species fed by time, and what rules make of it."""
    size = range(4)
    rates = "\n".join(f"x{i}' = " + " + ".join(f"a{i}{j}*x{j}" for j in size) for i in size)
    numbers = "; ".join([*(f"x{i} = 1" for i in size), *(f"a{i}{j} = 0" for i in size for j in size)])
    return Case(lowered(f"model linear()\n{numbers}; w = 0; f = 1\n{rates}\nw' = cos(f*time) + 0*x0\nend\n"))


@pytest.fixture(scope="module")
def growth() -> Case:
    """Explodes at time 1 / (a x(0)) when p = 2; m counts what has grown, doubled by a rule."""
    return Case(
        lowered("model g()\nx = 1; a = 0.1; p = 2; b = 3\nx' = a*x^p\nd := 2*x + b + time\ns := exp(-d)\nend\n")
    )


# ---- accuracy


@pytest.mark.parametrize("problem", STIFF, ids=lambda problem: problem.name)
def test_published_end_values(problem, problems):
    case = problems[problem.name]
    result = case.batch.solve(case.rows(), np.array([0.0, problem.end]), rtol=1e-10, atol=1e-10 * problem.atol)
    assert message(result.status[0]) == "reached the end"
    found = [result.final[0, case.column(name)] for name in problem.values]
    np.testing.assert_allclose(found, [*problem.values.values()], rtol=1e-7)


def test_mass_is_conserved_over_eleven_decades(problems):
    case = problems["Robertson"]
    times = np.r_[0.0, 10.0 ** np.arange(-5, 12)]
    result = case.batch.solve(case.rows(), times, rtol=1e-6, atol=1e-16)
    total = result.values[0][:, [case.column(name) for name in "abc"]].sum(axis=1)
    np.testing.assert_allclose(total, 1.0, atol=1e-13)


def test_the_error_follows_the_tolerance(problems):
    """Also between the steps: 400 times, most of them by dense output."""
    case, times = problems["HIRES"], np.linspace(0.0, HIRES.end, 400)
    exact = case.batch.solve(case.rows(), times, rtol=1e-12, atol=1e-16).values
    size = np.abs(exact).max(axis=1, keepdims=True) + (exact == 0)
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        found = case.batch.solve(case.rows(), times, rtol=rtol, atol=1e-4 * rtol).values
        error = np.abs((found - exact) / size).max()
        assert error < 3 * rtol


def test_a_step_is_never_cut_at_an_output(problems):
    case = problems["HIRES"]
    few, many = (case.batch.solve(case.rows(), np.linspace(0.0, HIRES.end, n)) for n in (2, 2000))
    assert few.n_steps == many.n_steps
    assert few.final.tobytes() == many.final.tobytes()


def _matrices(n: int) -> np.ndarray:
    """Growing, decaying, rotating and badly scaled systems: signs at random, sizes over six decades."""
    rng = np.random.default_rng(7)
    matrices = rng.standard_normal((n, 4, 4)) * 10.0 ** rng.uniform(-3, 1, (n, 4, 4))
    scale = 10.0 ** rng.uniform(-3, 3, (n, 4))
    return matrices * scale[:, :, None] / scale[:, None, :]


def test_any_linear_system_is_solved_without_row_exchanges(linear):
    matrices = _matrices(400)
    times = np.array([0.0, 0.3, 1.0])
    rows = linear.rows(400, **{f"a{i}{j}": matrices[:, i, j] for i in range(4) for j in range(4)})
    result = linear.batch.solve(rows, times, rtol=1e-9, atol=1e-9)
    assert not result.status.any()
    found = result.values[:, :, [linear.column(f"x{i}") for i in range(4)]]
    for k, time in enumerate(times):
        exact = expm(matrices * time) @ np.ones(4)
        bound = (np.abs(expm(np.abs(matrices) * time)) @ np.ones(4)).clip(1.0, None)
        assert np.abs((found[:, k] - exact) / bound).max() < 1e-7


def test_a_pivot_that_cancels_is_noticed():
    """E = [[p, 1], [1, -1]]: eliminated in this order it loses 1 / p digits, and all of them at p = 0."""
    entries = {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 3}
    plan = eliminate(2, entries)
    layout = lanes.Layout(2, 0, 0, 4, 4, 0)
    pivots = np.array([1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-18, 0.0])
    w = np.ones((layout.rows, LANES))
    matrix = np.array([[[p, 1.0], [1.0, -1.0]] for p in np.resize(pivots, LANES)])
    w[SHIFT] = 1.0
    w[layout.jacobian : layout.jacobian + 4] = (np.eye(2) - matrix).reshape(-1, 4).T
    right = np.random.default_rng(1).standard_normal((LANES, 2))
    w[layout.right : layout.right + 2] = w[layout.kept : layout.kept + 2] = right.T
    block = w.reshape(-1)
    for kernel in (
        lanes.factor(layout, entries, plan),
        lanes.substitute(layout, plan),
        lanes.residual(layout, entries),
    ):
        kernel(block, COUNT)
    found, exact = w[layout.right : layout.right + 2].T, np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    noticed = ~(w[BACKWARD] <= 1e-8)
    assert noticed[:8].tolist() == [False] * 3 + [True] * 5
    assert np.abs(found - exact)[~noticed].max() < 1e-6


def test_an_empty_species_with_an_infinite_slope_fills_up():
    """x' = 1 - sqrt(x) from x = 0, where the slope of the root is infinite: -2 (sqrt(x) + ln(1 - sqrt(x))) = t."""
    case = Case(lowered("model s()\nx = 0; p = 0.5\nx' = 1 - x^p\ny = 0\ny' = 1 - sqrt(y)\nend\n"))
    result = case.batch.solve(case.rows(), np.linspace(0.0, 5.0, 21), rtol=1e-8)
    for name in "xy":
        root = np.sqrt(result.values[0, :, case.column(name)])
        np.testing.assert_allclose(-2 * (root + np.log1p(-root)), np.linspace(0.0, 5.0, 21), atol=1e-6)


def test_a_species_that_dies_out_may_stand_under_any_power():
    """x' = -k x, z' = x^p - z: x ends on either side of 0, z = (e^(-p k t) - e^-t) / (1 - p k)."""
    network = "compartment c = 2\nspecies x in c = 1, z in c = 0\n{0}out: x => ; c*k*x\nfeed: => z; c*({1} - z)"
    text = "model d()\n" + network + "\nend\n"
    times, k = np.linspace(0.0, 10.0, 11), 10.0 ** np.linspace(-1, 6, 100)
    for power, value in (("x^p", 0.3), ("x^p", 2.0), ("sqrt(x)", 0.5)):
        case = Case(lowered(text.format(f"k = 1; p = {value}\n", power)))
        result = case.batch.solve(case.rows(100, k=k), times, atol=1e-6)
        assert not result.status.any()
        rate = value * k[:, None]
        exact = 2.0 * (np.exp(-rate * times) - np.exp(-times)) / (1.0 - rate)
        assert np.abs(result.values[:, :, case.column("z")] - exact).max() < 2e-5


def test_what_dies_out_passes_through_the_smallest_numbers_there_are():
    """p21 of a knock-out: exp(-r t) below 2e-308, beside states that keep steps short; no step is refused for it."""
    case = Case(lowered("model d()\nu = 1; r = 1; x = 1; v = 0\nu' = -r*u + 0*x\nx' = v + u\nv' = -9*x\nend\n"))
    rows = case.rows(200, r=np.linspace(0.7, 2.1, 200), u=1e-307)
    result = case.batch.solve(rows, np.arange(0.0, 21.0), slots=[case.column("x")])
    assert not result.status.any()
    assert result.values[:, -1, 0] == pytest.approx(np.cos(60.0), abs=1e-4)


def test_a_run_that_ends_in_the_undefined_stops_before_it():
    """x' = ln(x) reaches 0, where it has no value, near t = 0.38; what was found before stays."""
    case = Case(lowered("model u()\nx = 0.5; a = 1\nx' = a*ln(x)\nend\n"))
    result = case.batch.solve(case.rows(3, a=np.array([1.0, 0.0, 1.0])), np.array([0.0, 0.1, 0.3, 5.0]))
    assert [message(code) for code in result.status[:2]] == [message(rodas5p.STEP_TOO_SMALL), message(rodas5p.OK)]
    x = result.values[0, :, case.column("x")]
    assert np.isfinite(x[:3]).all()
    assert (x[:3] > 0).all()
    assert np.isnan(x[3])


def test_rates_that_name_the_time(linear):
    times = np.linspace(2.0, 20.0, 37)
    result = linear.batch.solve(linear.rows(3, f=np.array([0.0, 1.0, 9.0])), times, rtol=1e-8)
    found = result.values[:, :, linear.column("w")]
    np.testing.assert_allclose(found[0], times - 2.0, atol=1e-9)
    np.testing.assert_allclose(found[1], np.sin(times) - math.sin(2.0), atol=1e-7)
    np.testing.assert_allclose(found[2], (np.sin(9 * times) - math.sin(18.0)) / 9, atol=1e-7)


def test_a_pulse_as_long_as_the_gap_between_times_is_not_stepped_over():
    case = Case(lowered("model p()\nx = 0\nx' = piecewise(1, (time > 50) && (time < 52), 0)\nend\n"))
    result = case.batch.solve(case.rows(), np.linspace(0.0, 100.0, 51), rtol=1e-6)
    assert result.final[0, case.column("x")] == pytest.approx(2.0, abs=1e-4)


# ---- what is reported


def test_rules_are_evaluated_at_every_time(growth):
    times = np.linspace(0.0, 5.0, 40)
    values = growth.batch.solve(growth.rows(2, b=np.array([0.0, 1.0])), times).values
    x, d, s = (values[:, :, growth.column(name)] for name in "xds")
    np.testing.assert_allclose(x[0], 1.0 / (1.0 - 0.1 * times), rtol=1e-6)
    np.testing.assert_allclose(d, 2 * x + np.array([[0.0], [1.0]]) + times, rtol=1e-14)
    np.testing.assert_allclose(s, np.exp(-d), rtol=1e-14)


def test_chosen_slots_come_in_the_order_asked_for(growth):
    times, rows = np.linspace(0.0, 5.0, 7), growth.rows(20, a=np.linspace(0.0, 0.15, 20))
    everything = growth.batch.solve(rows, times)
    chosen = [growth.column(name) for name in ("s", "a", "x", "d")]
    some = growth.batch.solve(rows, times, slots=chosen)
    assert some.values.tobytes() == np.ascontiguousarray(everything.values[:, :, chosen]).tobytes()
    assert some.final.tobytes() == np.ascontiguousarray(everything.values[:, -1]).tobytes()


def test_one_time_is_the_beginning(growth):
    result = growth.batch.solve(growth.rows(3), np.array([1.5]))
    assert result.values[:, 0, growth.column("d")].tolist() == [6.5, 6.5, 6.5]
    assert not result.n_steps.any()


def test_a_network_without_rates_has_rules_all_the_same():
    case = Case(lowered("model r()\na = 2\nb := a*time\nend\n"))
    assert case.batch.solve(case.rows(2), np.array([0.0, 3.0])).final[:, case.column("b")].tolist() == [6.0, 6.0]


def test_tolerances_may_differ_from_slot_to_slot(problems):
    case = problems["HIRES"]
    loose = np.full(len(case.network.slots), 1e-3)
    tight = case.batch.solve(case.rows(), np.array([0.0, 100.0]), atol=1e-12).n_steps
    assert case.batch.solve(case.rows(), np.array([0.0, 100.0]), atol=loose).n_steps < tight


def test_events_are_refused_by_name():
    with pytest.raises(UnsupportedFeature, match="events in a batch"):
        BatchODE(lowered("model e()\nx = 1; x' = -x; at (time > 1): x = 2\nend\n"))


# ---- one row never depends on another

TIMES = np.linspace(0.0, 50.0, 11)


@pytest.fixture(scope="module")
def crowd(problems) -> tuple[Case, np.ndarray, np.ndarray]:
    """90 rows of HIRES, stiff and less stiff, and their values; every tenth cannot be solved."""
    case, rng = problems["HIRES"], np.random.default_rng(3)
    rows = case.rows(90, k=280 * np.exp(rng.standard_normal(90)), y1=rng.uniform(0.1, 3, 90))
    rows[::10, case.column("k")] = [np.nan, np.inf, -np.inf, 1e300, -1e300, -1e5, -1e3, 1e200, np.nan]
    return case, rows, case.batch.solve(rows, TIMES, threads=1).values


@settings(max_examples=60, deadline=None)
@given(picked=st.lists(st.integers(0, 89), min_size=1, max_size=120), threads=st.sampled_from([1, 2, 3, 7]))
def test_a_rows_bits_depend_on_that_row_alone(picked, threads, crowd):
    case, rows, expected = crowd
    found = case.batch.solve(rows[picked], TIMES, threads=threads).values
    assert found.tobytes() == expected[picked].tobytes()


def test_a_fresh_compilation_gives_the_same_bits(crowd):
    case, rows, expected = crowd
    assert BatchODE(case.network).solve(rows, TIMES).values.tobytes() == expected.tobytes()


def test_every_failure_has_its_own_code_and_harms_nobody(growth):
    rows = growth.rows(100, x=np.linspace(1.0, 2.0, 100))
    healthy = growth.batch.solve(rows, np.array([0.0, 2.0, 4.0])).values
    bad = rows.copy()
    x, a = growth.column("x"), growth.column("a")
    bad[7, a], bad[23, x], bad[41, a], bad[60, x] = 0.4, np.nan, np.nan, np.inf
    result = growth.batch.solve(bad, np.array([0.0, 2.0, 4.0]))
    assert {row: message(result.status[row]) for row in np.flatnonzero(result.status)} == {
        7: message(rodas5p.STEP_TOO_SMALL),
        23: message(rodas5p.NOT_FINITE),
        41: message(rodas5p.STEP_TOO_SMALL),
        60: message(rodas5p.NOT_FINITE),
    }
    others = np.setdiff1d(np.arange(100), [7, 23, 41, 60])
    assert result.values[others].tobytes() == healthy[others].tobytes()
    blown = result.values[7][:, [x, growth.column("d")]]  # it explodes at 1 / (0.4 x(0)) = 2.34
    assert np.isfinite(blown[:2]).all()
    assert np.isnan(blown[2]).all()
    assert np.isnan(result.values[41, 1:, x]).all()


def test_too_many_steps_is_said_so(growth):
    result = growth.batch.solve(growth.rows(), np.array([0.0, 5.0]), rtol=1e-10, max_steps=5)
    assert message(result.status[0]).startswith("too many steps")
    assert result.n_steps[0] == 5


# ---- functions written for vectors


def test_exponential_logarithm_and_power_are_accurate():
    rng = np.random.default_rng(11)
    x = np.concatenate([rng.uniform(-708, 709, 20000), rng.standard_normal(20000), [0.0, 1.0, -1.0, 709.78]])
    found = np.array([lane_exp(a) for a in x])
    np.testing.assert_allclose(found, np.exp(x), rtol=4.5e-16)
    positive = np.concatenate([10.0 ** rng.uniform(-320, 308, 20000), 1.0 + 1e-3 * rng.standard_normal(20000), [1.0]])
    np.testing.assert_allclose([lane_ln(a) for a in positive], np.log(positive), rtol=4.5e-16)
    base, exponent = 10.0 ** rng.uniform(-5, 5, 20000), rng.uniform(-8, 8, 20000)
    np.testing.assert_allclose(
        [lane_power(*pair) for pair in zip(base, exponent, strict=True)], base**exponent, rtol=4e-14
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lane_exp(-1000.0), 0.0), (lane_exp(1000.0), math.inf), (lane_exp(-math.inf), 0.0),
        (lane_exp(math.inf), math.inf), (lane_exp(math.nan), math.nan), (lane_exp(-740.0), math.exp(-740.0)),
        (lane_ln(0.0), -math.inf), (lane_ln(-1.0), math.nan), (lane_ln(math.inf), math.inf),
        (lane_ln(math.nan), math.nan), (lane_ln(5e-324), math.log(5e-324)),
        (lane_power(0.0, 2.0), 0.0), (lane_power(0.0, -1.0), math.inf), (lane_power(0.0, 0.0), 1.0),
        (lane_power(-2.0, 3.0), -8.0), (lane_power(-2.0, 2.0), 4.0), (lane_power(-2.0, 0.5), math.nan),
        (lane_power(1.0, math.inf), 1.0), (lane_power(math.inf, 0.5), math.inf), (lane_power(2.0, -math.inf), 0.0),
    ],
)  # fmt: skip
def test_special_values(found, expected):
    assert found == pytest.approx(expected, rel=1e-14, nan_ok=True)
