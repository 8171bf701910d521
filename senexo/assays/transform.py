"""Values computed from columns, as `log2(hsa-mir-34c + 1)`: a closed grammar, read here and never run as code.

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = {"+" | "-"} atom
    atom    = number | column | "`" column "`" | function "(" sum ")" | "(" sum ")"

Functions: log2, log10, ln, sqrt, rank (1 for the smallest, ties share their mean rank). A column is known by its name
in the table, the longest one that fits; names may hold hyphens and blanks. A backtick on each side is needed only where
a name could be read otherwise: names that are numbers, or a minus that follows a name with hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, capped, check, likely

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

MAX_LENGTH, MAX_DEPTH = 1000, 50
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[^\s+*/()`,-]+(-[^\s+*/()`,-]+)*|.")


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
    """The numbers that `text` asks for, one per row of `table` with its index; empty cells give nan.

    InvalidInput names the place in the text that cannot be read, or every row in which a cell is no number, a
    logarithm is taken of 0 or less, a root of less than 0, or something is divided by 0.

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

    reader = _Reader(text, table, where)
    with np.errstate(all="ignore"):  # what overflows is told below, with its row
        values = reader.whole()
    numbers = np.broadcast_to(values, len(table)).astype(float)
    reader.refuse(np.isinf(numbers), numbers, text, "a finite number")
    if reader.faults:
        raise capped(reader.faults, where)
    return pd.Series(numbers, index=table.index, name=text)


def columns_used(table: pd.DataFrame, text: str, *, where: str = "table") -> list[str]:
    """The columns that `text` is computed from, in the order in which they stand there; see `column`.

    >>> import pandas as pd
    >>> columns_used(pd.DataFrame({"a": [1], "a-b": [2], "c": [3]}), "c / (a-b + 1)")
    ['c', 'a-b']
    """
    reader = _Reader(text, table, where)
    with np.errstate(all="ignore"):
        reader.whole()
    return list(reader.used)


