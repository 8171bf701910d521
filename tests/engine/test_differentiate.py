"""Derivatives against the complex step, finite differences and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.differentiate import derivative
from senexo.engine.formula.evaluate import evaluate
from senexo.model.expression import Call, Expression, Number, Slot, Time

X, Y = Slot(0), Slot(1)

SMOOTH = [
    "exp", "ln", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "csch", "coth",
    "arcsin", "arccos", "arctan", "arcsec", "arccsc", "arccot", "arcsinh", "arccosh", "arctanh", "arcsech",
    "arccsch", "arccoth",
]  # fmt: skip


def call(operator: str, *arguments: Expression) -> Call:
    return Call(operator, arguments)


def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    pairs = st.sampled_from(["plus", "minus", "times", "divide", "power", "log", "root"])
    return st.one_of(
        st.builds(call, st.sampled_from(SMOOTH), inner),
        st.builds(call, pairs, inner, inner),
        st.builds(call, st.sampled_from(["plus", "times"]), inner, inner, inner),
        st.builds(lambda a, n: call("power", a, Number(float(n))), inner, st.integers(-5, 20)),
    )


leaves = st.one_of(
    st.just(X), st.just(Y), st.just(Time()), st.floats(-3, 3).map(lambda x: Number(round(x, 2)))
)  # fmt: skip
formulas = st.recursive(leaves, grow, max_leaves=8)
points = st.tuples(st.floats(0.1, 3), st.floats(0.1, 3))


@settings(max_examples=400, deadline=None)
@given(formulas, points)
@example(call("power", X, Y), (0.5, 2.0))
@example(call("power", Y, X), (0.5, 2.0))
@example(call("power", call("minus", X), Number(3.0)), (0.5, 2.0))
def test_smooth_formulas_against_the_complex_step(formula, point):
    """f(x + ih) has imaginary part h f'(x), without cancellation: Squire & Trapp, doi 10.1137/S003614459631241X."""
    v = np.array(point)
    value, found = evaluate(formula, v, 0.7), evaluate(derivative(formula, 0), v, 0.7)
    assume(np.isfinite(value) and np.isfinite(found) and abs(value) < 1e8 and abs(found) < 1e8)
    stepped = evaluate(formula, v + np.array([1e-30j, 0.0]), 0.7)
    assume(np.isfinite(stepped) and abs(stepped.real - value) <= 1e-9 * (1 + abs(value)))
    # a branch cut, a pole or a chain of cancellations near the point: the oracle itself must be steady
    nearby = evaluate(derivative(formula, 0), v * (1 + 1e-9), 0.7)
    assume(np.isfinite(nearby) and abs(nearby - found) <= 1e-6 * (1e-6 + abs(found)))
    assert found == pytest.approx(stepped.imag * 1e30, rel=1e-7, abs=1e-7)


BRANCHES = [
    call("abs", call("minus", X, Y)),
    call("min", X, call("times", Y, Y)),
    call("max", X, call("times", Y, Y), call("times", Number(2.0), X)),
    call("piecewise", call("power", X, Number(3.0)), call("lt", X, Y), call("exp", X)),
    call("rem", call("times", X, Number(7.0)), Y),
    call("rem", Y, X),
    call("times", call("floor", call("times", X, Number(9.0))), X),
    call("times", call("ceiling", call("times", X, Number(9.0))), call("sin", X)),
    call("times", call("quotient", Y, X), call("power", X, Number(2.0))),
]


@pytest.mark.parametrize("formula", BRANCHES, ids=lambda formula: formula.operator)
def test_branches_against_finite_differences(formula):
    for x, y in np.random.default_rng(5).uniform(0.2, 1.8, (20, 2)):
        step = 1e-6
        up, down = (evaluate(formula, np.array([x + s, y]), 0.0) for s in (step, -step))
        found = evaluate(derivative(formula, 0), np.array([x, y]), 0.0)
        assert found == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (Number(3.0), Number(0.0)),
        (Y, Number(0.0)),
        (X, Number(1.0)),
        (call("times", Y, X), Y),
        (call("plus", X, X), Number(2.0)),
        (call("power", X, Number(2.0)), call("times", Number(2.0), X)),
        (call("minus", Y, X), Number(-1.0)),
        (call("divide", X, Y), call("divide", Number(1.0), Y)),
        (call("floor", X), Number(0.0)),
        (call("lt", X, Y), Number(0.0)),
        (call("piecewise", Y, call("lt", X, Y), Y), Number(0.0)),
        (call("factorial", Y), Number(0.0)),
    ],
)
def test_results_are_simple(formula, expected):
    assert derivative(formula, 0) == expected


def test_power_of_zero_has_its_slopes():
    formula = call("power", X, Y)
    assert evaluate(derivative(formula, 0), np.array([0.0, 2.5]), 0.0) == 0.0
    assert evaluate(derivative(formula, 1), np.array([0.0, 2.5]), 0.0) == 0.0


def test_factorial_of_a_state_is_refused_by_name():
    with pytest.raises(UnsupportedFeature, match="derivative of factorial"):
        derivative(call("factorial", X), 0)


def test_work_grows_with_the_shared_graph_not_with_the_tree():
    formula: Expression = X
    for _ in range(60):
        formula = call("plus", formula, call("times", formula, Y))  # written out: 3^60 leaves
    assert isinstance(derivative(formula, 0), Call)
