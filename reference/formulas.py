"""Values of lowered formulas by walking the tree in plain Python, one cell at a time.

What the operators mean, and in which order sums, products and powers are worked out, is the text of
`senexo.engine.formula.graph`, followed here a second time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from senexo.model.expression import Call, Expression, Number, Slot, Time

AVOGADRO = 6.02214179e23


def value(formula: Expression, v: Sequence[float], time: float) -> float:
    """The number a formula gives for these values of the slots at this time; truth values are 1 and 0."""
    if isinstance(formula, Number):
        return formula.value
    if isinstance(formula, Slot):
        return float(v[formula.index])
    if isinstance(formula, Time):
        return time
    assert isinstance(formula, Call)
    if formula.operator == "power" and isinstance(formula.arguments[1], Number):
        exponent = formula.arguments[1].value
        if exponent == int(exponent) and abs(exponent) <= 16:
            return whole_power(value(formula.arguments[0], v, time), int(exponent))
    numbers = [value(argument, v, time) for argument in formula.arguments]
    if formula.operator in FOLDED:
        start, combine = FOLDED[formula.operator]
        if formula.operator in ("and", "or", "xor") or not numbers:
            numbers = [start, *numbers]  # a lone number becomes a truth value
        total = numbers[0]
        for number in numbers[1:]:
            total = combine(total, number)
        return total
    if formula.operator == "piecewise":
        for k in range(0, len(numbers) - 1, 2):
            if numbers[k + 1] != 0.0:
                return numbers[k]
        return numbers[-1] if len(numbers) % 2 else math.nan
    if formula.operator in CHAINS:
        return float(all(CHAINS[formula.operator](a, b) for a, b in pairwise(numbers)))
    try:
        return float(FUNCTIONS[formula.operator](*numbers))
    except (ValueError, ZeroDivisionError):
        return math.nan
    except OverflowError:
        return math.inf


def whole_power(x: float, n: int) -> float:
    """Repeated multiplication, lowest bit of n first."""
    if n < 0:
        return divide(1.0, whole_power(x, -n))
    result, square = None, x
    while n:
        if n & 1:
            result = square if result is None else result * square
        n >>= 1
        if n:
            square = square * square
    return 1.0 if result is None else result


def divide(a: float, b: float) -> float:
    """As IEEE arithmetic divides: x / 0 is infinite, 0 / 0 not a number."""
    if b != 0.0:
        return a / b
    return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def logarithm(x: float) -> float:
    """As IEEE arithmetic has it: of 0 minus infinity."""
    return -math.inf if x == 0.0 else math.log(x)


FOLDED: dict[str, tuple[float, Callable[[float, float], float]]] = {
    "plus": (0.0, lambda a, b: a + b),
    "times": (1.0, lambda a, b: a * b),
    "min": (math.nan, lambda a, b: a if a < b else b),
    "max": (math.nan, lambda a, b: a if a > b else b),
    "and": (1.0, lambda a, b: float(a != 0.0 and b != 0.0)),
    "or": (0.0, lambda a, b: float(a != 0.0 or b != 0.0)),
    "xor": (0.0, lambda a, b: float((a != 0.0) != (b != 0.0))),
}

CHAINS: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b, "leq": lambda a, b: a <= b, "gt": lambda a, b: a > b, "geq": lambda a, b: a >= b,
    "eq": lambda a, b: a == b, "neq": lambda a, b: a != b,
}  # fmt: skip

FUNCTIONS: dict[str, Callable[..., float]] = {
    "minus": lambda a, b=None: -a if b is None else a - b,
    "divide": divide, "power": math.pow, "exp": math.exp, "ln": logarithm, "abs": abs,
    "root": lambda degree, x: math.sqrt(x) if degree == 2.0 else math.pow(x, divide(1.0, degree)),
    "log": lambda base, x: divide(logarithm(x), logarithm(base)),
    "floor": math.floor, "ceiling": math.ceil, "rem": math.fmod,
    "quotient": lambda a, b: math.trunc(divide(a, b)),
    "factorial": lambda x: math.gamma(x + 1.0) if x >= 0.0 else math.nan,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan,
    "not": lambda a: a == 0.0, "implies": lambda a, b: a == 0.0 or b != 0.0,
    "true": lambda: 1.0, "false": lambda: 0.0,
    "pi": lambda: math.pi, "exponentiale": lambda: math.e, "avogadro": lambda: AVOGADRO,
}  # fmt: skip
