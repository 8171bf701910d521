"""The numpy walk of lowered formulas: every operator against published digits, and what vectors must not change.

Digits are those of the usual tables (Abramowitz & Stegun, chapters 4 and 6), written to more places than a float has.
"""

from __future__ import annotations

from math import inf, nan, nextafter, pi

import numpy as np
import pytest
from shorthand import formula, rules, system

from senexo.engine.formula.evaluate import apply_assignments, evaluate, evaluate_all, initial_values
from senexo.engine.formula.lower import lower
from senexo.model.expression import OPERATORS, Call, Expression, Number, Slot, Time, rewrite
from senexo.model.network import InitialAssignment, Network, Parameter

# The worst any of these functions may be off, in units of the last place.
LAST_PLACES = 4

DIGITS: dict[str, float] = {
    "2 + 3 + 4.5": 9.5, "plus()": 0, "plus(7)": 7, "plus(1, 2, 3, 4)": 10,
    "2*3*0.25": 1.5, "times()": 1, "times(7)": 7, "times(2, 3, 4, 5)": 120,
    "2 - 5": -3, "-5": -5, "1/8": 0.125, "2**10": 1024, "2**-3": 0.125, "(-2)**3": -8, "power(2.5, -3)": 0.064,
    "2**0.5": 1.4142135623730950488, "2**17": 131072, "0**0": 1, "power(4, 1.5)": 8,
    "root(2, 2)": 1.4142135623730950488, "root(3, 2)": 1.2599210498948731648, "root(4, 16)": 2, "root(0.5, 3)": 9,
    "log(2, 10)": 3.3219280948873623479, "log(10, 2)": 0.30102999566398119521, "log(10, 0.001)": -3,
    "exp(1)": 2.7182818284590452354, "exp(-0.5)": 0.60653065971263342360, "ln(2)": 0.69314718055994530942,
    "abs(-3.5)": 3.5, "floor(-2.5)": -3, "floor(2.5)": 2, "ceiling(-2.5)": -2, "ceiling(2.5)": 3,
    "factorial(0)": 1, "factorial(5)": 120, "factorial(20)": 2432902008176640000,
    "factorial(0.5)": 0.88622692545275801365, "factorial(170)": 7.2574156153079989674e306,
    "sin(1)": 0.84147098480789650665, "cos(1)": 0.54030230586813971740, "tan(1)": 1.5574077246549022305,
    "sec(1)": 1.8508157176809256179, "csc(1)": 1.1883951057781212163, "cot(1)": 0.64209261593433070301,
    "sinh(1)": 1.1752011936438014569, "cosh(1)": 1.5430806348152437785, "tanh(1)": 0.76159415595576488812,
    "sech(1)": 0.64805427366388539957, "csch(1)": 0.85091812823932154513, "coth(1)": 1.3130352854993313036,
    "arcsin(0.5)": 0.52359877559829887308, "arccos(0.5)": 1.0471975511965977462,
    "arctan(0.5)": 0.46364760900080611621, "arctan(-1)": -0.78539816339744830962,
    "arcsec(2)": 1.0471975511965977462, "arccsc(2)": 0.52359877559829887308, "arccot(2)": 0.46364760900080611621,
    "arccot(-2)": -0.46364760900080611621, "arccot(0)": 1.5707963267948966192,
    "arcsinh(1)": 0.88137358701954302523, "arcsinh(-1)": -0.88137358701954302523,
    "arccosh(2)": 1.3169578969248167086, "arctanh(0.5)": 0.54930614433405484570,
    "arcsech(0.5)": 1.3169578969248167086, "arccsch(1)": 0.88137358701954302523, "arccoth(2)": 0.54930614433405484570,
    "min(3, -1, 2)": -1, "min(3)": 3, "max(3, -1, 5, 2)": 5, "max(3)": 3,
    "rem(7, 3)": 1, "rem(-7, 3)": -1, "rem(7, -3)": 1, "rem(5.5, 2)": 1.5,
    "quotient(7, 3)": 2, "quotient(-7, 3)": -2, "quotient(7, -3)": -2, "quotient(5.5, 2)": 2,
    "eq(2, 2, 2)": 1, "eq(2, 2, 3)": 0, "neq(2, 3)": 1, "neq(2, 2)": 0,
    "gt(3, 2, 1)": 1, "gt(3, 2, 2)": 0, "lt(1, 2, 3)": 1, "lt(1, 2, 2)": 0,
    "geq(3, 2, 2)": 1, "geq(3, 2, 4)": 0, "leq(1, 2, 2)": 1, "leq(1, 2, 1)": 0,
    "and_()": 1, "and_(1)": 1, "and_(0)": 0, "and_(1, 2, 3)": 1, "and_(1, 0, 1)": 0,
    "or_()": 0, "or_(5)": 1, "or_(0)": 0, "or_(0, 0, 1)": 1, "or_(0, 0)": 0,
    "xor()": 0, "xor(3)": 1, "xor(1, 1)": 0, "xor(1, 1, 1)": 1, "xor(1, 0, 0)": 1,
    "not_(0)": 1, "not_(2)": 0,
    "implies(0, 0)": 1, "implies(0, 1)": 1, "implies(1, 0)": 0, "implies(1, 1)": 1,
    "piecewise(4)": 4, "piecewise(4, 1 < 2)": 4, "piecewise(4, 1 > 2, 5)": 5, "piecewise(4, 1 > 2, 5, 2 > 1, 6)": 5,
    "piecewise(4, 2 > 1, 5, 2 > 1, 6)": 4, "piecewise(4, 1 > 2, 5, 1 > 2, 6)": 6,
    "true": 1, "false": 0, "true + true": 2, "(1 < 2)*8": 8,
    "pi": 3.1415926535897932385, "exponentiale": 2.7182818284590452354, "avogadro": 6.02214179e23,
    "time": 7, "time*time": 49,
}  # fmt: skip

