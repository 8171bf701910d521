"""Observables and their noise as formulas over the vector of an experiment, for all measurements of one at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.many import ManyFormulas
from senexo.fitting.problem import Observable
from senexo.fitting.symbols import Symbols

Floats = NDArray[np.float64]


class Readout:
    """One observable: prediction and width, with their derivatives, of any number of measurements."""

    def __init__(self, symbols: Symbols, observable: Observable) -> None:
        self.observable = observable
        graph, inlined = Graph(), dict[int, Node]()
        for item in symbols.original.assignments:
            inlined[item.slot] = graph.add(item.math, inlined)
        roots = [graph.add(symbols.math(math), inlined) for math in (observable.formula, observable.noise)]
        used = [node for node in graph.reachable(roots) if graph.operator(node) == "slot"]
        slopes = gradients(graph, roots, used)
        self.slots = [int(graph.keys[node][1]) for node in used]
        self._partials = [(which, int(graph.keys[leaf][1]), node)
                          for which, root in enumerate(roots) for leaf, node in slopes[root].items()]  # fmt: skip
        self._values = ManyFormulas(graph, roots, symbols.width)
        self._slopes = ManyFormulas(graph, [*roots, *(node for _, _, node in self._partials)], symbols.width)

    def values(self, v: Floats, times: Floats) -> tuple[Floats, Floats]:
        """Predictions and widths [rows] from vectors [rows, slots]."""
        found = self._values.values(v, times)
        return found[:, 0], found[:, 1]

    def slopes(
        self, v: Floats, by: Floats, column: dict[int, int], times: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Predictions, widths [rows], and d of each / d parameter [rows, parameters].

        by: d vector / d parameter [rows, parameters, columns], `column` of each slot.
        """
        found = self._slopes.values(v, times)
        total = np.zeros((2, len(v), by.shape[1]))
        for k, (which, slot, _) in enumerate(self._partials):
            total[which] += found[:, k + 2, None] * by[:, :, column[slot]]
        return found[:, 0], found[:, 1], total[0], total[1]


def slots_of(readouts: Sequence[Readout]) -> list[int]:
    """The slots that any of them reads."""
    return sorted({slot for one in readouts for slot in one.slots})
