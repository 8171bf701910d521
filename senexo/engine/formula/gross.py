"""How large the terms are that a formula adds up: the scale of its rounding errors where they cancel."""

from __future__ import annotations

from collections.abc import Iterable

from senexo.engine.formula.graph import Graph, Node


def gross(graph: Graph, roots: Iterable[Node]) -> dict[Node, Node]:
    """For every node that the roots need: one for its absolute terms, as |a| + |b| for a - b (running error analysis).

    The rounding error of a node is a few times 2^-53 of that (Higham, Accuracy and Stability of Numerical Algorithms,
    doi 10.1137/1.9780898718027, section 3.3).

    >>> from senexo.engine.formula.graph import Graph
    >>> graph = Graph()
    >>> difference = graph.node("minus", graph.slot(0), graph.slot(1))
    >>> graph.keys[gross(graph, [difference])[difference]][0]
    'plus'
    """
    found: dict[Node, Node] = {}
    for node in graph.reachable(roots):
        operator = graph.operator(node)
        arguments = [found[argument] for argument in graph.arguments(node)]
        if operator in ("plus", "minus"):
            found[node] = graph.node("plus", *arguments)
        elif operator == "negate":
            found[node] = arguments[0]
        elif operator == "times":
            found[node] = graph.node("times", *arguments)
        elif operator == "divide":
            found[node] = graph.node("divide", arguments[0], graph.node("abs", graph.arguments(node)[1]))
        elif operator == "select":
            found[node] = graph.node("select", graph.arguments(node)[0], *arguments[1:])
        else:
            found[node] = graph.node("abs", node)
    return found
