"""Formulas as a closed tree: the only form in which senexo holds mathematics.

Nothing here, and nothing that reads it, evaluates text. A formula is built node by node from MathML
and is either walked (`engine`) or printed as arithmetic over slot numbers (code generation), so a
hostile identifier never reaches an interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isnan

# operator -> allowed number of arguments (smallest, largest); None means any number
OPERATORS: dict[str, tuple[int, int | None]] = {
    "plus": (0, None), "times": (0, None), "minus": (1, 2), "divide": (2, 2), "power": (2, 2),
    "root": (2, 2),  # (degree, radicand)
    "log": (2, 2),  # (base, argument)
    "exp": (1, 1), "ln": (1, 1), "abs": (1, 1), "floor": (1, 1), "ceiling": (1, 1), "factorial": (1, 1),
    "sin": (1, 1), "cos": (1, 1), "tan": (1, 1), "sec": (1, 1), "csc": (1, 1), "cot": (1, 1),
    "sinh": (1, 1), "cosh": (1, 1), "tanh": (1, 1), "sech": (1, 1), "csch": (1, 1), "coth": (1, 1),
    "arcsin": (1, 1), "arccos": (1, 1), "arctan": (1, 1), "arcsec": (1, 1), "arccsc": (1, 1), "arccot": (1, 1),
    "arcsinh": (1, 1), "arccosh": (1, 1), "arctanh": (1, 1), "arcsech": (1, 1), "arccsch": (1, 1), "arccoth": (1, 1),
    "min": (1, None), "max": (1, None), "rem": (2, 2), "quotient": (2, 2),
    "eq": (2, None), "neq": (2, 2), "gt": (2, None), "lt": (2, None), "geq": (2, None), "leq": (2, None),
    "and": (0, None), "or": (0, None), "xor": (0, None), "not": (1, 1), "implies": (2, 2),
    "piecewise": (1, None),  # value1, condition1, value2, condition2, ..., [otherwise]
    "true": (0, 0), "false": (0, 0), "pi": (0, 0), "exponentiale": (0, 0), "avogadro": (0, 0),
    "rateOf": (1, 1),  # of one Symbol
    "delay": (2, 2),  # (formula, how long ago)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; infinities and not-a-number are literals too, and as a formula NaN equals NaN."""

    value: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and (self.value == other.value or (isnan(self.value) and isnan(other.value)))

    def __hash__(self) -> int:
        return 0 if isnan(self.value) else hash(self.value)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A quantity of the network by its SBML id (compartment, species, parameter, species reference, reaction)."""

    id: str


@dataclass(frozen=True, slots=True)
class Time:
    """The SBML csymbol `time`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A quantity by its place in the value vector; lowered expressions alone hold slots (`engine.formula.lower`)."""

    index: int


@dataclass(frozen=True, slots=True)
class Call:
    """One of `OPERATORS` applied to arguments."""

    operator: str
    arguments: tuple[Expression, ...] = ()

    def __post_init__(self) -> None:
        fewest, most = OPERATORS[self.operator]
        if len(self.arguments) < fewest or (most is not None and len(self.arguments) > most):
            raise ValueError(f"{self.operator} takes {fewest} to {most} arguments, found {len(self.arguments)}")


@dataclass(frozen=True, slots=True)
class Invoke:
    """A user's function definition applied to arguments; lowering writes its body in place."""

    function: str
    arguments: tuple[Expression, ...] = ()


Expression = Number | Symbol | Time | Slot | Call | Invoke


def children(node: Expression) -> tuple[Expression, ...]:
    """The direct arguments of a node."""
    return node.arguments if isinstance(node, Call | Invoke) else ()


def walk(node: Expression) -> Iterator[Expression]:
    """Every node of the tree, parents before children."""
    yield node
    for child in children(node):
        yield from walk(child)


def rewrite(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The tree with `change` applied to every node, children first."""
    if isinstance(node, Call):
        node = Call(node.operator, tuple(rewrite(child, change) for child in node.arguments))
    elif isinstance(node, Invoke):
        node = Invoke(node.function, tuple(rewrite(child, change) for child in node.arguments))
    return change(node)
