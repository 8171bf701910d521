"""Values computed from columns, as `log2(hsa-mir-34c + 1)`: a closed grammar, read here and never run as code.

The grammar is that of a sum in senexo.base.infix, with

    operand  = number | column | "`" column "`"
    function = "log2" | "log10" | "ln" | "sqrt" | "rank"      rank: 1 for the smallest, ties share their mean rank

A column is known by its name in the table, the longest one that fits; names may hold hyphens and blanks. A backtick on
each side is needed only where a name could be read otherwise: names that are numbers, or a minus that follows a name
with hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.infix import (
    NEGATE,
    ExpressionError,
    Function,
    Grammar,
    Number,
    Operation,
    evaluate,
    operands,
    parse_expression,
    word_at,
)
from senexo.base.table import Column, check, likely

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

MAX_LENGTH, MAX_DEPTH = 1000, 50
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(?![\w.])")


def _rank(values: Floats) -> Floats:
    import pandas as pd

    return np.asarray(pd.Series(values).rank(), dtype=float)


# name -> what computes it, where it is defined, how to say that
FUNCTIONS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], NDArray[np.bool_]], str]] = {
    "log2": (np.log2, lambda x: x > 0, "a number > 0 (add 1 to counts before taking their logarithm)"),
    "log10": (np.log10, lambda x: x > 0, "a number > 0 (add 1 to counts before taking their logarithm)"),
    "ln": (np.log, lambda x: x > 0, "a number > 0 (add 1 to counts before taking their logarithm)"),
    "sqrt": (np.sqrt, lambda x: x >= 0, "a number >= 0"),
    "rank": (_rank, lambda x: x == x, ""),
}


def column(table: pd.DataFrame, text: str, *, where: str = "table") -> pd.Series:
    """The values of an expression of columns, one per row of a table.

    Parameters
    ----------
    table : a frame whose columns `text` names
    text : the expression, for example ``"log2(miR-34c + 1) / depth"``
    where : what messages call the table

    Returns
    -------
    Numbers with the table's index; nan where a cell is empty.

    Raises
    ------
    InvalidInput
        The character of `text` that cannot be read; or every row in which a cell is no number, a logarithm is taken of
        0 or less, a root of less than 0, or something is divided by 0.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"miR-34c": [0, 1, 7], "depth": [1, 2, 4]})
    >>> column(counts, "log2(miR-34c + 1) / depth").to_list()
    [0.0, 0.5, 0.75]
    >>> column(counts, "log2(miR-34)")
    Traceback (most recent call last):
    ...
    senexo.base.errors.InvalidInput: 'log2(miR-34)', character 6: found 'miR-34', expected a column (miR-34c, depth)
    """
    import pandas as pd

    tree = _parse(table, text)
    reader = _Reader(table, where)
    with np.errstate(all="ignore"):  # an overflow is reported below, with its row
        values = evaluate(tree, reader.leaf, reader.apply)
    numbers = np.broadcast_to(values, len(table)).astype(float)
    reader.refuse(np.isinf(numbers), numbers, text, "a finite number")
    if reader.faults:
        raise InvalidInput(reader.faults)
    return pd.Series(numbers, index=table.index, name=text)


def columns_used(table: pd.DataFrame, text: str) -> list[str]:
    """The columns that an expression is computed from, in the order in which they stand there; see `column`.

    >>> import pandas as pd
    >>> columns_used(pd.DataFrame({"a": [1], "a-b": [2], "c": [3]}), "c / (a-b + 1)")
    ['c', 'a-b']
    """
    return [used.name for used in operands(_parse(table, text))]


@dataclass(frozen=True, slots=True)
class _ColumnName:
    name: str


def _parse(table: pd.DataFrame, text: str) -> Number | Operation[_ColumnName] | _ColumnName:
    """The tree of an expression of a table's columns."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput([Fault("value", f"{len(text)} characters", f"no more than {MAX_LENGTH}")])
    names = _Names(table)
    grammar = Grammar(names.read, names.expected(""), max_tokens=MAX_LENGTH, max_depth=MAX_DEPTH)
    try:
        tree = parse_expression(text, grammar)
    except ExpressionError as error:
        found = f"'{error.found}'" if error.found else "the end"
        raise InvalidInput([Fault(f"'{text}', character {error.at + 1}", found, error.expected)]) from None
    if not operands(tree):
        raise InvalidInput([Fault(f"'{text}'", "no column", names.expected(""))])
    return tree


