"""Algebraic rules and fast reactions in a run: unknowns solved for, and states corrected, wherever values are read.

The equations of `senexo.engine.formula.constraints` make of a differential-algebraic system one of ordinary equations
in the states: the unknowns follow from the states by Newton's method, and every state is first moved to the invariants
(coordinate projection: Eich, doi 10.1137/0730076). The integrator so sees f(P(y)), which does not drift away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.network import Algebra, Lowered

Floats = NDArray[np.float64]
Run = Callable[[Span], None]

MOST_ITERATIONS = 60
EXACT = 4e-14  # relative change of the last iteration
_LEAST = 1e-3  # share of the largest state below which states count as alike when they are corrected
_GUESSES = (1.0, 0.0, -1.0, 1e-3, 1e3)  # where Newton's method begins once more


class Constraints:
    """Programs and cells for the constraints of one run; `run` computes a span of the assembler's rows."""

    def __init__(self, lowered: Lowered, algebra: Algebra, assembler: Assembler, states: NDArray[np.int64]) -> None:
        self.algebra, self.states = algebra, states
        self.unknowns = np.array(algebra.unknowns, dtype=np.int64)
        self.extents = np.array([lowered.slots[slot].kind == "unknown" for slot in algebra.unknowns], dtype=bool)
        self.names = [lowered.slots[slot].id for slot in algebra.unknowns]
        graph = Graph()
        equations = [graph.add(math) for math in algebra.equations]
        self.residual, self.slopes = _Block(assembler, len(equations)), _Matrix(assembler)
        self.slopes.of(graph, equations, [graph.slot(slot) for slot in algebra.unknowns])
        self.solving = assembler.assemble(graph, [*self.residual.into(equations), *self.slopes.entries()])
        invariants = [graph.add(item.math) for item in algebra.invariants]
        self.distance, self.normals = _Block(assembler, len(invariants)), _Matrix(assembler)
        self.normals.of(graph, invariants, [graph.slot(int(slot)) for slot in states])
        self.ways = _Matrix(assembler)
        place = {int(slot): column for column, slot in enumerate(states)}
        self.free_ways = np.array([not item.along for item in algebra.invariants], dtype=bool)
        for row, item in enumerate(algebra.invariants):
            for change in item.along:
                self.ways.add(row, place[change.slot], graph.add(change.coefficient))
        self.ways.shape = (len(invariants), len(states))
        items = [*self.distance.into(invariants), *self.normals.entries(), *self.ways.entries()]
        self.correcting = assembler.assemble(graph, items)

    def settle(self, memory: Floats, run: Run) -> None:
        """Move the states to the invariants and solve for the unknowns, in place."""
        both = len(self.free_ways) > 0
        for _ in range(MOST_ITERATIONS if both else 1):
            self._solve(memory, run)
            if not both or self._correct(memory, run):
                return

    def begin(self, memory: Floats, run: Run) -> None:
        """`settle` at the start, with initial assignments that read unknowns made once more."""
        before = memory.copy()
        given = [float(evaluate(item.math, before, 0.0)) for item in self.algebra.initial]
        # an initial assignment that another value has replaced stays replaced
        own = [k for k, item in enumerate(self.algebra.initial) if _same(given[k], before[item.slot])]
        for _ in range(MOST_ITERATIONS):
            self.settle(memory, run)
            last = [memory[self.algebra.initial[k].slot] for k in own]
            for k in own:
                memory[self.algebra.initial[k].slot] = evaluate(self.algebra.initial[k].math, memory, 0.0)
            now = [memory[self.algebra.initial[k].slot] for k in own]
            if all(_same(a, b) for a, b in zip(last, now, strict=True)):
                return

    def _solve(self, memory: Floats, run: Run) -> None:
        if not len(self.unknowns):
            return
        start = memory[self.unknowns].copy()
        if np.all(np.isfinite(start)) and self._newton(memory, run):
            return
        for guess in _GUESSES:
            memory[self.unknowns] = np.where(np.isfinite(start), start if guess == 1.0 else guess, guess)
            if self._newton(memory, run):
                return
        raise SimulationError(
            f"the algebraic rules have no solution for {', '.join(self.names[:5])}"
            " (at the start: give values near the one that is meant)"
        )

    def _newton(self, memory: Floats, run: Run) -> bool:
        """Newton's method with halved steps where a whole one does not lead nearer."""
        found = self._residual(memory, run)
        for _ in range(MOST_ITERATIONS):
            if not np.all(np.isfinite(found)):
                return False
            matrix = self.slopes.dense(memory)
            if not np.all(np.isfinite(matrix)):
                return False
            rows = np.max(np.abs(matrix), axis=1, initial=0.0)
            rows[rows == 0.0] = 1.0
            here = memory[self.unknowns].copy()
            columns = np.where(here == 0.0, 1.0, np.abs(here))
            scaled = matrix / rows[:, None] * columns
            relative, _, rank, _ = np.linalg.lstsq(scaled, -found / rows, rcond=1e-13)
            step = columns * relative
            if rank < len(here) and np.any(self.extents):
                step -= self._undetermined(scaled, int(rank), columns, here + step)
            size = float(np.max(np.abs(found / rows)))
            share, better = 1.0, False
            while share > 1e-6 and not better:
                memory[self.unknowns] = here + share * step
                found = self._residual(memory, run)
                new = float(np.max(np.abs(found / rows)))
                better = new < size or new == 0.0
                share *= 0.5
            small = float(np.max(np.abs(step) / np.maximum(np.abs(here), 1e-300)))
            if not better:  # the rounding errors of the equations are reached, or nothing leads on
                memory[self.unknowns] = here
                self._residual(memory, run)
                return small < 1e-7 or size <= 1e-12 * float(np.max(columns))
            if small < EXACT or new == 0.0:
                return True
        return False

    def _undetermined(self, scaled: Floats, rank: int, columns: Floats, values: Floats) -> Floats:
        """What of the extents no equation determines: an extent that does not matter (its law is 0 anyway) is 0."""
        free = np.linalg.svd(scaled)[2][rank:] / columns
        free = free[np.all(free[:, ~self.extents] == 0.0, axis=1)] if np.any(~self.extents) else free
        if not len(free):
            return np.zeros(len(values))
        basis = np.linalg.qr(free.T)[0]
        remainder: Floats = basis @ (basis.T @ values)
        return remainder

    def _residual(self, memory: Floats, run: Run) -> Floats:
        run(self.solving)
        return memory[self.residual.cells].copy()

    def _correct(self, memory: Floats, run: Run) -> bool:
        """One correction of the states; True if none was needed."""
        run(self.correcting)
        distance, normals = memory[self.distance.cells], self.normals.dense(memory)
        if not (np.all(np.isfinite(distance)) and np.all(np.isfinite(normals))):
            raise SimulationError("an algebraic rule or the law of a fast reaction is no finite number")
        y = memory[self.states]
        largest = float(np.max(np.abs(y), initial=0.0)) or 1.0
        weights = np.maximum(np.abs(y), _LEAST * largest)
        ways = self.ways.dense(memory)
        ways[self.free_ways] = normals[self.free_ways] * weights**2
        rows = np.maximum(np.max(np.abs(normals) * weights, axis=1, initial=0.0), 1e-300)
        system = (normals / rows[:, None]) @ ways.T
        scale = np.max(np.abs(system), axis=0, initial=0.0)
        scale[scale == 0.0] = 1.0
        change = (np.linalg.lstsq(system / scale, -distance / rows, rcond=1e-13)[0] / scale) @ ways
        if np.max(np.abs(change) / weights, initial=0.0) < EXACT:
            return True
        memory[self.states] = y + change
        return False


