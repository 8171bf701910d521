"""What a claim says: comparisons of what arms show, read into a closed tree; nothing is ever evaluated as code.

senescence(mimic[3000], 7 d) - senescence(scrambled, 7 d) > 5 %
mean(release, rab27b-kd, 7 d) / mean(release, mock, 7 d) < 0.8 and mean(release, rab27b-ko, 7 d) > 1

claim      = clause, ("and" | "or"), clause ...     "and" binds more tightly
clause     = comparison | "(" claim ")"
comparison = sum, (">" | ">=" | "<" | "<="), sum
sum        = product, ("+" | "-"), product ...
product    = factor, ("*" | "/"), factor ...
factor     = number | number "%" | "-" factor | "(" sum ")" | "log2" "(" sum ")" | reading
reading    = function "(" words separated by commas ")"      see senexo.study.observables
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import NUMBER, TIME, parse, shown
from senexo.study.observables import Observable, Quantity
from senexo.study.place import named

FUNCTIONS = {quantity.value: quantity for quantity in Quantity}
LONGEST = 2000  # characters
MOST_TOKENS = 200  # also bounds how deep a tree can be
DEEPEST = 40  # brackets and signs within each other
_TOKEN = re.compile(
    rf"\s*(?:(?P<reading>[A-Za-z_][A-Za-z0-9_]*)\s*\((?P<words>[^()]*)\)|(?P<number>{NUMBER.removeprefix('[+-]?')})"
    r"(?P<percent>\s*%)?|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>>=|<=|[-+*/()<>]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Term:
    """`operator` is one of + - * / with two parts, or log2 with one."""

    operator: str
    parts: tuple[Value, ...]


Value = Number | Observable | Term


@dataclass(frozen=True, slots=True)
class Comparison:
    """left `sign` right; `text` is how it was written."""

    left: Value
    sign: str
    right: Value
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Clauses joined by `word`: "and" or "or"."""

    word: str
    parts: tuple[Clause, ...]


Clause = Comparison | Joined


@dataclass(frozen=True)
class Knows:
    """The names a claim may use; None: not known, so not checked.

    now: it is about one well as it is, so its readings name neither arm nor time.
    """

    arms: Sequence[str] | None = None
    times_h: Sequence[float] | None = None
    readouts: Sequence[str] | None = None
    cell_types: Sequence[str] | None = None
    now: bool = False


ANYTHING = Knows()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "value", "sign", "word" or "end"
    text: str
    at: int
    value: Value | None = None


def parse_claim(text: str, knows: Knows = ANYTHING, *, where: str = "claim") -> Clause:
    """The tree of a claim; InvalidInput with all its faults: unknown names, unread times, and the first of grammar.

    >>> parse_claim("mean(p21, mock, 7 d) > 2").sign
    '>'
    """
    faults: list[Fault] = []
    tokens = list(_tokens(text, knows, where, faults))
    clause = None
    if tokens and tokens[-1].kind == "end":
        try:
            clause = _Parser(text, tokens).whole()
        except _Wrong as wrong:
            faults.append(Fault(where, wrong.found, wrong.expected))
    if not faults and clause is not None and not observables(clause):
        faults.append(Fault(where, shown(text), "a claim that reads something of an arm"))
    if faults or clause is None:
        raise InvalidInput(faults)
    return clause


def comparisons(clause: Clause) -> list[Comparison]:
    """Every comparison of a claim, from left to right."""
    return [clause] if isinstance(clause, Comparison) else [c for part in clause.parts for c in comparisons(part)]


def observables(part: Clause | Value) -> list[Observable]:
    """Everything a claim reads, each once, in the order it is written."""
    if isinstance(part, Observable):
        return [part]
    if isinstance(part, Number):
        return []
    below = (part.left, part.right) if isinstance(part, Comparison) else part.parts
    return list(dict.fromkeys(found for one in below for found in observables(one)))


def _tokens(text: str, knows: Knows, where: str, faults: list[Fault]) -> Iterator[_Token]:
    """The tokens of a text and, if all of it can be read, its end; what is wrong inside a reading is a fault too."""
    position, count = 0, 0
    while position < len(text.rstrip()):
        count += 1
        match = _TOKEN.match(text, position)
        if match is None or count > MOST_TOKENS:
            rest = text[position:].lstrip()
            expected = (
                "what docs/claims.md lists" if match is None else f"at most {MOST_TOKENS} names, numbers and signs"
            )
            faults.append(Fault(where, _place(shown(rest[:12]), len(text) - len(rest)), expected))
            return
        at, position = match.end() - len(match[0].lstrip()), match.end()
        if match["number"] is not None:
            value = float(match["number"]) / (100.0 if match["percent"] else 1.0)
            if not math.isfinite(value):
                faults.append(Fault(where, _place(shown(match["number"]), at), "a finite number"))
            yield _Token("value", match[0].strip(), at, Number(value))
        elif match["reading"] in ("and", "or", "log2"):  # a word in front of brackets, not a reading
            position = match.end("reading")
            yield _Token("word", match["reading"], at)
        elif match["reading"] is not None:
            yield _Token("value", match[0].strip(), at, _reading(match, at, knows, where, faults))
        else:
            yield _Token("word" if match["word"] else "sign", match["word"] or match["sign"], at)
    yield _Token("end", "", len(text))


