"""What generated kernels need to know of rate laws, and how they write them: signs, roots at 0, constant parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import TRUTH, Graph, Node
from senexo.engine.formula.network import Lowered
from senexo.model.expression import Call, Expression, Number, Slot, rewrite

Values = NDArray[np.float64]


def never_negative(graph: Graph, roots: list[Node], v0: Values, counted: set[int]) -> dict[Node, bool]:
    """For every node: do its form and the constants in it rule out a negative value? (It may be not a number.)"""
    known: dict[Node, bool] = {}
    for node in graph.reachable(roots):
        key, operator = graph.keys[node], graph.operator(node)
        parts = [known[argument] for argument in graph.arguments(node)]
        if operator == "number":
            known[node] = not float(key[2]) < 0.0
        elif operator == "slot":
            known[node] = int(key[1]) in counted or bool(v0[int(key[1])] >= 0.0)
        elif operator in ("plus", "divide", "power", "min"):
            known[node] = all(parts)
        elif operator == "times":
            known[node] = all(parts) or key[1] == key[2]
        elif operator == "max":
            known[node] = any(parts)
        elif operator == "select":
            known[node] = parts[1] and parts[2]
        else:
            known[node] = operator in TRUTH or operator in ("exp", "sqrt", "abs", "cosh", "factorial")
    return known


def vanishes(graph: Graph, root: Node, leaf: Node) -> bool:
    """Is the formula 0 (or not a number) wherever the leaf is 0, by its form?"""
    known: dict[Node, bool] = {}
    for node in graph.reachable([root]):
        operator = graph.operator(node)
        parts = [known[argument] for argument in graph.arguments(node)]
        if operator == "times":
            known[node] = any(parts)
        elif operator in ("plus", "minus", "negate", "sqrt", "abs", "min", "max"):
            known[node] = all(parts)
        elif operator == "divide":
            known[node] = parts[0]
        elif operator == "select":
            known[node] = parts[1] and parts[2]
        else:
            known[node] = node == leaf
    return known[root]


def floored(formula: Expression, lowered: Lowered) -> Expression:
    """The formula with species that have gone below 0 counted as 0 under a power that may be fractional.

    An amount that dies out ends within the tolerance on either side of 0, where x^2.5 has no value.
    """

    def change(node: Expression) -> Expression:
        if not isinstance(node, Call) or node.operator not in ("power", "root"):
            return node
        base, other = node.arguments if node.operator == "power" else node.arguments[::-1]
        amount = base.arguments[0] if isinstance(base, Call) and base.operator == "divide" else base
        whole = node.operator == "power" and isinstance(other, Number) and other.value == int(other.value)
        if whole or not isinstance(amount, Slot) or lowered.slots[amount.index].kind != "species":
            return node
        floored = Call("max", (base, Number(0.0)))
        return Call(node.operator, (floored, other) if node.operator == "power" else (other, floored))

    return rewrite(formula, change)


def bounded(graph: Graph, slope: Node) -> Node:
    """A slope that can be infinite where the rate is not (of the square root at 0), as 0 there.

    The method stays consistent with any slope (it loses order for that step, which the error estimate sees); with
    an infinite one it could not take the first step away from an empty species.
    """
    if not any(graph.operator(node) in ("power", "sqrt", "ln") for node in graph.reachable([slope])):
        return slope
    return graph.node(
        "select", graph.node("lt", graph.node("abs", slope), graph.number(1e300)), slope, graph.number(0.0)
    )


def constant_parts(graph: Graph, roots: Sequence[Node], varying: set[Node]) -> list[Node]:
    """The largest subexpressions that stay the same during a run; truth values are left where they stand."""
    fixed: set[Node] = set()
    nodes = graph.reachable(roots)
    for node in nodes:
        if node not in varying and not graph.is_truth(node) and fixed.issuperset(graph.arguments(node)):
            fixed.add(node)
    tops = {node for node in roots if node in fixed}
    tops |= {a for node in nodes if node not in fixed for a in graph.arguments(node) if a in fixed}
    return sorted(node for node in tops if graph.arguments(node))
