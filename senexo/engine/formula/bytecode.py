"""Lowered formulas as rows of numbers: the network as data, so that no model needs compiling.

A `Tables` holds instructions (operator, target cell, argument cell, argument cell) over one vector of cells,
`memory`: the slots first, then the time, then constants, results and temporaries. `senexo.engine.formula.machine`
runs a span of them. Operators and their order are those of `senexo.engine.formula.graph`, so the machine, generated
code and numpy agree on what a formula means.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import Graph, Node
from senexo.model.expression import Expression

# The number of an operator is its place here; `machine.run` spells them out in the same order.
OPERATORS = (
    "copy", "plus", "minus", "times", "divide", "negate", "power", "sqrt", "exp", "ln",
    "lt", "leq", "eq", "neq", "and", "or", "xor", "not", "if", "else",
    "min", "max", "abs", "floor", "ceiling", "rem", "quotient", "factorial",
    "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
NUMBERS = {operator: number for number, operator in enumerate(OPERATORS)}
COLUMNS = 4

_CONSTANT = 1 << 28  # provisional cell numbers, replaced by real ones when the tables are finished
_TEMPORARY = 1 << 29


class Span(NamedTuple):
    """Rows of `Tables.code`, the last excluded."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Tables:
    """What the machine reads. Copy `memory` for each run, put slots into its first cells, time into `time`."""

    code: NDArray[np.int32]
    memory: NDArray[np.float64]
    n_slots: int
    time: int


@dataclass
class Assembler:
    """Collects programs and result cells, then numbers constants and temporaries.

    >>> from senexo.model.expression import Call, Number, Slot
    >>> assembler = Assembler(1)
    >>> result = assembler.cells(1)
    >>> span = assembler.program([(result, Call("times", (Slot(0), Number(2.0))))])
    >>> len(assembler.finish().code)
    2
    """

    n_slots: int
    n_cells: int = field(init=False)
    rows: list[tuple[int, int, int, int]] = field(default_factory=list)
    constants: dict[str, int] = field(default_factory=dict)
    n_temporaries: int = 0

    def __post_init__(self) -> None:
        self.time = self.n_slots
        self.n_cells = self.n_slots + 1

    def cells(self, count: int) -> int:
        """The first of `count` fresh cells in a row."""
        first = self.n_cells
        self.n_cells += count
        return first

    def program(self, items: Iterable[tuple[int, Expression]]) -> Span:
        """Compute the formulas in order, each into its cell before the next one is begun.

        What they share is computed once, so a formula must not read a slot that a later item changes.
        """
        graph = Graph()
        return self.assemble(graph, [(cell, graph.add(math)) for cell, math in items])

    def assemble(
        self,
        graph: Graph,
        items: Iterable[tuple[int, Node]],
        known: Mapping[Node, int] | None = None,
        *,
        direct: bool = False,
    ) -> Span:
        """`program` for nodes of a graph; the nodes in `known` are not computed but read from their cells.

        direct: results are computed in their cells where that can be, not copied to them. No formula may read one.
        """
        first = len(self.rows)
        emitter = _Emitter(self, graph, dict(known or {}))
        for cell, node in items:
            found = emitter.cell(node)
            if direct and emitter.last == node and self.rows[-1][1] == found:
                operator, _, a, b = self.rows[-1]
                self.rows[-1] = (operator, cell, a, b)
                emitter.places[node], emitter.last = cell, None
            else:
                self.emit("copy", cell, found)
        self.n_temporaries = max(self.n_temporaries, emitter.n_temporaries)
        return Span(first, len(self.rows))

    def emit(self, operator: str, target: int, a: int, b: int = 0) -> None:
        self.rows.append((NUMBERS[operator], target, a, b))

    def constant(self, value: float) -> int:
        return _CONSTANT + self.constants.setdefault(value.hex(), len(self.constants))

    def finish(self) -> Tables:
        code = np.array(self.rows, dtype=np.int64).reshape(-1, COLUMNS)
        cells = code[:, 1:]
        n_known = self.n_cells + len(self.constants)
        temporary, constant = cells >= _TEMPORARY, (cells >= _CONSTANT) & (cells < _TEMPORARY)
        cells[temporary] += n_known - _TEMPORARY
        cells[constant] += self.n_cells - _CONSTANT
        memory = np.zeros(n_known + self.n_temporaries)
        memory[self.n_cells : n_known] = [float.fromhex(text) for text in self.constants]
        return Tables(code.astype(np.int32), memory, self.n_slots, self.time)


class _Emitter:
    """One program's walk over the graph: each node is computed once, where it is first needed."""

    def __init__(self, assembler: Assembler, graph: Graph, places: dict[Node, int]) -> None:
        self.assembler, self.graph, self.places = assembler, graph, places
        self.n_temporaries = 0
        self.last: Node | None = None  # the node that the last row computes, where one row computes it

    def cell(self, root: Node) -> int:
        for node in _needed(self.graph, root, self.places):
            self.last = None
            self.places[node] = self.place(node)
        return self.places[root]

    def place(self, node: Node) -> int:
        assembler, operator = self.assembler, self.graph.operator(node)
        value = self.graph.value(node)
        if value is not None:
            return assembler.constant(value)
        if operator == "slot":
            return int(self.graph.keys[node][1])
        if operator == "time":
            return assembler.time
        if operator in ("true", "false"):
            return assembler.constant(float(operator == "true"))
        arguments = [self.places[argument] for argument in self.graph.arguments(node)]
        target = _TEMPORARY + self.n_temporaries
        self.n_temporaries += 1
        if operator == "select":  # two rows: target = a if condition; target = b if not
            condition, a, b = arguments
            assembler.emit("if", target, condition, a)
            assembler.emit("else", target, condition, b)
        else:
            assembler.emit(operator, target, *arguments)
            self.last = node
        return target


def _needed(graph: Graph, root: Node, placed: Container[Node]) -> list[Node]:
    """The nodes the root still needs, arguments first, not looking beneath those that have their place."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen and node not in placed:
            seen.add(node)
            stack.extend(graph.arguments(node))
    return sorted(seen)