class _Block:
    """Cells in a row for the values of formulas."""

    def __init__(self, assembler: Assembler, count: int) -> None:
        first = assembler.cells(count)
        self.cells = slice(first, first + count)

    def into(self, nodes: list[Node]) -> list[tuple[int, Node]]:
        return list(zip(range(self.cells.start, self.cells.stop), nodes, strict=True))


class _Matrix:
    """Cells for the entries of a matrix that are not 0 everywhere."""

    def __init__(self, assembler: Assembler) -> None:
        self.assembler = assembler
        self.shape = (0, 0)
        self.places: list[tuple[int, int]] = []
        self.nodes: list[Node] = []
        self.cells: list[int] = []

    def of(self, graph: Graph, rows: list[Node], columns: list[Node]) -> None:
        self.shape = (len(rows), len(columns))
        slopes = gradients(graph, rows, columns)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                if column in slopes[row]:
                    self.add(i, j, slopes[row][column])

    def add(self, row: int, column: int, node: Node) -> None:
        self.places.append((row, column))
        self.nodes.append(node)
        self.cells.append(self.assembler.cells(1))

    def entries(self) -> list[tuple[int, Node]]:
        return list(zip(self.cells, self.nodes, strict=True))

    def dense(self, memory: Floats) -> Floats:
        matrix = np.zeros(self.shape)
        for (i, j), cell in zip(self.places, self.cells, strict=True):
            matrix[i, j] = memory[cell]
        return matrix


def _same(a: float, b: float) -> bool:
    return bool(abs(a - b) <= 1e-14 * max(abs(a), abs(b))) or (np.isnan(a) and np.isnan(b))
