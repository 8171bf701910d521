"""Exact derivatives of formulas, simplified as they are built.

Forward mode on the shared graph (`senexo.engine.formula.graph`): every node gets the derivatives with respect to the
leaves it depends on, each a node itself, so that subexpressions of a formula and of its derivatives are
shared and the work grows with the size of the graph, not of the written-out tree.
Piecewise, min, max and abs are differentiated branch by branch; floor, ceiling, quotient and truth values
have derivative 0 (what holds between their jumps).
Rules: Griewank & Walther, Evaluating Derivatives, doi 10.1137/1.9780898717761, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.graph import TRUTH, Graph, Node
from senexo.model.expression import Call, Expression, Number, Slot, Time

Gradient = dict[Node, Node]  # leaf -> derivative; a leaf that is missing has derivative 0


def derivative(expression: Expression, slot: int) -> Expression:
    """d expression / d slot, all other slots and the time held fixed.

    expression: a lowered formula. The result shares subtrees, is simplified (0 x = 0, 1 x = x, numbers folded)
    and is 0 wherever the formula has no derivative (jumps of floor and piecewise). Raises UnsupportedFeature
    for the factorial of something that depends on the slot.

    >>> from senexo.model.expression import Call, Number, Slot
    >>> derivative(Call("power", (Slot(0), Number(2.0))), 0)
    Call(operator='times', arguments=(Number(value=2.0), Slot(index=0)))
    """
    graph = Graph()
    root = graph.add(expression)
    leaf = graph.slot(slot)
    slope = gradients(graph, [root], [leaf])[root].get(leaf)
    return Number(0.0) if slope is None else to_expression(graph, slope)


def gradients(graph: Graph, roots: Sequence[Node], leaves: Collection[Node]) -> dict[Node, Gradient]:
    """For every node the roots need: its derivatives with respect to those leaves (slots or the time)."""
    rules = _Rules(graph)
    wanted = set(leaves)
    one = graph.number(1.0)
    result: dict[Node, Gradient] = {}
    for node in graph.reachable(roots):
        if node in wanted:
            result[node] = {node: one}
        elif any(result[argument] for argument in graph.arguments(node)):
            result[node] = rules.gradient(node, [result[argument] for argument in graph.arguments(node)])
        else:
            result[node] = {}
    return result


def to_expression(graph: Graph, node: Node) -> Expression:
    """The formula a node stands for; nodes used twice are the same object twice."""
    made: dict[Node, Expression] = {}
    spelled = {"negate": "minus", "select": "piecewise"}
    for item in graph.reachable([node]):
        key, arguments = graph.keys[item], [made[argument] for argument in graph.arguments(item)]
        operator = graph.operator(item)
        if operator == "number":
            made[item] = Number(float(key[2]))
        elif operator == "slot":
            made[item] = Slot(int(key[1]))
        elif operator == "time":
            made[item] = Time()
        elif operator == "sqrt":
            made[item] = Call("root", (Number(2.0), arguments[0]))
        else:
            if operator == "select":
                arguments = [arguments[1], arguments[0], arguments[2]]
            made[item] = Call(spelled.get(operator, operator), tuple(arguments))
    return made[node]


class Algebra:
    """Makes nodes with the obvious simplifications; 0 x = 0 is taken to hold for every x."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def number(self, value: float) -> Node:
        return self.graph.number(value)

    def _fold(self, operator: str, a: Node, b: Node, compute: Callable[[float, float], float]) -> Node:
        x, y = self.graph.value(a), self.graph.value(b)
        return self.graph.node(operator, a, b) if x is None or y is None else self.number(compute(x, y))

    def negate(self, a: Node) -> Node:
        value = self.graph.value(a)
        if value is not None:
            return self.number(-value if value else 0.0)
        if self.graph.operator(a) == "negate":
            return self.graph.arguments(a)[0]
        return self.graph.node("negate", a)

    def plus(self, a: Node, b: Node) -> Node:
        if self.graph.value(a) == 0.0:
            return b
        if self.graph.value(b) == 0.0:
            return a
        if a == b:
            return self.times(self.number(2.0), a)
        if self.graph.operator(b) == "negate":
            return self.minus(a, self.graph.arguments(b)[0])
        return self._fold("plus", a, b, lambda x, y: x + y)

    def minus(self, a: Node, b: Node) -> Node:
        if self.graph.value(b) == 0.0:
            return a
        if self.graph.value(a) == 0.0:
            return self.negate(b)
        if a == b:
            return self.number(0.0)
        if self.graph.operator(b) == "negate":
            return self.plus(a, self.graph.arguments(b)[0])
        return self._fold("minus", a, b, lambda x, y: x - y)

    def times(self, a: Node, b: Node) -> Node:
        for factor, other in ((a, b), (b, a)):
            value = self.graph.value(factor)
            if value == 0.0:
                return self.number(0.0)
            if value == 1.0:
                return other
            if value == -1.0:
                return self.negate(other)
        return self._fold("times", a, b, lambda x, y: x * y)

    def divide(self, a: Node, b: Node) -> Node:
        if self.graph.value(a) == 0.0:
            return self.number(0.0)
        if self.graph.value(b) == 1.0:
            return a
        if self.graph.value(b) == 0.0:
            return self.graph.node("divide", a, b)
        return self._fold("divide", a, b, lambda x, y: x / y)

    def power(self, a: Node, b: Node) -> Node:
        exponent = self.graph.value(b)
        if exponent is not None and exponent == int(exponent) and abs(exponent) <= 16:
            return self.graph.integer_power(a, int(exponent))
        return self.graph.node("power", a, b)

    def select(self, condition: Node, a: Node, b: Node) -> Node:
        return a if a == b else self.graph.node("select", condition, a, b)


