"""Formulas of PEtab tables as closed trees (`senexo.model.expression`); a text is never run as code.

    choice     = or
    or         = and {("||" | "or") and}          and = relation {("&&" | "and") relation}
    relation   = sum {("==" | "!=" | "<" | "<=" | ">" | ">=") sum}
    sum        = product {("+" | "-") product}    product = signed {("*" | "/") signed}
    signed     = {"+" | "-" | "!"} power          power = operand [("^" | "**") signed]
    operand    = number | name | function "(" arguments ")" | "(" or ")"

As in PEtab: `log` is the natural logarithm (a second argument is its base), a power is evaluated from the right, and
a sign binds less than a power (-x^2 is -(x^2)).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nan

from senexo.model.expression import Call, Expression, Number, Symbol, Time

MOST_TOKENS, MOST_DEPTH = 4_000, 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|\|\||&&|==|!=|<=|>=|[-+*/^()<>,!]))"
)
_RELATIONS = {"==": "eq", "!=": "neq", "<": "lt", "<=": "leq", ">": "gt", ">=": "geq"}
_SAME = ("exp", "abs", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "csch", "coth",
         "min", "max", "floor")  # fmt: skip
_ONE: dict[str, str] = {
    **{name: name for name in _SAME}, "ln": "ln", "ceil": "ceiling", "ceiling": "ceiling", "factorial": "factorial",
    **{f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh")},
    **{f"arc{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh")},
}  # fmt: skip
_CONSTANTS: dict[str, Expression] = {
    "pi": Call("pi"), "inf": Number(inf), "nan": Number(nan), "true": Call("true"), "false": Call("false"),
}  # fmt: skip
FUNCTIONS = frozenset({*_ONE, "log", "log10", "log2", "sqrt", "pow", "power", "piecewise", "sign"})


class FormulaError(Exception):
    """A text that is no formula: at which character (from 1), what stands there, what is expected."""

    def __init__(self, at: int, found: str, expected: str) -> None:
        super().__init__(f"character {at}: {found}")
        self.at, self.found, self.expected = at, found, expected


def read_formula(text: str) -> Expression:
    """The tree of a formula; names are `Symbol`s, `time` is `Time`. Raises `FormulaError`.

    >>> read_formula("A^2 + log10(b)").arguments[0]
    Call(operator='power', arguments=(Symbol(id='A'), Number(value=2.0)))
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.depth, self.position = text, 0, 0
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or len(self.tokens) >= MOST_TOKENS:
                at += len(text[at:]) - len(text[at:].lstrip())
                expected = "a name, a number or an operator" if found is None else f"at most {MOST_TOKENS:,} of them"
                raise FormulaError(at + 1, repr(text[at]), expected)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind), found.start(kind)))
            at = found.end()
        self.tokens.append(("end", "", len(text)))

    def whole(self) -> Expression:
        found = self.either()
        if self.tokens[self.position][0] != "end":
            raise self.fault("an operator or the end")
        return found

    def fault(self, expected: str) -> FormulaError:
        kind, word, at = self.tokens[self.position]
        return FormulaError(at + 1, "the end" if kind == "end" else repr(word), expected)

    def take(self, *words: str) -> str | None:
        kind, word, _ = self.tokens[self.position]
        if kind in ("sign", "name") and word in words:
            self.position += 1
            return word
        return None

    def chain(self, words: dict[str, str], part: Callable[[], Expression]) -> Expression:
        value = part()
        while word := self.take(*words):
            value = Call(words[word], (value, part()))
        return value

    def either(self) -> Expression:
        return self.chain({"||": "or", "or": "or"}, self.both)

    def both(self) -> Expression:
        return self.chain({"&&": "and", "and": "and"}, self.relation)

    def relation(self) -> Expression:
        return self.chain(_RELATIONS, self.sum)

    def sum(self) -> Expression:
        return self.chain({"+": "plus", "-": "minus"}, self.product)

    def product(self) -> Expression:
        return self.chain({"*": "times", "/": "divide"}, self.signed)

    def signed(self) -> Expression:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.fault(f"at most {MOST_DEPTH} brackets and signs within each other")
        sign = self.take("+", "-", "!")
        if sign is None:
            value = self.power()
        elif sign == "+":
            value = self.signed()
        else:
            value = Call("minus" if sign == "-" else "not", (self.signed(),))
        self.depth -= 1
        return value

    def power(self) -> Expression:
        base = self.operand()
        return Call("power", (base, self.signed())) if self.take("^", "**") else base

    def operand(self) -> Expression:
        kind, word, _ = self.tokens[self.position]
        if kind == "number":
            self.position += 1
            return Number(float(word))
        if kind == "name":
            self.position += 1
            if self.tokens[self.position][1] == "(":
                return self.function(word)
            return Time() if word == "time" else _CONSTANTS.get(word, Symbol(word))
        if self.take("("):
            value = self.either()
            self.close()
            return value
        raise self.fault("a name, a number or a bracket")

    def close(self) -> None:
        if not self.take(")"):
            raise self.fault('an operator or ")"')

    def function(self, name: str) -> Expression:
        self.position -= 1
        if name not in FUNCTIONS:
            raise self.fault(f"one of the functions {', '.join(sorted(FUNCTIONS))}")
        at = self.position
        self.position += 2
        arguments = [self.either()]
        while self.take(","):
            arguments.append(self.either())
        self.close()
        try:
            return _call(name, arguments)
        except (ValueError, IndexError):
            self.position = at
            raise self.fault(f"another number of arguments than {len(arguments)} of {name}") from None


def _call(name: str, arguments: list[Expression]) -> Expression:
    one = arguments[0]
    if name == "log" and len(arguments) == 2:
        return Call("log", (arguments[1], one))
    if name in ("pow", "power"):
        return Call("power", tuple(arguments))
    if name == "piecewise":
        if len(arguments) % 2 == 0:
            raise ValueError("without a value where no condition holds")
        return Call("piecewise", tuple(arguments))
    if name in ("log", "log10", "log2", "sqrt", "sign") and len(arguments) != 1:
        raise ValueError(name)
    match name:
        case "log":
            return Call("ln", (one,))
        case "log10" | "log2":
            return Call("log", (Number(float(name[3:])), one))
        case "sqrt":
            return Call("root", (Number(2.0), one))
        case "sign":
            below, above = Call("lt", (one, Number(0.0))), Call("gt", (one, Number(0.0)))
            return Call("piecewise", (Number(-1.0), below, Number(1.0), above, Number(0.0)))
        case _:
            return Call(_ONE[name], tuple(arguments))
