"""Formulas of tables: values by numpy's own functions, and texts that are no formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from senexo.engine.formula.evaluate import evaluate
from senexo.fitting.formulas import FormulaError, read_formula
from senexo.model.expression import Slot, Symbol, rewrite

A, B = 2.5, -0.75
KNOWN = {
    "a + b * 2": A + B * 2, "a - b - 1": A - B - 1, "-a^2": -(A**2), "2^-1": 0.5, "2^3^2": 2.0**9, "2**3": 8.0,
    "a / b / 2": A / B / 2, "-(100 * b) / (b + a)": -(100 * B) / (B + A), "log(a)": math.log(A), "ln(a)": math.log(A),
    "log(a, 3)": math.log(A, 3), "log10(a)": math.log10(A), "log2(a)": math.log2(A), "sqrt(a)": math.sqrt(A),
    "pow(a, b)": A**B, "exp(b)": math.exp(B), "abs(b)": -B, "min(a, b, 0)": B, "max(a, b)": A, "sin(a)": math.sin(A),
    "atan(a)": math.atan(A), "arcsin(b)": math.asin(B), "1e-3 * 1.5E+2": 0.15, ".5": 0.5, "sign(b)": -1.0,
    "piecewise(1, a > 2, 0)": 1.0, "piecewise(1, a > 2 && b > 0, 3)": 3.0, "piecewise(1, !(a <= 2) || false, 3)": 1.0,
    "time": 7.0, "2 * pi": 2 * math.pi,
}  # fmt: skip


@pytest.mark.parametrize("text", KNOWN)
def test_value(text: str) -> None:
    slots = {"a": Slot(0), "b": Slot(1)}
    math_of = rewrite(read_formula(text), lambda node: slots[node.id] if isinstance(node, Symbol) else node)
    assert float(evaluate(math_of, np.array([A, B]), 7.0)) == pytest.approx(KNOWN[text], rel=1e-14)


@pytest.mark.parametrize(
    ("text", "at"),
    [("", 1), ("a +", 4), ("a b", 3), ("(a", 3), ("a)", 2), ("f(a)", 1), ("sqrt(a, b)", 1), ("a $ b", 3),
     ("piecewise(1, a > 2)", 1), ("__import__('os')", 12), ("a.b", 2), ("(" * 500 + "a" + ")" * 500, None)],
)  # fmt: skip
def test_no_formula(text: str, at: int | None) -> None:
    with pytest.raises(FormulaError) as error:
        read_formula(text)
    assert at is None or error.value.at == at
