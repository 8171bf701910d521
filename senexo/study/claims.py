"""What a claim says: comparisons of what arms show, read into a closed tree; nothing is ever evaluated as code.

senescence(mimic[3000], 7 d) - senescence(scrambled, 7 d) > 5 %
mean(release, rab27b-kd, 7 d) / mean(release, mock, 7 d) < 0.8 and mean(release, rab27b-ko, 7 d) > 1

The grammar is that of senexo.base.infix, with

operand    = number | number "%" | observable
observable = quantity "(" words separated by commas ")"      see senexo.study.observables
function   = "log2"
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from senexo.base import infix
from senexo.base.errors import Fault, InvalidInput
from senexo.base.infix import Comparison, ExpressionError, Function, Grammar, Joined, Number, Operation
from senexo.base.units import NUMBER, TIME, parse, shown
from senexo.study.cursor import named
from senexo.study.observables import Observable, Quantity

FUNCTIONS = {quantity.value: quantity for quantity in Quantity}
MAX_LENGTH = 2000  # characters
MAX_TOKENS = 200  # also bounds how deep a tree can be
MAX_DEPTH = 40  # brackets and signs within each other
LOG2 = "log2"
OPERAND = f"a number, or a function ({', '.join((*FUNCTIONS, LOG2))})"
_CALL = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\((?P<words>[^()]*)\)", re.ASCII)
_NUMBER = re.compile(rf"(?P<number>{NUMBER.removeprefix('[+-]?')})(?P<percent>\s*%)?", re.ASCII)
_LOG2 = re.compile(r"log2(?![A-Za-z0-9_])")


Value = Number | Operation[Observable] | Observable
Clause = Comparison[Observable] | Joined[Observable]


@dataclass(frozen=True)
class Vocabulary:
    """The names a claim may use; None: not known, so not checked.

    host_times_h: when mice or patients are read, for what is read of them. now: the text is a condition on one well as
    it is, so its observables name neither arm nor time.
    """

    arms: Sequence[str] | None = None
    times_h: Sequence[float] | None = None
    readouts: Sequence[str] | None = None
    cell_types: Sequence[str] | None = None
    host_times_h: Sequence[float] | None = None
    now: bool = False


ANYTHING = Vocabulary()


def parse_claim(text: str, vocabulary: Vocabulary = ANYTHING, *, where: str = "claim") -> Clause:
    """The tree of a claim.

    Parameters
    ----------
    text : the claim, for example ``"mean(p21, mock, 7 d) > 2"``
    vocabulary : the names that the claim may use
    where : what messages call the claim

    Raises
    ------
    InvalidInput
        With all faults at once: every unknown name, every time that is not read, and the first fault of grammar.

    Examples
    --------
    >>> parse_claim("mean(p21, mock, 7 d) > 2").sign
    '>'
    """
    reader = _Operands(vocabulary, where)
    grammar = Grammar(reader.read, OPERAND, MAX_TOKENS, MAX_DEPTH)
    try:
        clause = infix.parse_condition(text, grammar)
    except ExpressionError as error:
        found = shown(error.found) if error.found else ""
        place = f"{found} (at character {error.at + 1})" if found else "the end of the text"
        raise InvalidInput([*reader.faults, Fault(where, place, error.expected)]) from None
    if not reader.faults and not observables(clause):
        reader.faults.append(Fault(where, shown(text), "a claim that reads something of an arm"))
    if reader.faults:
        raise InvalidInput(reader.faults)
    return clause


def comparisons(clause: Clause) -> list[Comparison[Observable]]:
    """Every comparison of a claim, from left to right."""
    return infix.comparisons(clause)


def observables(part: Clause | Value) -> list[Observable]:
    """Everything a claim reads, each once, in the order it is written."""
    return infix.operands(part)


@dataclass
class _Operands:
    """Reads the operands of one claim, and notes the faults within them."""

    vocabulary: Vocabulary
    where: str
    faults: list[Fault] = field(default_factory=list)

    def read(self, text: str, at: int) -> tuple[Number | Function | Observable, int]:
        """The number, function or observable at a character."""
        if log2 := _LOG2.match(text, at):
            return Function(LOG2), log2.end()
        if number := _NUMBER.match(text, at):
            value = float(number["number"]) / (100.0 if number["percent"] else 1.0)
            if not math.isfinite(value):
                self._fault(shown(number["number"]), at, "a finite number")
            return Number(value), number.end()
        call = _CALL.match(text, at)
        if call is None or call["name"] in infix.CONNECTIVES:
            raise ExpressionError(text, at, OPERAND)
        return self._observable(call, at), call.end()

    def _fault(self, found: str, at: int, expected: str) -> None:
        self.faults.append(Fault(self.where, f"{found} (at character {at + 1})", expected))

    def _observable(self, call: re.Match[str], at: int) -> Number | Observable:
        """The observable of one call; a stand-in where it cannot be read at all."""
        vocabulary, quantity = self.vocabulary, FUNCTIONS.get(call["name"])
        if quantity is None or (vocabulary.now and quantity.of_hosts):
            known = [name for name, one in FUNCTIONS.items() if not (vocabulary.now and one.of_hosts)]
            self._fault(shown(call["name"]), at, named(call["name"], known, "functions"))
            return Number(1.0)
        words = [word.strip().strip('"').strip() for word in call["words"].split(",")] if call["words"].strip() else []
        min_words = (0 if vocabulary.now else 2) + quantity.takes_readout
        if not min_words <= len(words) <= min_words + 1 or not all(words):
            self._fault(shown(call[0].strip()), at, f"{quantity.value}({_arguments(quantity, now=vocabulary.now)})")
            return Number(1.0)
        cell_type_given = len(words) > min_words
        if cell_type_given and quantity.of_hosts:
            self._fault(shown(call[0].strip()), at, f"{quantity.value}({_arguments(quantity, now=False)})")
            return Number(1.0)
        readout = words.pop(0) if quantity.takes_readout else None
        cell_type = words.pop(0 if vocabulary.now else 1) if cell_type_given else None
        arm, time = words if words else ("", None)
        self._known(readout, vocabulary.readouts, "read-outs", at)
        self._known(arm or None, vocabulary.arms, "arms", at)
        self._known(cell_type, vocabulary.cell_types, "cell types", at)
        times = vocabulary.host_times_h if quantity.of_hosts else vocabulary.times_h
        return Observable(quantity, arm, 0.0 if time is None else self._hour(time, at, times), readout, cell_type)

    def _known(self, word: str | None, known: Sequence[str] | None, what: str, at: int) -> None:
        if word is not None and known is not None and word not in known:
            self._fault(shown(word), at, named(word, known, what))

    def _hour(self, time: str, at: int, times: Sequence[float] | None) -> float:
        """A time, to the last bit that of the read-outs which it means."""
        try:
            hour = parse(time, TIME, where=self.where)
        except InvalidInput as error:
            self._fault(error.faults[0].found, at, error.faults[0].expected)
            return 0.0
        exact = next((t for t in times or () if math.isclose(t, hour, abs_tol=1e-9)), None)
        if times is not None and exact is None:
            read = ", ".join(f"{t / 24:g} d" if t % 24 == 0 else f"{t:g} h" for t in times)
            self._fault(shown(time), at, f"a time of the read-outs ({read})")
        return hour if exact is None else exact


def _arguments(quantity: Quantity, *, now: bool) -> str:
    """How a quantity is called; [cell type] may be left out: all cells of the arm."""
    first = ["read-out"] if quantity.takes_readout else []
    if quantity.of_hosts:
        return "arm, time"
    return ", ".join([*first, "[cell type]" if now else "arm, [cell type,] time"])
