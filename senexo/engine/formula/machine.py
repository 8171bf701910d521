"""The table machine: runs the rows that `senexo.engine.formula.bytecode` writes, compiled once for all models."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.arithmetic import factorial, quotient, remainder
from senexo.engine.formula.kernels import kernel


@kernel()
def _circular(operator: int, a: float) -> float:
    """Trigonometric and hyperbolic functions, and their inverses."""
    if operator == 28:
        return math.sin(a)
    if operator == 29:
        return math.cos(a)
    if operator == 30:
        return math.tan(a)
    if operator == 31:
        return math.sinh(a)
    if operator == 32:
        return math.cosh(a)
    if operator == 33:
        return math.tanh(a)
    if operator == 34:
        return math.asin(a)
    if operator == 35:
        return math.acos(a)
    if operator == 36:
        return math.atan(a)
    if operator == 37:
        return math.asinh(a)
    if operator == 38:
        return math.acosh(a)
    return math.atanh(a)


@kernel("void(int32[:, ::1], int64, int64, float64[::1])")
def run(code: NDArray[np.int32], first: int, last: int, memory: NDArray[np.float64]) -> None:
    """Execute rows first..last-1: memory[target] = operator(memory[a], memory[b]).

    Undefined operations give nan or an infinity; nothing is raised. A branch that is not chosen is computed and
    thrown away. The order of the tests below is that of `bytecode.OPERATORS`, frequent ones first. Indices are
    unsigned, which spares the test whether one counts from the end.
    """
    for row in range(np.uint64(first), np.uint64(last)):
        operator = code[row, 0]
        target = np.uint32(code[row, 1])
        a = memory[np.uint32(code[row, 2])]
        b = memory[np.uint32(code[row, 3])]
        if operator == 0:
            memory[target] = a
        elif operator == 1:
            memory[target] = a + b
        elif operator == 2:
            memory[target] = a - b
        elif operator == 3:
            memory[target] = a * b
        elif operator == 4:
            memory[target] = a / b
        elif operator == 5:
            memory[target] = -a
        elif operator == 6:
            memory[target] = math.pow(a, b)
        elif operator == 7:
            memory[target] = math.sqrt(a)
        elif operator == 8:
            memory[target] = math.exp(a)
        elif operator == 9:
            memory[target] = math.log(a)
        elif operator == 10:
            memory[target] = 1.0 if a < b else 0.0
        elif operator == 11:
            memory[target] = 1.0 if a <= b else 0.0
        elif operator == 12:
            memory[target] = 1.0 if a == b else 0.0
        elif operator == 13:
            memory[target] = 1.0 if a != b else 0.0
        elif operator == 14:
            memory[target] = 1.0 if a != 0.0 and b != 0.0 else 0.0
        elif operator == 15:
            memory[target] = 1.0 if a != 0.0 or b != 0.0 else 0.0
        elif operator == 16:
            memory[target] = 1.0 if (a != 0.0) != (b != 0.0) else 0.0
        elif operator == 17:
            memory[target] = 1.0 if a == 0.0 else 0.0
        elif operator == 18:
            if a != 0.0:
                memory[target] = b
        elif operator == 19:
            if a == 0.0:
                memory[target] = b
        elif operator == 20:
            memory[target] = a if a < b else b
        elif operator == 21:
            memory[target] = a if a > b else b
        elif operator == 22:
            memory[target] = abs(a)
        elif operator == 23:
            memory[target] = np.floor(a)
        elif operator == 24:
            memory[target] = np.ceil(a)
        elif operator == 25:
            memory[target] = remainder(a, b)
        elif operator == 26:
            memory[target] = quotient(a, b)
        elif operator == 27:
            memory[target] = factorial(a)
        else:
            memory[target] = _circular(operator, a)