class _Rules:
    """The chain rule, one operator at a time: gradient(node) = sum over arguments of partial * gradient."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.make = graph, Algebra(graph)

    def gradient(self, node: Node, inner: list[Gradient]) -> Gradient:
        operator, arguments = self.graph.operator(node), self.graph.arguments(node)
        if operator in TRUTH or operator in ("floor", "ceiling", "quotient"):
            return {}
        if operator == "select":
            return self._chosen(arguments[0], inner[1], inner[2])
        if operator in ("min", "max"):
            a, b = arguments if operator == "min" else arguments[::-1]
            return self._chosen(self.graph.node("lt", a, b), inner[0], inner[1])
        rule = getattr(self, f"_{operator}", None)
        if rule is None:
            raise UnsupportedFeature(f"derivative of {operator}", "of something that changes during the run")
        result: Gradient = {}
        for leaf in dict.fromkeys(leaf for gradient in inner for leaf in gradient):
            slope = rule(node, *arguments, *(gradient.get(leaf) for gradient in inner))
            if self.graph.value(slope) != 0.0:
                result[leaf] = slope
        return result

    def _chosen(self, condition: Node, first: Gradient, second: Gradient) -> Gradient:
        zero = self.make.number(0.0)
        leaves = dict.fromkeys([*first, *second])
        return {leaf: self.make.select(condition, first.get(leaf, zero), second.get(leaf, zero)) for leaf in leaves}

    def _sum(self, *terms: Node | None) -> Node:
        total = self.make.number(0.0)
        for term in terms:
            if term is not None:
                total = self.make.plus(total, term)
        return total

    def _plus(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        return self._sum(da, db)

    def _minus(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        zero = self.make.number(0.0)
        return self.make.minus(zero if da is None else da, zero if db is None else db)

    def _negate(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.negate(da)

    def _times(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        return self._sum(
            None if da is None else self.make.times(da, b),
            None if db is None else self.make.times(a, db),
        )

    def _divide(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        zero = self.make.number(0.0)
        top = zero if da is None else da
        if db is not None:
            top = self.make.minus(top, self.make.times(node, db))
        return self.make.divide(top, b)

    def _power(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        make, one = self.make, self.make.number(1.0)
        by_base = by_exponent = None
        if da is not None:
            by_base = make.times(make.times(b, make.power(a, make.minus(b, one))), da)
        if db is not None:
            # 0^b has slope 0 in b > 0, where 0 ln 0 would not be a number
            slope = make.times(node, self.graph.node("ln", a))
            positive = self.graph.node("lt", make.number(0.0), a)
            by_exponent = make.times(make.select(positive, slope, make.number(0.0)), db)
        return self._sum(by_base, by_exponent)

    def _rem(self, node: Node, a: Node, b: Node, da: Node | None, db: Node | None) -> Node:
        steps = None if db is None else self.make.negate(self.make.times(self.graph.node("quotient", a, b), db))
        return self._sum(da, steps)

    def _abs(self, node: Node, a: Node, da: Node) -> Node:
        negative = self.graph.node("lt", a, self.make.number(0.0))
        return self.make.select(negative, self.make.negate(da), da)

    def _sqrt(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, self.make.times(self.make.number(2.0), node))

    def _exp(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(node, da)

    def _ln(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, a)

    def _sin(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(self.graph.node("cos", a), da)

    def _cos(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.negate(self.make.times(self.graph.node("sin", a), da))

    def _tan(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(self._one_plus(node, 1.0), da)

    def _sinh(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(self.graph.node("cosh", a), da)

    def _cosh(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(self.graph.node("sinh", a), da)

    def _tanh(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.times(self._one_plus(node, -1.0), da)

    def _arcsin(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, self.graph.node("sqrt", self._one_plus(a, -1.0)))

    def _arccos(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.negate(self._arcsin(node, a, da))

    def _arctan(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, self._one_plus(a, 1.0))

    def _arcsinh(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, self.graph.node("sqrt", self._one_plus(a, 1.0)))

    def _arccosh(self, node: Node, a: Node, da: Node) -> Node:
        # two roots, not one of a^2 - 1, which loses digits near 1
        root = self.graph.node
        one = self.make.number(1.0)
        return self.make.divide(
            da,
            self.make.times(root("sqrt", self.make.minus(a, one)), root("sqrt", self.make.plus(a, one))),
        )

    def _arctanh(self, node: Node, a: Node, da: Node) -> Node:
        return self.make.divide(da, self._one_plus(a, -1.0))

    def _one_plus(self, a: Node, sign: float) -> Node:
        """1 + sign * a^2."""
        one, square = self.make.number(1.0), self.make.times(a, a)
        return self.make.plus(one, square) if sign > 0 else self.make.minus(one, square)