class _Names:
    """Reads an operand of a text: a number, a function's name, or a column of a table."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.all = [str(name) for name in table.columns]
        # the longest first; a name that is a number would be taken for the number
        self.bare = sorted((name for name in self.all if name and not _is_number(name)), key=len, reverse=True)

    def expected(self, word: str) -> str:
        return f"a column ({likely(word, self.all)})"

    def read(self, text: str, at: int) -> tuple[Number | Function | _ColumnName, int]:
        if text[at] == "`":
            return self._quoted(text, at)
        name, word = self._longest(text, at), word_at(text, at)
        if name is None and (number := _NUMBER.match(text, at)):
            return Number(float(number.group())), number.end()
        called = word in FUNCTIONS and text[at + len(word) :].lstrip()[:1] == "("
        if called and name in (None, word):
            return Function(word), at + len(word)
        if name is None:
            raise ExpressionError(text, at, self.expected(word))
        end = at + len(name)
        if "-" in name and text[end : end + 1] == "-":
            expected = f"a blank before the minus, or `{name}`: '{name}-...' is not the name of a column"
            raise ExpressionError(text, end, expected)
        return _ColumnName(name), end

    def _quoted(self, text: str, at: int) -> tuple[_ColumnName, int]:
        end = text.find("`", at + 1)
        name = text[at + 1 : end]
        if end < 0 or name not in self.all:
            raise ExpressionError(text, at, f"a column between backticks ({likely(name, self.all)})")
        return _ColumnName(name), end + 1

    def _longest(self, text: str, at: int) -> str | None:
        """The longest column name that stands here and is not the beginning of a longer word."""
        for name in self.bare:
            end = at + len(name)
            if text.startswith(name, at) and not re.match(r"\w", text[end : end + 1]):
                return name
        return None


class _Reader:
    """Computes an expression from a table; `faults` are those of rows."""

    def __init__(self, table: pd.DataFrame, where: str) -> None:
        self.table, self.where = table, where
        self.read: dict[str, Floats] = {}
        self.faults: list[Fault] = []

    def refuse(self, wrong: NDArray[np.bool_], values: Floats, what: str, expected: str) -> None:
        """Note a fault for each row that is wrong, once for a value used twice."""
        rows = self.table.index if _numbered(self.table) else range(len(self.table))
        wrong = np.broadcast_to(wrong, len(self.table))
        values = np.broadcast_to(values, len(self.table))
        found = [
            Fault(f"{self.where}: row {int(row) + 2}, {what}", f"{values[i]:g}", expected)
            for i, row in enumerate(rows)
            if wrong[i]
        ]
        self.faults += [fault for fault in found if fault not in self.faults]

    def leaf(self, operand: Number | _ColumnName) -> Floats:
        """The values of a number or of a column."""
        if isinstance(operand, Number):
            return np.asarray(operand.value)
        name = operand.name
        if name not in self.read:
            try:
                checked = check(self.table, [Column(name, "number", may_be_empty=True)], where=self.where)
                self.read[name] = checked[name].to_numpy(dtype=float)
            except InvalidInput as error:
                self.faults += error.faults
                self.read[name] = np.full(len(self.table), np.nan)
        return self.read[name]

    def apply(self, operation: Operation[_ColumnName], values: Sequence[Floats]) -> Floats:
        """The values of an operation; nan in the rows where it is not defined."""
        match operation.operator, values:
            case "+", (left, right):
                return left + right
            case "-", (left, right):
                return left - right
            case "*", (left, right):
                return left * right
            case "/", (left, right):
                zero = right == 0
                self.refuse(zero, right, f"divisor {operation.texts[1]}", "a number other than 0")
                return left / np.where(zero, np.nan, right)
            case operator, (value,) if operator == NEGATE:
                return -value
            case operator, (value,):
                return self._function(operator, operation.texts[0], value)
        raise AssertionError(operation)

    def _function(self, name: str, argument: str, value: Floats) -> Floats:
        compute, defined, expected = FUNCTIONS[name]
        value = np.broadcast_to(value, len(self.table))
        wrong = ~defined(value) & ~np.isnan(value)
        self.refuse(wrong, value, f"{name}{argument}", expected)
        return compute(np.where(wrong, np.nan, value))


def _is_number(name: str) -> bool:
    found = _NUMBER.match(name)
    return found is not None and found.end() == len(name)


def _numbered(table: pd.DataFrame) -> bool:
    """Does the index tell rows of a spreadsheet, as `read_table` leaves it?"""
    import pandas as pd

    return bool(table.index.is_unique and pd.api.types.is_integer_dtype(table.index))
