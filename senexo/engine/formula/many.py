"""Formulas for many value vectors at once by the table machine: nothing is compiled for a model, no array per node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.bytecode import Assembler
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run

Floats = NDArray[np.float64]


@kernel("void(int32[:, ::1], int64, int64, float64[::1], int64, int64, float64[:, ::1], float64[::1], "
        "float64[:, ::1])")  # fmt: skip
def _run_rows(
    code: NDArray[np.int32], first: int, last: int, memory: Floats, time_cell: int, cell: int, v: Floats, times: Floats,
    found: Floats,
) -> None:  # fmt: skip
    for row in range(len(v)):
        for slot in range(v.shape[1]):
            memory[slot] = v[row, slot]
        memory[time_cell] = times[row]
        run(code, first, last, memory)
        for k in range(found.shape[1]):
            found[row, k] = memory[cell + k]


class ManyFormulas:
    """Nodes of a graph as one program, evaluated for any number of value vectors.

    >>> graph = Graph()
    >>> program = ManyFormulas(graph, [graph.node("times", graph.slot(0), graph.slot(1))], 2)
    >>> program.values(np.array([[2.0, 3.0], [4.0, 5.0]]), np.zeros(2)).ravel()
    array([ 6., 20.])
    """

    def __init__(self, graph: Graph, roots: Sequence[Node], n_slots: int) -> None:
        assembler = Assembler(n_slots)
        self._n, self._cell = len(roots), assembler.cells(len(roots))
        self._span = assembler.assemble(graph, enumerate(roots, self._cell))
        tables = assembler.finish()
        self._code, self._memory, self._time = tables.code, tables.memory, tables.time

    def values(self, v: Floats, times: Floats) -> Floats:
        """The formulas' values [rows, formulas] from vectors [rows, slots] and times [rows]."""
        found = np.empty((len(v), self._n))
        _run_rows(
            self._code, self._span.first, self._span.last, self._memory.copy(), self._time, self._cell,
            np.ascontiguousarray(v), np.ascontiguousarray(times), found,
        )  # fmt: skip
        return found
