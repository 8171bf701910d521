"""Values at the start of an experiment and their derivatives by the parameters, both exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.many import ManyFormulas
from senexo.engine.formula.network import Assigned

Floats = NDArray[np.float64]
_START = np.zeros(1)


class StartValues:
    """Assignments in order as formulas of the parameters alone, with their gradients.

    Parameters
    ----------
    items
        The assignments, each after those that it reads.
    leaves
        Slots of the parameters that are estimated.
    width
        Number of slots.
    """

    def __init__(self, items: Sequence[Assigned], leaves: Sequence[int], width: int) -> None:
        graph, inlined = Graph(), dict[int, Node]()
        for item in items:
            inlined[item.slot] = graph.add(item.math, inlined)
        nodes = {graph.slot(slot): k for k, slot in enumerate(leaves)}
        slopes = gradients(graph, list(inlined.values()), list(nodes))
        self.slots = np.array(list(inlined), dtype=np.int64)
        partials = [
            (nodes[leaf], slot, node) for slot, root in inlined.items() for leaf, node in slopes[root].items()
        ]  # fmt: skip
        self.parameters = np.array([k for k, _, _ in partials], dtype=np.int64)
        self.targets = np.array([slot for _, slot, _ in partials], dtype=np.int64)
        self._values = ManyFormulas(graph, list(inlined.values()), width)
        self._slopes = ManyFormulas(graph, [node for _, _, node in partials], width)
        self.leaves = np.array(leaves, dtype=np.int64)

    def values(self, v: Floats) -> Floats:
        """The vector [slots] with the assignments made; `v` has the model's own numbers and the parameters."""
        found = v.copy()
        found[self.slots] = self._values.values(v[None], _START)[0]
        return found

    def slopes(self, v: Floats, n_parameters: int) -> Floats:
        """d vector / d parameter [parameters, slots], of the same `v`."""
        found = np.zeros((n_parameters, len(v)))
        found[np.arange(n_parameters), self.leaves] = 1.0
        found[self.parameters, self.targets] = self._slopes.values(v[None], _START)[0]
        return found