UNDEFINED: dict[str, float] = {
    "1/0": inf, "-1/0": -inf, "0/0": nan, "ln(0)": -inf, "ln(-1)": nan, "root(2, -1)": nan, "root(0, 2)": inf,
    "log(1, 5)": inf, "log(-1, 5)": nan, "exp(1000)": inf, "exp(-1000)": 0, "0**-1": inf, "power(-8, 1/3)": nan,
    "arcsin(2)": nan, "arccos(-2)": nan, "arccosh(0.5)": nan, "arctanh(1)": inf, "arctanh(2)": nan, "arcsec(0.5)": nan,
    "arccsc(0.5)": nan, "arcsech(2)": nan, "arcsech(0)": inf, "arccoth(0.5)": nan, "arccsch(0)": inf,
    "csc(0)": inf, "cot(0)": inf, "csch(0)": inf, "coth(0)": inf, "sinh(1000)": inf, "cosh(-1000)": inf,
    "sech(1000)": 0, "tanh(1000)": 1, "factorial(-1)": nan, "factorial(-0.5)": nan, "factorial(171)": inf,
    "rem(1, 0)": nan, "quotient(1, 0)": inf, "quotient(0, 0)": nan, "1e308*10": inf, "1/0 - 1/0": nan,
    "0*(1/0)": nan, "floor(1/0)": inf, "ceiling(-1/0)": -inf, "abs(-1/0)": inf, "sin(1/0)": nan, "arctan(1/0)": pi / 2,
    "0/0 == 0/0": 0, "0/0 < 1": 0, "0/0 >= 1": 0, "neq(0/0, 1)": 1, "1/0 > 1e308": 1, "1/0 == 2/0": 1,
    "piecewise(4, false)": nan, "piecewise(1/0, 1 > 2, 5)": 5, "piecewise(5, 1 < 2, 0/0)": 5,
}  # fmt: skip

WHOLE = [text for text, digits in DIGITS.items() if digits == int(digits) and abs(digits) < 2**53 and "log" not in text]

V = np.array([2.0, 0.3])


def value(text: str) -> float:
    """At time 7."""
    return float(evaluate(formula(text), V, 7.0))


def test_every_operator_has_its_digits() -> None:
    used: set[str] = set()

    def note(node: Expression) -> Expression:
        if isinstance(node, Call):
            used.add(node.operator)
        return node

    for text in DIGITS:
        rewrite(formula(text), note)
    assert used == {*OPERATORS} - {"rateOf", "delay"}  # which lowering spells out


@pytest.mark.parametrize("text", DIGITS)
def test_operators_have_the_published_values(text: str) -> None:
    found, expected = value(text), DIGITS[text]
    assert abs(found - expected) <= LAST_PLACES * np.spacing(abs(expected)), f"{found!r}"


@pytest.mark.parametrize("text", WHOLE)
def test_what_is_whole_comes_out_whole(text: str) -> None:
    assert value(text) == DIGITS[text]


