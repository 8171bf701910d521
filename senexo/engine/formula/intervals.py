"""Interval arithmetic on formulas: what values a formula can take while the time runs through an interval.

Bounds are wide where a quantity is named twice and close as intervals shrink (Moore, Kearfott & Cloud 2009,
doi 10.1137/1.9780898717716). Rounding is not directed outwards: the bounds steer step sizes and need not hold to the
bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import Graph, Node

Floats = NDArray[np.float64]
Range = tuple[Floats, Floats]  # lowest and highest values [k], of k intervals of time


def ranges(graph: Graph, nodes: Sequence[Node], time: Range, slots: Mapping[int, float]) -> dict[Node, Range]:
    """Lowest and highest values of the nodes (arguments first, as `Graph.reachable` gives them), slots held fixed.

    Infinite where nothing better is known.
    """
    found: dict[Node, Range] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            found[node] = _range(graph, node, found, time, slots)
    return found


def _range(graph: Graph, node: Node, found: Mapping[Node, Range], time: Range, slots: Mapping[int, float]) -> Range:
    operator, key = graph.operator(node), graph.keys[node]
    if operator == "time":
        return time
    if operator in ("number", "slot"):
        value = graph.value(node) if operator == "number" else slots[int(key[1])]
        fixed = np.full(len(time[0]), value)
        return fixed, fixed
    arguments = graph.arguments(node)
    if operator == "times" and arguments[0] == arguments[1]:
        return _square(*found[arguments[0]])
    rule = _RULES.get(operator)
    if rule is None:
        return np.full(len(time[0]), -np.inf), np.full(len(time[0]), np.inf)
    low, high = rule(*(found[argument] for argument in arguments))
    unknown = np.isnan(low) | np.isnan(high)
    return np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)


def _square(low: Floats, high: Floats) -> Range:
    below, above = low * low, high * high
    return np.where((low <= 0.0) & (high >= 0.0), 0.0, np.minimum(below, above)), np.maximum(below, above)


def _corners(a: Range, b: Range, function: Callable[[Floats, Floats], Floats]) -> Range:
    values = [function(x, y) for x in a for y in b]
    return np.minimum.reduce(values), np.maximum.reduce(values)


def _times(a: Range, b: Range) -> Range:
    def product(x: Floats, y: Floats) -> Floats:
        return np.where((x == 0.0) | (y == 0.0), 0.0, x * y)

    return _corners(a, b, product)


def _divide(a: Range, b: Range) -> Range:
    low, high = _corners(a, b, np.divide)
    through_zero = (b[0] <= 0.0) & (b[1] >= 0.0)
    return np.where(through_zero, -np.inf, low), np.where(through_zero, np.inf, high)


def _power(a: Range, b: Range) -> Range:
    low, high = _corners((np.maximum(a[0], 0.0), a[1]), b, np.power)
    negative = a[0] < 0.0
    low, high = np.where(negative, -np.inf, low), np.where(negative, np.inf, high)
    even = (b[0] == b[1]) & (b[0] > 0.0) & (np.fmod(b[0], 2.0) == 0.0)
    sizes = _even(np.abs)(a)
    return np.where(even, np.power(sizes[0], b[0]), low), np.where(even, np.power(sizes[1], b[0]), high)


def _rising(function: Callable[[Floats], Floats], least: float = -np.inf, most: float = np.inf) -> Callable[..., Range]:
    return lambda a: (function(np.clip(a[0], least, most)), function(np.clip(a[1], least, most)))


def _falling(function: Callable[[Floats], Floats], least: float, most: float) -> Callable[..., Range]:
    return lambda a: _rising(function, least, most)(a)[::-1]


def _wave(shift: float) -> Callable[..., Range]:
    """sin(x + shift): extremes where a crest or a trough lies inside."""

    def rule(a: Range) -> Range:
        low, high = np.sin(a[0] + shift), np.sin(a[1] + shift)

        def holds(phase: float) -> NDArray[np.bool_]:
            turn = 2.0 * pi
            return np.floor((a[1] + shift - phase) / turn) > np.floor((a[0] + shift - phase) / turn)

        return (np.where(holds(-0.5 * pi), -1.0, np.minimum(low, high)),
                np.where(holds(0.5 * pi), 1.0, np.maximum(low, high)))  # fmt: skip

    return rule


def _tan(a: Range) -> Range:
    whole = np.floor(a[1] / pi + 0.5) == np.floor(a[0] / pi + 0.5)
    return np.where(whole, np.tan(a[0]), -np.inf), np.where(whole, np.tan(a[1]), np.inf)


def _even(function: Callable[[Floats], Floats]) -> Callable[..., Range]:
    """Falls below 0 and rises above it, as |x| and cosh."""

    def rule(a: Range) -> Range:
        low, high = function(a[0]), function(a[1])
        inside = (a[0] <= 0.0) & (a[1] >= 0.0)
        return np.where(inside, function(np.zeros_like(low)), np.minimum(low, high)), np.maximum(low, high)

    return rule


def _rem(a: Range, b: Range) -> Range:
    """a - b q while the whole quotient q stays the same, else anything up to the divisor."""
    first, last = _quotient(a, b)
    same = (first == last) & (b[0] == b[1])
    most = np.maximum(np.abs(b[0]), np.abs(b[1]))
    low, high = np.where(a[0] >= 0.0, 0.0, -most), np.where(a[1] <= 0.0, 0.0, most)
    return np.where(same, a[0] - b[0] * first, low), np.where(same, a[1] - b[0] * first, high)


def _quotient(a: Range, b: Range) -> Range:
    low, high = _divide(a, b)
    return np.trunc(low), np.trunc(high)


def _truth(yes: NDArray[np.bool_], no: NDArray[np.bool_]) -> Range:
    return np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0)


def _equal(a: Range, b: Range) -> Range:
    return _truth((a[0] == a[1]) & (b[0] == b[1]) & (a[0] == b[0]), (a[1] < b[0]) | (b[1] < a[0]))


def _not(a: Range) -> Range:
    return _truth((a[0] == 0.0) & (a[1] == 0.0), (a[0] > 0.0) | (a[1] < 0.0))


def _both(a: Range, b: Range) -> Range:
    yes = _yes(a) & _yes(b)
    return _truth(yes, _no(a) | _no(b))


def _either(a: Range, b: Range) -> Range:
    return _truth(_yes(a) | _yes(b), _no(a) & _no(b))


def _one_of(a: Range, b: Range) -> Range:
    return _truth((_yes(a) & _no(b)) | (_no(a) & _yes(b)), (_yes(a) & _yes(b)) | (_no(a) & _no(b)))


def _yes(a: Range) -> NDArray[np.bool_]:
    return (a[0] > 0.0) | (a[1] < 0.0)


def _no(a: Range) -> NDArray[np.bool_]:
    return (a[0] == 0.0) & (a[1] == 0.0)


def _select(condition: Range, a: Range, b: Range) -> Range:
    yes, no = _yes(condition), _no(condition)
    low = np.where(yes, a[0], np.where(no, b[0], np.minimum(a[0], b[0])))
    return low, np.where(yes, a[1], np.where(no, b[1], np.maximum(a[1], b[1])))


_RULES: dict[str, Callable[..., Range]] = {
    "plus": lambda a, b: (a[0] + b[0], a[1] + b[1]), "minus": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "negate": lambda a: (-a[1], -a[0]), "times": _times, "divide": _divide, "power": _power,
    "sqrt": _rising(np.sqrt, 0.0), "exp": _rising(np.exp), "ln": _rising(np.log, 0.0), "abs": _even(np.abs),
    "floor": _rising(np.floor), "ceiling": _rising(np.ceil), "sin": _wave(0.0), "cos": _wave(0.5 * pi), "tan": _tan,
    "sinh": _rising(np.sinh), "cosh": _even(np.cosh), "tanh": _rising(np.tanh),
    "arcsin": _rising(np.arcsin, -1.0, 1.0), "arccos": _falling(np.arccos, -1.0, 1.0), "arctan": _rising(np.arctan),
    "arcsinh": _rising(np.arcsinh), "arccosh": _rising(np.arccosh, 1.0), "arctanh": _rising(np.arctanh, -1.0, 1.0),
    "min": lambda a, b: (np.minimum(a[0], b[0]), np.minimum(a[1], b[1])),
    "max": lambda a, b: (np.maximum(a[0], b[0]), np.maximum(a[1], b[1])),
    "rem": _rem, "quotient": _quotient, "select": _select,
    "lt": lambda a, b: _truth(a[1] < b[0], a[0] >= b[1]), "leq": lambda a, b: _truth(a[1] <= b[0], a[0] > b[1]),
    "eq": _equal, "neq": lambda a, b: _not(_equal(a, b)), "not": _not, "and": _both, "or": _either, "xor": _one_of,
    "true": lambda: (np.ones(1), np.ones(1)), "false": lambda: (np.zeros(1), np.zeros(1)),
}  # fmt: skip
