"""Arithmetic and conditions read from a text into a closed tree; a text is never run as code.

    condition   = conjunction {"or" conjunction}
    conjunction = clause {"and" clause}
    clause      = sum (">" | ">=" | "<" | "<=") sum | "(" condition ")"
    sum         = product {("+" | "-") product}
    product     = signed {("*" | "/") signed}
    signed      = {"+" | "-"} factor
    factor      = operand | function "(" sum ")" | "(" sum ")"

What an operand is (a number, a column of a table, an observable of an arm) differs between languages: a `Grammar` reads
one at a position of the text. Two languages use this: claims (senexo.study.claims) and computed columns
(senexo.assays.transform).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

A = TypeVar("A")  # the operands of a language, besides numbers
T = TypeVar("T")

NEGATE = "negate"
COMPARISONS = (">", ">=", "<", "<=")
CONNECTIVES = ("and", "or")
_SIGN = re.compile(r">=|<=|[-+*/()<>]|(?:and|or)(?!\w)")
_WORD = re.compile(r"[^\s+*/()`,<>=-]+(-[^\s+*/()`,<>=-]+)*|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    value: float


@dataclass(frozen=True, slots=True)
class Operation(Generic[A]):
    """`operator` applied to `parts`: one of + - * / with two, "negate" or a function's name with one.

    texts: the parts as they were written.
    """

    operator: str
    parts: tuple[Expression[A], ...]
    texts: tuple[str, ...] = field(default=(), compare=False)


Expression: TypeAlias = Number | Operation[A] | A


@dataclass(frozen=True, slots=True)
class Comparison(Generic[A]):
    """left `sign` right; `text` is how it was written."""

    left: Expression[A]
    sign: str
    right: Expression[A]
    text: str


@dataclass(frozen=True, slots=True)
class Joined(Generic[A]):
    """Conditions joined by `word`: "and" or "or"."""

    word: str
    parts: tuple[Condition[A], ...]


Condition: TypeAlias = Comparison[A] | Joined[A]


@dataclass(frozen=True, slots=True)
class Function:
    """What `Grammar.read_operand` returns for the name of a function."""

    name: str


@dataclass(frozen=True)
class Grammar(Generic[A]):
    """What one language adds to the grammar above.

    read_operand: (text, position) -> (number, operand or function there, its end); raises ExpressionError where there
    is none. operand: what a message expects where an operand is missing. max_tokens bounds the names, numbers and signs
    of a text, max_depth its brackets and signs within each other.
    """

    read_operand: Callable[[str, int], tuple[Number | Function | A, int]]
    operand: str
    max_tokens: int
    max_depth: int


class ExpressionError(Exception):
    """A text that is not of the grammar: `at` which character (from 0), what stands there ("": the end), `expected`."""

    def __init__(self, text: str, at: int, expected: str) -> None:
        super().__init__(expected)
        self.at, self.expected = at, expected
        self.found = word_at(text, at)


@dataclass(frozen=True, slots=True)
class _Token:
    """`value`: a sign or connective (str), a Function, an operand, _NO_OPERATOR, an ExpressionError, or _END."""

    at: int
    end: int
    value: Any


_END, _NO_OPERATOR = object(), object()


def parse_expression(text: str, grammar: Grammar[A]) -> Expression[A]:
    """The tree of a sum; raises ExpressionError at the first character that cannot be read."""
    parser = _Parser(text, _tokens(text, grammar), grammar)
    tree = parser.sum()
    parser.finish("an operator (+ - * /) or the end")
    return tree


def parse_condition(text: str, grammar: Grammar[A]) -> Condition[A]:
    """The tree of comparisons joined by "and" and "or"; raises ExpressionError as `parse_expression` does."""
    parser = _Parser(text, _tokens(text, grammar), grammar)
    tree = parser.condition()
    parser.finish('an operator, "and", "or" or the end of the text')
    return tree


def comparisons(condition: Condition[A]) -> list[Comparison[A]]:
    """Every comparison of a condition, from left to right."""
    if isinstance(condition, Comparison):
        return [condition]
    return [one for part in condition.parts for one in comparisons(part)]


def operands(tree: Expression[A] | Condition[A]) -> list[A]:
    """Every operand that is not a number, each once, in the order in which they are written."""
    found: list[A] = []
    pending: list[Any] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Comparison):
            pending += [node.right, node.left]
        elif isinstance(node, Joined | Operation):
            pending += reversed(node.parts)
        elif not isinstance(node, Number):
            found.append(node)
    return list(dict.fromkeys(found))


def evaluate(
    tree: Expression[A], leaf: Callable[[Number | A], T], apply: Callable[[Operation[A], Sequence[T]], T]
) -> T:
    """The value of a tree: `leaf` of every number and operand, `apply` of every operation to its parts' values.

    >>> tree = Operation("+", (Number(1.0), Operation("negate", (Number(3.0),))))
    >>> evaluate(tree, lambda leaf: leaf.value, lambda operation, parts: sum(parts) if len(parts) == 2 else -parts[0])
    -2.0
    """
    values: list[T] = []
    pending: list[tuple[Any, bool]] = [(tree, False)]  # a stack: a long sum is a deep tree
    while pending:
        node, parts_done = pending.pop()
        if not isinstance(node, Operation):
            values.append(leaf(node))
        elif not parts_done:
            pending += [(node, True), *((part, False) for part in reversed(node.parts))]
        else:
            count = len(node.parts)
            values[-count:] = [apply(node, values[-count:])]
    return values[0]


def word_at(text: str, at: int) -> str:
    """The word or sign that begins at a character; "" at the end."""
    word = _WORD.match(text, at)
    return word.group() if word else ""


def _tokens(text: str, grammar: Grammar[A]) -> list[_Token]:
    """The tokens of a whole text; what cannot be read becomes an error among them, and reading goes on behind it."""
    tokens: list[_Token] = []
    position, operand_next = 0, True
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        if len(tokens) >= grammar.max_tokens:
            error = ExpressionError(text, position, f"at most {grammar.max_tokens} names, numbers and signs")
            return [*tokens, _Token(position, position, error)]
        token = _token(text, position, grammar, operand_next=operand_next)
        tokens.append(token)
        sign = isinstance(token.value, str) and token.value != ")"
        operand_next = sign or isinstance(token.value, Function) or token.value is _NO_OPERATOR
        position = token.end
    return [*tokens, _Token(len(text), len(text), _END)]


def _token(text: str, at: int, grammar: Grammar[A], *, operand_next: bool) -> _Token:
    """The token at a character; an error where there is none."""
    sign = _SIGN.match(text, at)
    if sign and (not operand_next or sign.group() in "+-("):
        return _Token(at, sign.end(), sign.group())
    if not operand_next:  # what stands here is read as an operand next, so that a fault within it is found too
        return _Token(at, at, _NO_OPERATOR)
    try:
        value, end = grammar.read_operand(text, at)
    except ExpressionError as error:
        return _Token(at, max(at + len(word_at(text, at)), error.at), error)
    return _Token(at, end, value)


class _Parser(Generic[A]):
    """Recursive descent over the grammar at the top of this file."""

    def __init__(self, text: str, tokens: list[_Token], grammar: Grammar[A]) -> None:
        self.text, self.tokens, self.grammar = text, tokens, grammar
        self.position, self.depth = 0, 0

    @property
    def next(self) -> _Token:
        return self.tokens[min(self.position, len(self.tokens) - 1)]

    def take(self, *signs: str) -> str | None:
        """The next token if it is one of these signs or words."""
        value = self.next.value
        if isinstance(value, str) and value in signs:
            self.position += 1
            return value
        return None

    def stop(self, expected: str) -> ExpressionError:
        """The error of the next token, where `expected` should stand."""
        value = self.next.value
        return value if isinstance(value, ExpressionError) else ExpressionError(self.text, self.next.at, expected)

    def finish(self, expected: str) -> None:
        if self.next.value is not _END:
            raise self.stop(expected)

    def condition(self) -> Condition[A]:
        return self._joined("or", lambda: self._joined("and", self._clause))

    def _joined(self, word: str, part: Callable[[], Condition[A]]) -> Condition[A]:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _clause(self) -> Condition[A]:
        """A comparison, or a condition in brackets."""
        if self.next.value == "(" and self._opens_condition():
            self._open()
            inside = self.condition()
            self._close('an operator, "and", "or" or ")"')
            return inside
        begin = self.next.at
        left = self.sum()
        sign = self.take(*COMPARISONS)
        if sign is None:
            raise self.stop(f"an operator (+ - * /) or one of {' '.join(COMPARISONS)}")
        right = self.sum()
        return Comparison(left, sign, right, " ".join(self._text_since(begin).split()))

    def _opens_condition(self) -> bool:
        """Whether the bracket here holds a comparison, at any depth, and so is not the bracket of a sum."""
        depth = 0
        for token in self.tokens[self.position :]:
            depth += (token.value == "(") - (token.value == ")")
            if depth == 0:
                return False
            if token.value in COMPARISONS:
                return True
        return False

    def sum(self) -> Expression[A]:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Expression[A]]) -> Expression[A]:
        """Operators of one rank, grouped from the left."""
        begin = self.next.at
        value = part()
        text = self._text_since(begin)
        while sign := self.take(*signs):
            at = self.next.at
            other = part()
            value = Operation(sign, (value, other), (text, self._text_since(at)))
            text = self._text_since(begin)
        return value

    def _signed(self) -> Expression[A]:
        signs = 0
        negative = False
        while sign := self.take("+", "-"):
            signs += 1
            negative ^= sign == "-"
            self._limit(self.depth + signs)
        begin = self.next.at
        value = self._factor()
        return Operation(NEGATE, (value,), (self._text_since(begin),)) if negative else value

    def _factor(self) -> Expression[A]:
        value = self.next.value
        function = isinstance(value, Function)
        if function:
            self.position += 1
            if self.next.value != "(":
                raise self.stop('"("')
        if self.next.value == "(":
            begin = self.next.at
            self._open()
            inside = self.sum()
            self._close('an operator (+ - * /) or ")"')
            return Operation(value.name, (inside,), (self._text_since(begin),)) if function else inside
        if value is _END or isinstance(value, str | ExpressionError):
            raise self.stop(self.grammar.operand)
        self.position += 1
        operand: Expression[A] = value
        return operand

    def _open(self) -> None:
        self.depth += 1
        self._limit(self.depth)
        self.position += 1

    def _close(self, expected: str) -> None:
        self.depth -= 1
        if self.take(")") is None:
            raise self.stop(expected)

    def _limit(self, depth: int) -> None:
        if depth > self.grammar.max_depth:
            expected = f"at most {self.grammar.max_depth} brackets and signs within each other"
            raise ExpressionError(self.text, self.next.at, expected)

    def _text_since(self, begin: int) -> str:
        return self.text[begin : self.tokens[self.position - 1].end]
