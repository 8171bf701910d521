"""Formulas as one shared graph: equal subexpressions are one node, and the sixty operators become thirty.

Code generation, differentiation and the table machine all start here, so that they agree to the last bit
on what a formula means:

- sums, products, min, max, and, or, xor fold from the left: a + b + c is (a + b) + c;
- a comparison of several arguments is the conjunction of its neighbours' comparisons;
- power(x, n) with a literal whole |n| <= 16 is repeated multiplication, lowest bit of n first
  (p = x; while n: if n odd: r = p or r * p; n //= 2; p = p * p), so x^2 = x*x, x^3 = x*(x*x),
  x^4 = (x*x)*(x*x); a negative power is 1 / the positive one;
- sec, csc, cot, sech, csch, coth and their inverses are written with the functions they are made of;
- log(b, x) is ln x / ln b, root(2, x) the square root, root(n, x) is power(x, 1/n);
- a number is true when it differs from 0; a truth value counts as 1 or 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import pairwise

from senexo.model.expression import Call, Expression, Number, Slot, Time

LARGEST_EXPANDED_POWER = 16
AVOGADRO = 6.02214179e23  # the value SBML Level 3 fixes, not the later exact one

COMPARISONS = frozenset({"eq", "neq", "lt", "leq"})
TRUTH = COMPARISONS | {"and", "or", "xor", "not", "true", "false"}

_FOLDED = {"plus": 0.0, "times": 1.0}
_DIRECT = frozenset({
    "exp", "ln", "abs", "floor", "ceiling", "factorial", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
})  # fmt: skip
_RECIPROCAL_OF = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
_OF_RECIPROCAL = {
    "arcsec": "arccos", "arccsc": "arcsin", "arccot": "arctan",
    "arcsech": "arccosh", "arccsch": "arcsinh", "arccoth": "arctanh",
}  # fmt: skip

Node = int
Key = tuple[str | float | int, ...]


class Graph:
    """Nodes numbered so that every argument comes before its users; equal keys share one number.

    A key is ("number", value, text), ("slot", index), ("time",) or (operator, argument node, ...) with the
    operators "plus" "minus" "times" "divide" "power" (two arguments), "negate", "sqrt", the one-argument
    functions, "min" "max" "rem" "quotient" (two), "eq" "neq" "lt" "leq" (two), "and" "or" "xor" (two), "not",
    "true", "false" and "select" (condition, value if true, value otherwise).
    """

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._index: dict[Key, Node] = {}

    def node(self, *key: str | float | int) -> Node:
        """The node with this key, made when it is new."""
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.keys)
            self.keys.append(key)
        return found

    def number(self, value: float) -> Node:
        # the text keeps 0.0 and -0.0 apart and makes every not-a-number one node
        return self.node("number", 0.0 if value != value else float(value), repr(float(value)))

    def slot(self, index: int) -> Node:
        return self.node("slot", index)

    def arguments(self, node: Node) -> tuple[Node, ...]:
        key = self.keys[node]
        return () if key[0] in ("number", "slot", "time") else key[1:]  # type: ignore[return-value]

    def operator(self, node: Node) -> str:
        return self.keys[node][0]  # type: ignore[return-value]

    def value(self, node: Node) -> float | None:
        """The number a node is, or None."""
        key = self.keys[node]
        return float(key[2]) if key[0] == "number" else None

    def is_truth(self, node: Node) -> bool:
        return self.keys[node][0] in TRUTH

    def add(self, expression: Expression, inlined: Mapping[int, Node] | None = None) -> Node:
        """The node of a lowered expression; slots named in `inlined` stand for those nodes instead."""
        inlined = inlined or {}
        made: dict[int, Node] = {}  # by identity: what a tree holds twice is visited once
        stack = [expression]
        while stack:
            item = stack[-1]
            if id(item) in made:
                stack.pop()
            elif isinstance(item, Call):
                missing = [argument for argument in item.arguments if id(argument) not in made]
                if missing:
                    stack.extend(reversed(missing))
                else:
                    made[id(item)] = self._call(item.operator, [made[id(a)] for a in item.arguments])
            else:
                made[id(item)] = self._leaf(item, inlined)
        return made[id(expression)]

    def _leaf(self, item: Expression, inlined: Mapping[int, Node]) -> Node:
        if isinstance(item, Number):
            return self.number(item.value)
        if isinstance(item, Slot):
            return inlined[item.index] if item.index in inlined else self.slot(item.index)
        if isinstance(item, Time):
            return self.node("time")
        raise TypeError(f"a lowered expression holds no {type(item).__name__}")

    def reachable(self, roots: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
        """Every node the roots need, arguments first; what only `known` nodes need is left out."""
        seen: set[Node] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                if node not in known:
                    stack.extend(self.arguments(node))
        return sorted(seen)

    def _left(self, operator: str, items: Sequence[Node]) -> Node:
        result = items[0]
        for item in items[1:]:
            result = self.node(operator, result, item)
        return result

    def _call(self, operator: str, items: list[Node]) -> Node:
        make = self.node
        if operator in _FOLDED:
            return self._left(operator, items) if items else self.number(_FOLDED[operator])
        if operator in _DIRECT or operator in ("divide", "rem", "quotient", "not", "true", "false"):
            return make(operator, *items)
        if operator in ("min", "max"):
            return self._left(operator, items)
        if operator in ("and", "or", "xor"):
            # a lone number becomes a truth value by comparing it with the neutral element
            neutral = make("true" if operator == "and" else "false")
            return self._left(operator, items if len(items) > 1 else [neutral, *items])
        if operator == "minus":
            return make("negate", *items) if len(items) == 1 else make("minus", *items)
        if operator in _RECIPROCAL_OF:
            return make("divide", self.number(1.0), make(_RECIPROCAL_OF[operator], *items))
        if operator in _OF_RECIPROCAL:
            return make(_OF_RECIPROCAL[operator], make("divide", self.number(1.0), *items))
        special: Callable[..., Node] | None = getattr(self, f"_{operator}", None)
        if special is None:
            raise TypeError(f"a lowered expression holds no {operator}")
        return special(*items)

    def _power(self, base: Node, exponent: Node) -> Node:
        value = self.value(exponent)
        if value is not None and abs(value) <= LARGEST_EXPANDED_POWER and value == int(value):
            return self.integer_power(base, int(value))
        return self.node("power", base, exponent)

    def integer_power(self, base: Node, exponent: int) -> Node:
        if exponent < 0:
            return self.node("divide", self.number(1.0), self.integer_power(base, -exponent))
        result, square = None, base
        while exponent:
            if exponent & 1:
                result = square if result is None else self.node("times", result, square)
            exponent >>= 1
            if exponent:
                square = self.node("times", square, square)
        return self.number(1.0) if result is None else result

    def _root(self, degree: Node, radicand: Node) -> Node:
        if self.value(degree) == 2.0:
            return self.node("sqrt", radicand)
        return self.node("power", radicand, self.node("divide", self.number(1.0), degree))

    def _log(self, base: Node, argument: Node) -> Node:
        return self.node("divide", self.node("ln", argument), self.node("ln", base))

    def _chain(self, operator: str, items: Sequence[Node], swap: bool = False) -> Node:
        pairs = [(b, a) if swap else (a, b) for a, b in pairwise(items)]
        return self._left("and", [self.node(operator, *pair) for pair in pairs])

    def _eq(self, *items: Node) -> Node:
        return self._chain("eq", items)

    def _neq(self, a: Node, b: Node) -> Node:
        return self.node("neq", a, b)

    def _lt(self, *items: Node) -> Node:
        return self._chain("lt", items)

    def _leq(self, *items: Node) -> Node:
        return self._chain("leq", items)

    def _gt(self, *items: Node) -> Node:
        return self._chain("lt", items, swap=True)

    def _geq(self, *items: Node) -> Node:
        return self._chain("leq", items, swap=True)

    def _implies(self, a: Node, b: Node) -> Node:
        return self.node("or", self.node("not", a), b)

    def _piecewise(self, *items: Node) -> Node:
        pairs, rest = divmod(len(items), 2)
        result = items[-1] if rest else self.number(math.nan)
        for k in reversed(range(pairs)):
            result = self.node("select", items[2 * k + 1], items[2 * k], result)
        return result

    def _pi(self) -> Node:
        return self.number(math.pi)

    def _exponentiale(self) -> Node:
        return self.number(math.e)

    def _avogadro(self) -> Node:
        return self.number(AVOGADRO)