@pytest.mark.parametrize("text", UNDEFINED)
def test_undefined_operations_give_what_ieee_arithmetic_gives(text: str) -> None:
    with np.errstate(all="raise"):  # and no warning leaves the walk
        assert np.array_equal(value(text), UNDEFINED[text], equal_nan=True)


def test_truth_is_any_number_but_zero() -> None:
    assert value("piecewise(1, 0.001, 2)") == 1.0
    assert value("piecewise(1, -5, 2)") == 1.0
    assert value("piecewise(1, 0, 2)") == 2.0
    assert value("piecewise(1, -0.0, 2)") == 2.0
    assert value("not_(-0.5)") == 0.0


def test_comparisons_do_not_forgive_the_last_bit() -> None:
    above = Number(nextafter(0.3, 1.0))
    for operator, expected in {"eq": 0.0, "neq": 1.0, "lt": 1.0, "leq": 1.0, "gt": 0.0, "geq": 0.0}.items():
        assert evaluate(Call(operator, (Slot(1), above)), V, 0.0) == expected
        assert evaluate(Call(operator, (Slot(1), Number(0.3))), V, 0.0) == (operator in ("eq", "leq", "geq"))


# ---- vectors


def test_a_cell_among_many_has_the_bits_it_has_alone() -> None:
    """What `replay` of one cell rests on. 1,003 cells leave a remainder in every vector width."""
    rng = np.random.default_rng(5)
    v = np.concatenate([rng.uniform(-2, 2, (900, 2)), rng.lognormal(0.0, 8.0, (103, 2))])
    arguments = {1: (Slot(0),), 2: (Slot(0), Slot(1))}
    names = [name for name, (_, most) in OPERATORS.items() if most != 0 and name not in ("rateOf", "delay")]
    formulas = [Call(name, arguments[max(1, OPERATORS[name][0])]) for name in names]
    together = np.array(evaluate_all(formulas, v, 0.0)).T
    for row in range(0, len(v), 17):
        for block in (v[row], v[row : row + 1], v[row : row + 5]):
            alone = np.array(evaluate_all(formulas, block, 0.0)).T.reshape(-1, len(formulas))[0]
            same = (alone == together[row]) & (np.signbit(alone) == np.signbit(together[row]))
            assert np.all(same | (np.isnan(alone) & np.isnan(together[row])))


def test_shapes_follow_the_values() -> None:
    v = np.arange(12.0).reshape(2, 3, 2)
    assert evaluate(formula("1 + 1"), v, 0.0).shape == (2, 3)
    times = np.array([0.0, 1.0, 2.0])
    found = evaluate(Call("times", (Slot(1), Time())), v, times)
    assert found.tolist() == [[0.0, 3.0, 10.0], [0.0, 9.0, 22.0]]


def test_what_comes_back_is_no_window_into_the_values() -> None:
    v = np.array([1.0, 2.0])
    found = evaluate_all([Slot(0), Slot(1)], v, 0.0)
    v[:] = 9.0
    assert found == [1.0, 2.0]


def test_assignments_of_many_cells_at_many_times() -> None:
    lowered = system({"x": 1.0, "y": 0.0, "z": 0.0}, assigned={"z": "y + 1", "y": "x*time"})
    v = np.array([[2.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    apply_assignments(lowered, v, np.array([10.0, 100.0]))
    assert v.tolist() == [[2.0, 20.0, 21.0], [3.0, 300.0, 301.0]]


def test_initial_values_of_many_cells() -> None:
    network = Network(
        "m",
        parameters=tuple(Parameter(id, value, constant=False) for id, value in {"a": 1.0, "b": 2.0, "c": 3.0}.items()),
        initial_assignments=(InitialAssignment("b", formula("10*a")),),
        rules=rules("assignment", c="a + b"),
    )
    lowered = lower(network)
    assert initial_values(lowered).tolist() == [1.0, 10.0, 11.0]
    assert initial_values(lowered, n=2).tolist() == [[1.0, 10.0, 11.0]] * 2
    found = initial_values(lowered, {0: np.array([5.0, 6.0])}, n=2)
    assert found.tolist() == [[5.0, 50.0, 55.0], [6.0, 60.0, 66.0]]
    found = initial_values(lowered, {0: 4.0, 1: np.array([5.0, 6.0])}, n=2)
    assert found.tolist() == [[4.0, 5.0, 9.0], [4.0, 6.0, 10.0]]
    assert initial_values(lowered, {2: 100.0}).tolist() == [1.0, 10.0, 11.0]  # a rule is not overridden
    assert lowered.values.tolist() == [1.0, 2.0, 3.0]  # and the network stays as it was
