"""Where time enters a network: which formulas move between events, and when a switch in them turns.

Exact stochastic runs need to know when propensities stay as they are. A formula moves when it depends on time or on
a quantity with a rate rule. A comparison, floor or quotient of such a formula is a switch: piecewise constant, and
where its argument is a straight line in time, the moment at which it turns is known and can cut the waiting time.
"""

from __future__ import annotations

from collections.abc import Sequence

from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import COMPARISONS, Graph, Node
from senexo.engine.formula.network import Lowered
from senexo.model.expression import Expression

_STEPS = frozenset({"floor", "ceiling", "quotient"})


class Clock:
    """The formulas of one network as one graph, in which what assignment rules move is written in place."""

    def __init__(self, lowered: Lowered) -> None:
        self.graph = Graph()
        self.leaves = [self.graph.node("time"), *(self.graph.slot(rule.slot) for rule in lowered.rate_rules)]
        self.moved: dict[int, Node] = {}  # slots of assignment rules that move, and their formulas
        self._moves: dict[Node, bool] = {}
        for item in lowered.assignments:
            node = self.graph.add(item.math, self.moved)
            if self.moves(node):
                self.moved[item.slot] = node

    def add(self, math: Expression) -> Node:
        return self.graph.add(math, self.moved)

    def moves(self, root: Node) -> bool:
        """Does the value change while no reaction or event happens?"""
        for node in self.graph.reachable([root]):
            if node not in self._moves:
                arguments = self.graph.arguments(node)
                self._moves[node] = node in self.leaves or any(self._moves[argument] for argument in arguments)
        return self._moves[root]

    def flows(self, root: Node) -> bool:
        """Does it change other than by jumps?"""
        return self.moves(root) and bool(gradients(self.graph, [root], self.leaves)[root])

    def slope(self, root: Node) -> Node | None:
        """d/dt between jumps where that is a constant, else None."""
        if not self.moves(root):
            return self.graph.number(0.0)
        by_leaf = dict(gradients(self.graph, [root], self.leaves)[root])
        slope = by_leaf.pop(self.leaves[0], self.graph.number(0.0))
        return None if by_leaf or self.moves(slope) else slope

    def switches(self, roots: Sequence[Node]) -> list[Node]:
        """The moving comparisons and steps on which the roots stand; of a remainder, the quotient in it."""
        graph = self.graph
        found: dict[Node, None] = {}
        for node in graph.reachable(roots):
            if not self.moves(node):
                continue
            if graph.operator(node) in COMPARISONS | _STEPS:
                found[node] = None
            elif graph.operator(node) == "rem":
                found[graph.node("quotient", *graph.arguments(node))] = None
        return list(found)