def _reading(match: re.Match[str], at: int, knows: Knows, where: str, faults: list[Fault]) -> Value:
    """One call; any stand-in after a fault, so that reading goes on."""
    name = match["reading"]
    words = [word.strip().strip('"').strip() for word in match["words"].split(",")] if match["words"].strip() else []
    problems: list[tuple[str, str]] = []
    quantity = FUNCTIONS.get(name)
    least = (0 if knows.now else 2) + (quantity is not None and quantity.takes_readout)
    if quantity is None:
        problems.append((shown(name), named(name, FUNCTIONS, "functions")))
    elif not least <= len(words) <= least + 1 or not all(words):
        problems.append((shown(match[0].strip()), f"{name}({_arguments(quantity, now=knows.now)})"))
    if problems or quantity is None:
        faults.extend(Fault(where, _place(found, at), expected) for found, expected in problems)
        return Number(1.0)
    readout = words.pop(0) if quantity.takes_readout else None
    kind = words.pop(0 if knows.now else 1) if len(words) > least - quantity.takes_readout else None
    arm, time = words if words else ("", None)
    for word, known, what in (
        (readout, knows.readouts, "read-outs"),
        (arm or None, knows.arms, "arms"),
        (kind, knows.cell_types, "cell types"),
    ):
        if word is not None and known is not None and word not in known:
            problems.append((shown(word), named(word, known, what)))
    hour = 0.0
    if time is None:
        faults.extend(Fault(where, _place(found, at), expected) for found, expected in problems)
        return Observable(quantity, arm, hour, readout, kind)
    try:
        hour = parse(time, TIME, where=where)
    except InvalidInput as error:
        problems.append((error.faults[0].found, error.faults[0].expected))
    else:
        exact = next((t for t in knows.times_h or () if math.isclose(t, hour, abs_tol=1e-9)), None)
        if knows.times_h is not None and exact is None:
            read = ", ".join(f"{t / 24:g} d" if t % 24 == 0 else f"{t:g} h" for t in knows.times_h)
            problems.append((shown(time), f"a time of the read-outs ({read})"))
        hour = hour if exact is None else exact
    faults.extend(Fault(where, _place(found, at), expected) for found, expected in problems)
    return Observable(quantity, arm, hour, readout, kind)


def _arguments(quantity: Quantity, *, now: bool) -> str:
    """How a quantity is called; [cell type] may be left out: all cells of the arm."""
    first = ["read-out"] if quantity.takes_readout else []
    return ", ".join([*first, "[cell type]" if now else "arm, [cell type,] time"])


def _place(found: str, at: int) -> str:
    return f"{found} (at character {at + 1})"


class _Wrong(Exception):
    def __init__(self, token: _Token, expected: str) -> None:
        self.found = _place(shown(token.text), token.at) if token.text else "the end of the text"
        self.expected = expected


@dataclass
class _Parser:
    """Recursive descent over the grammar at the top of this file; `deep` bounds its brackets."""

    text: str
    tokens: Sequence[_Token]
    position: int = 0
    deep: int = 0

    @property
    def next(self) -> _Token:
        return self.tokens[min(self.position, len(self.tokens) - 1)]

    def take(self, *texts: str) -> str | None:
        token = self.next
        if token.kind in ("sign", "word") and token.text in texts:
            self.position += 1
            return token.text
        return None

    def whole(self) -> Clause:
        clause = self.claim()
        if self.next.kind != "end":
            raise _Wrong(self.next, '"and", "or" or the end of the text')
        return clause

    def claim(self) -> Clause:
        return self._joined("or", lambda: self._joined("and", self.clause))

    def _joined(self, word: str, part: Callable[[], Clause]) -> Clause:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def clause(self) -> Clause:
        """A comparison; or a claim in brackets, told from a sum in brackets by trying it first."""
        start = self.position
        if self.next.text == "(" and self._opens_claim():
            self._deeper("(")
            inside = self.claim()
            self._closed()
            return inside
        left = self.sum()
        sign = self.take(">", ">=", "<", "<=")
        if sign is None:
            raise _Wrong(self.next, "one of > >= < <=")
        right = self.sum()
        begin, end = self.tokens[start].at, self.next.at
        return Comparison(left, sign, right, " ".join(self.text[begin:end].split()))

    def _opens_claim(self) -> bool:
        """Whether the bracket here holds a comparison: a sign of comparison stands inside it at any depth."""
        depth = 0
        for token in self.tokens[self.position :]:
            depth += (token.text == "(") - (token.text == ")") if token.kind == "sign" else 0
            if token.kind == "sign" and token.text[0] in "<>" and depth > 0:
                return True
            if depth == 0:
                return False
        return False

    def sum(self) -> Value:
        value = self.product()
        while sign := self.take("+", "-"):
            value = Term(sign, (value, self.product()))
        return value

    def product(self) -> Value:
        value = self.factor()
        while sign := self.take("*", "/"):
            value = Term(sign, (value, self.factor()))
        return value

    def factor(self) -> Value:
        token = self.next
        if token.value is not None:
            self.position += 1
            return token.value
        if self.take("-"):
            self._count()
            value = Term("-", (Number(0.0), self.factor()))
            self.deep -= 1
            return value
        function = self.take("log2")
        if function is None and token.text != "(":
            raise _Wrong(token, f"a number, or a function ({', '.join((*FUNCTIONS, 'log2'))})")
        self._deeper("(")
        inside = self.sum()
        self._closed()
        return Term("log2", (inside,)) if function else inside

    def _deeper(self, bracket: str) -> None:
        if self.take(bracket) is None:
            raise _Wrong(self.next, f'"{bracket}"')
        self._count()

    def _count(self) -> None:
        self.deep += 1
        if self.deep > DEEPEST:
            raise _Wrong(self.next, f"at most {DEEPEST} brackets and signs within each other")

    def _closed(self) -> None:
        self.deep -= 1
        if self.take(")") is None:
            raise _Wrong(self.next, '")"')