class _Reader:
    """Reads a text from left to right and computes what it has read; `faults` are those of rows."""

    def __init__(self, text: str, table: pd.DataFrame, where: str) -> None:
        self.text, self.table, self.where = text, table, where
        self.names = [str(name) for name in table.columns]
        # the longest first; a name that is a number would be taken for the number
        self.bare = sorted((name for name in self.names if name and not _is_number(name)), key=len, reverse=True)
        self.place, self.depth = 0, 0
        self.used: dict[str, Floats] = {}
        self.faults: list[Fault] = []

    def whole(self) -> Floats:
        if len(self.text) > MAX_LENGTH:
            found = Fault("value", f"{len(self.text)} characters", f"no more than {MAX_LENGTH}")
            raise InvalidInput([found])
        values = self._sum()
        if self._next():
            self._stop("an operator (+ - * /) or the end")
        if not self.used:
            raise InvalidInput([Fault(f"'{self.text}'", "no column", f"a column ({likely('', self.names)})")])
        return values

    def refuse(self, wrong: NDArray[np.bool_], values: Floats, what: str, expected: str) -> None:
        """Note a fault for each row that is wrong; a value used twice is not told twice."""
        rows = self.table.index if _numbered(self.table) else range(len(self.table))
        wrong = np.broadcast_to(wrong, len(self.table))
        values = np.broadcast_to(values, len(self.table))
        found = [
            Fault(f"{self.where}: row {int(row) + 2}, {what}", f"{values[i]:g}", expected)
            for i, row in enumerate(rows)
            if wrong[i]
        ]
        self.faults += [fault for fault in found if fault not in self.faults]

    def _sum(self) -> Floats:
        values = self._product()
        while (sign := self._next()) and sign in "+-":
            self.place += 1
            other = self._product()
            values = values + other if sign == "+" else values - other
        return values

    def _product(self) -> Floats:
        values = self._signed()
        while (sign := self._next()) and sign in "*/":
            begin = self.place = self.place + 1
            other = self._signed()
            if sign == "*":
                values = values * other
                continue
            zero = other == 0
            self.refuse(zero, other, f"divisor {self.text[begin : self.place].strip()}", "a number other than 0")
            values = values / np.where(zero, np.nan, other)
        return values

    def _signed(self) -> Floats:
        negative = False
        while (sign := self._next()) and sign in "+-":
            negative ^= sign == "-"
            self.place += 1
        return -self._atom() if negative else self._atom()

    def _atom(self) -> Floats:
        if self._next() == "(":
            return self._inside()
        if self._next() == "`":
            return self._quoted()
        name = self._known()
        function = _WORD.match(self.text, self.place)
        if name is None and (number := _NUMBER.match(self.text, self.place)):
            self.place = number.end()
            return np.asarray(float(number.group()))
        called = function is not None and function.group() in FUNCTIONS and self._next(function.end()) == "("
        if function and called and name in (None, function.group()):
            return self._function(function.group())
        if name is None:
            self._stop(f"a column ({likely(function.group() if function else '', self.names)})")
        self.place += len(name)
        if "-" in name and self.text[self.place : self.place + 1] == "-":
            self._stop(f"a blank before the minus, or `{name}`: '{name}-...' is not the name of a column")
        return self._column(name)

    def _function(self, name: str) -> Floats:
        compute, defined, expected = FUNCTIONS[name]
        begin = self.place
        self.place += len(name)
        self._next()
        values = np.broadcast_to(self._inside(), len(self.table))
        wrong = ~defined(values) & ~np.isnan(values)
        self.refuse(wrong, values, self.text[begin : self.place], expected)
        return compute(np.where(wrong, np.nan, values))

    def _inside(self) -> Floats:
        """What stands between brackets, the opening one being next."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._stop(f"no more than {MAX_DEPTH} brackets within each other")
        self.place += 1
        values = self._sum()
        if self._next() != ")":
            self._stop("an operator (+ - * /) or ')'")
        self.place += 1
        self.depth -= 1
        return values

    def _quoted(self) -> Floats:
        end = self.text.find("`", self.place + 1)
        name = self.text[self.place + 1 : end]
        if end < 0 or name not in self.names:
            self._stop(f"a column between backticks ({likely(name, self.names)})")
        self.place = end + 1
        return self._column(name)

    def _known(self) -> str | None:
        """The longest column name that stands here and is not the beginning of a longer word."""
        for name in self.bare:
            end = self.place + len(name)
            if self.text.startswith(name, self.place) and not re.match(r"\w", self.text[end : end + 1]):
                return name
        return None

    def _column(self, name: str) -> Floats:
        if name not in self.used:
            try:
                asked = check(self.table, [Column(name, "number", may_be_empty=True)], where=self.where)
                self.used[name] = asked[name].to_numpy(dtype=float)
            except InvalidInput as error:
                self.faults += error.faults
                self.used[name] = np.full(len(self.table), np.nan)
        return self.used[name]

    def _next(self, place: int | None = None) -> str:
        """The next character that is no blank, which becomes the place unless one is given; "" at the end."""
        start = self.place if place is None else place
        rest = self.text[start:]
        if place is None:
            self.place += len(rest) - len(rest.lstrip())
        return rest.lstrip()[:1]

    def _stop(self, expected: str) -> NoReturn:
        word = _WORD.match(self.text, self.place)
        found = f"'{word.group()}'" if word else "the end"
        raise InvalidInput([Fault(f"'{self.text}', character {self.place + 1}", found, expected)])


def _is_number(name: str) -> bool:
    found = _NUMBER.match(name)
    return found is not None and found.end() == len(name)


def _numbered(table: pd.DataFrame) -> bool:
    """Does the index tell rows of a spreadsheet, as `read_table` leaves it?"""
    import pandas as pd

    return bool(table.index.is_unique and pd.api.types.is_integer_dtype(table.index))
