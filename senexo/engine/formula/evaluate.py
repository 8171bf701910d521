"""Values of lowered formulas with numpy, for one cell or for many at once.

Slow beside the kernels and free of compilation: for the start of a run, for output, and as their oracle.
The meaning of every operator is that of `senexo.engine.formula.graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gamma, inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.network import Assigned, Lowered
from senexo.model.expression import Expression

Values = NDArray[np.float64]


def initial_values(lowered: Lowered, overrides: Mapping[int, Any] | None = None, n: int | None = None) -> Values:
    """The value vector at time 0, before any event: written values, overrides, initial assignments, assignment rules.

    Parameters
    ----------
    overrides
        Slot -> a number, or an array [n] with one value per cell. An override replaces the slot's initial assignment;
        what an assignment rule determines cannot be overridden.
    n
        Number of cells, or None for one without an axis of its own.

    Returns
    -------
    numpy.ndarray
        [n_slots], or [n, n_slots] when `n` is given; nan where the model gives no value.

    Examples
    --------
    >>> from senexo.engine.formula.lower import lower
    >>> from senexo.model.network import Network, Parameter
    >>> initial_values(lower(Network("m", parameters=(Parameter("k", 2.0),))), {0: 3.0})
    array([3.])
    """
    overrides = overrides or {}
    v = lowered.values.copy() if n is None else np.tile(lowered.values, (n, 1))
    for slot, value in overrides.items():
        v[..., slot] = value
    ruled = {item.slot for item in lowered.assignments}
    initial = tuple(a for a in lowered.initial if a.slot in ruled or a.slot not in overrides)
    whole = len(initial) == len(lowered.initial)
    _assign(lowered.initial if whole else initial, v, 0.0, again=whole)
    apply_assignments(lowered, v, 0.0)
    return v


def apply_assignments(lowered: Lowered, v: Values, time: float | Values) -> None:
    """Bring every slot that an assignment rule determines up to date, in place.

    v: [..., n_slots]; time: a number or an array that broadcasts to v's leading shape (model time units).
    """
    _assign(lowered.assignments, v, time, again=True)


def evaluate(expression: Expression, v: Values, time: float | Values) -> Any:
    """The value of a lowered formula for each of v's cells; truth values are 1 and 0.

    v: [..., n_slots]; time: a number or an array that broadcasts to v's leading shape. Returns that shape.
    Undefined operations give nan or an infinity, without a warning.
    """
    return evaluate_all([expression], v, time)[0]


def evaluate_all(expressions: Sequence[Expression], v: Values, time: float | Values) -> list[Any]:
    """`evaluate` for several formulas; what they share is computed once."""
    return Formulas(expressions).values(v, time)


class Formulas:
    """Formulas in the order in which their parts are computed, each once; for many evaluations of the same ones."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self.graph = Graph()
        self.roots = [self.graph.add(expression) for expression in expressions]
        self.order = self.graph.reachable(self.roots)

    def values(self, v: Values, time: float | Values) -> list[Any]:
        """As `evaluate_all`."""
        walk = _Walk(v, time, self.graph)
        with np.errstate(all="ignore"):
            for node in self.order:
                walk.known[node] = walk.compute(node)
            found = [np.broadcast_to(walk.known[root], v.shape[:-1]) for root in self.roots]
        # truth values become numbers; complex v stays complex, for derivatives by the complex step
        return [values.astype(np.result_type(v, np.float64))[()] for values in found]


def _assign(items: tuple[Assigned, ...], v: Values, time: float | Values, *, again: bool) -> None:
    """Make assignments in their order, in place; again: the same ones will be made again."""
    graph, steps = _steps(_Same(items)) if again else _steps.__wrapped__(_Same(items))
    walk = _Walk(v, time, graph)
    with np.errstate(all="ignore"):
        for item, (nodes, root) in zip(items, steps, strict=True):
            for node in nodes:
                walk.known[node] = walk.compute(node)
            v[..., item.slot] = walk.known[root]


@dataclass(frozen=True, eq=False)
class _Same:
    """Assignments compared by identity: to compare their formulas takes as long as to evaluate them."""

    items: tuple[Assigned, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.items is self.items

    def __hash__(self) -> int:
        return id(self.items)


@lru_cache(maxsize=32)
def _steps(of: _Same) -> tuple[Graph, tuple[tuple[tuple[Node, ...], Node], ...]]:
    """The graph of assignments; for each the nodes that are new in it, arguments first, and its root."""
    graph, known, steps = Graph(), set[Node](), []
    for item in of.items:
        root = graph.add(item.math)
        new = tuple(node for node in graph.reachable([root]) if node not in known)
        known.update(new)
        steps.append((new, root))
    return graph, tuple(steps)


class _Walk:
    """Values of a graph's nodes, each computed once."""

    def __init__(self, v: Values, time: float | Values, graph: Graph) -> None:
        self.v, self.time, self.graph = v, time, graph
        self.known: dict[Node, Any] = {}

    def compute(self, node: Node) -> Any:
        key, operator = self.graph.keys[node], self.graph.operator(node)
        if operator == "number":
            return self.graph.value(node)
        if operator == "slot":
            return self.v[..., int(key[1])].copy()
        if operator == "time":
            return self.time
        return OPERATIONS[operator](*(self.known[argument] for argument in self.graph.arguments(node)))


def _truth(test: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: np.asarray(test(*arguments), dtype=np.float64)


def _factorial(x: float) -> float:
    """x! with the gamma function between whole numbers; nan below 0."""
    if not 0.0 <= x <= 170.0:
        return inf if x > 170.0 else nan
    return gamma(x + 1.0)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "plus": np.add, "minus": np.subtract, "times": np.multiply, "divide": np.divide, "power": np.power,
    "negate": np.negative, "sqrt": np.sqrt, "exp": np.exp, "ln": np.log, "abs": np.abs, "floor": np.floor,
    "ceiling": np.ceil, "factorial": np.vectorize(_factorial, otypes=[np.float64]),
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh,
    "min": lambda a, b: np.where(np.less(a, b), a, b), "max": lambda a, b: np.where(np.greater(a, b), a, b),
    "rem": np.fmod, "quotient": lambda a, b: np.trunc(np.divide(a, b)),
    "eq": _truth(np.equal), "neq": _truth(np.not_equal), "lt": _truth(np.less), "leq": _truth(np.less_equal),
    "and": _truth(np.logical_and), "or": _truth(np.logical_or), "xor": _truth(np.logical_xor),
    "not": _truth(np.logical_not), "true": lambda: 1.0, "false": lambda: 0.0,
    "select": lambda condition, a, b: np.where(np.not_equal(condition, 0.0), a, b),
}  # fmt: skip
