"""What is set between two periods of an experiment, all of it from the state before, with its derivatives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.many import ManyFormulas
from senexo.fitting.problem import Value
from senexo.fitting.symbols import Symbols
from senexo.model.expression import Call, Expression, Slot

Floats = NDArray[np.float64]


class Changes:
    """Assignments to names of the model at one time.

    A species whose values are concentrations keeps its concentration where the size of its compartment is set (PEtab 2,
    re-initialization semantics).
    """

    def __init__(self, symbols: Symbols, values: Mapping[str, Value]) -> None:
        items: dict[int, Expression] = {}
        sizes = {symbols.model[id]: symbols.value(value) for id, value in values.items() if id in symbols.compartments}
        for id, value in values.items():
            slot = symbols.model.get(id, symbols.names.get(id, -1))
            size = symbols.size(symbols.species[id]) if id in symbols.species else None
            new = symbols.value(value)
            items[slot] = new if size is None else Call("times", (new, sizes.get(size, Slot(size))))
        for id, species in symbols.species.items():
            size, slot = symbols.size(species), symbols.model[id]
            if size in sizes and slot not in items:
                items[slot] = Call("times", (Call("divide", (Slot(slot), Slot(size))), sizes[size]))
        graph, inlined = Graph(), dict[int, Node]()
        for item in symbols.original.assignments:
            inlined[item.slot] = graph.add(item.math, inlined)
        roots = [graph.add(math, inlined) for math in items.values()]
        used = [node for node in graph.reachable(roots) if graph.operator(node) == "slot"]
        slopes = gradients(graph, roots, used)
        self.slots = np.array(list(items), dtype=np.int64)
        self.reads = {int(graph.keys[node][1]) for node in used}
        self.moved = {slot for slot, root in zip(items, roots, strict=True) if slopes[root]}
        self._partials = [(k, int(graph.keys[leaf][1]), node)
                          for k, root in enumerate(roots) for leaf, node in slopes[root].items()]  # fmt: skip
        self._formulas = ManyFormulas(graph, [*roots, *(node for _, _, node in self._partials)], symbols.width)

    def apply(self, v: Floats, by: Floats | None, time: float) -> tuple[Floats, Floats | None]:
        """The vector [slots] and d vector / d parameter [parameters, slots] after the changes at a time."""
        found = self._formulas.values(v[None], np.array([time]))[0]
        n = len(self.slots)
        new = v.copy()
        new[self.slots] = found[:n]
        if by is None:
            return new, None
        after = by.copy()
        after[:, self.slots] = 0.0
        for (k, slot, _), partial in zip(self._partials, found[n:], strict=True):
            after[:, self.slots[k]] += partial * by[:, slot]
        return new, after
