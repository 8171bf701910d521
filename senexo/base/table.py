"""Tables in and out: tables from the bench are read strictly, every fault is named by row and column.

Rows are numbered as a spreadsheet numbers them: the header is row 1, the first row of data is row 2.
"""

from __future__ import annotations

import difflib
import io
import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from senexo.base.atomic import write_file
from senexo.base.cells import EMPTY, MAX_WHOLE, Numeral, as_number, as_text, is_number
from senexo.base.errors import Fault, InvalidInput, Notice
from senexo.base.table_file import read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EMPTY", "FLAGS", "Column", "Rule", "as_number", "as_text", "at", "check", "csv_bytes",
    "is_number", "likely", "parquet_bytes", "read_table", "write_table",
]  # fmt: skip

MAX_CELL = 131_072  # characters
MAX_NUMBER = 1e100  # in size: the square and the product of two stay finite
MAX_NAMES = 20  # that a message lists
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all but tab and line ends
_FORMULA = re.compile(r"[=+\-@\t\r].")  # how a cell begins that a spreadsheet runs
_KINDS = {"text": "a name", "number": "a number", "whole": "a whole number", "flag": "true or false"}


Rule = Callable[["pd.DataFrame"], "list[Fault]"]  # what several cells of a checked row must fulfil together


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a table must contain.

    Parameters
    ----------
    name
        The column's name in the header.
    kind
        Type of its cells: ``text``, ``number`` (finite), ``whole`` (at most 2^53 in size) or ``flag`` (true or false).
    required
        Whether the table must have the column.
    may_be_empty
        Whether single cells may be empty; an empty number is nan.
    low, high
        Inclusive bounds of a number.
    empty_words
        Further words that mean an empty cell, besides ``NA``, ``n/a``, ``nan``, ``none``, ``null`` and ``-``.
    """

    name: str
    kind: Literal["text", "number", "whole", "flag"]
    required: bool = True
    may_be_empty: bool = False
    low: float | None = None
    high: float | None = None
    empty_words: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        bounds = [f"{sign} {bound:g}" for sign, bound in ((">=", self.low), ("<=", self.high)) if bound is not None]
        words = [_KINDS[self.kind], *bounds]
        return " ".join([words[0], " and ".join(bounds)]).strip() if bounds else words[0]


def check(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    where: str = "table",
    key: Sequence[str] = (),
    rules: Sequence[Rule] = (),
) -> pd.DataFrame:
    """Convert the declared columns of a table to their types and list every fault of it.

    Parameters
    ----------
    frame
        The table, as `read_table` returns it or as any pandas frame.
    columns
        The columns to convert; others are left out.
    where
        What messages call the table.
    key
        No two rows may agree in all of these columns (those that the table has).
    rules
        Conditions between cells of a row. Each gets the converted rows in which every cell is valid and returns the
        faults that it finds. Rules and key are checked unless a required column is absent.

    Returns
    -------
    pandas.DataFrame
        Text as text (a donor numbered 3 is the donor "3"), numbers as float64, whole numbers as int64 (float64 where
        cells may be empty), flags as bool. The index is that of `frame` where it numbers the rows.

    Raises
    ------
    InvalidInput
        All faults of the table: absent columns, single cells, rows. The first 20 are written out.

    Examples
    --------
    >>> import pandas as pd
    >>> check(pd.DataFrame({"n": ["12", "x"]}), [Column("n", "whole")])
    Traceback (most recent call last):
    ...
    senexo.base.errors.InvalidInput: table: row 3, column n: found 'x', expected a whole number
    """
    import pandas as pd

    absent = [column for column in columns if column.required and column.name not in frame.columns]
    faults = [
        Fault(f"{where}: column {name}", f"no such column (there are: {likely(name, frame.columns)})", column.expected)
        for column in absent
        for name in [column.name]
    ]
    twice = [name for name in frame.columns[frame.columns.duplicated()] if name in {column.name for column in columns}]
    faults += [Fault(f"{where}: column {name}", "several of that name", "one") for name in twice]
    if twice:
        raise InvalidInput(faults)
    rows = numbered(frame)
    if not absent and rows.empty:
        faults.append(Fault(where, "no row of data", "at least one"))
    out, sound = {}, pd.Series(True, index=rows.index)
    for column in columns:
        if column.name in rows.columns:
            text, wrong, out[column.name] = _convert(rows[column.name], column, where)
            faults += _faults(text, wrong, column, where)
            sound &= ~wrong
    checked = pd.DataFrame(out)
    if not absent and sound.any():
        valid = checked[sound]
        present = [name for name in key if name in checked]
        faults += _repeated(valid, present, where) if present else []
        faults += [fault for rule in rules for fault in rule(valid)]
    if faults:
        raise InvalidInput(faults)
    return checked


def likely(word: str, names: Iterable[object]) -> str:
    """The names that a wrong one may mean: all of up to 20, of more the five most similar."""
    known = [str(name) for name in names]
    if len(known) <= MAX_NAMES:
        return ", ".join(known)
    alike = difflib.get_close_matches(word, known, n=5, cutoff=0.5) or known[:5]
    return f"{', '.join(alike)}, ... {len(known)} in all"


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an index by which faults can name its rows; its own where it is one, as `read_table` leaves it."""
    whole = frame.index.is_unique and frame.index.dtype.kind in "iu"
    return frame if whole else frame.reset_index(drop=True)


def at(where: str, row: object, column: str) -> str:
    """The place of one cell as a fault names it; `row` is a label of the checked frame's index."""
    return f"{where}: row {int(str(row)) + 2}, column {column}"


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as UTF-8 CSV with Unix line ends; missing values are empty, numbers have the digits that read back.

    A text that a spreadsheet would run as a formula gets a ' before it, with a `Notice`.
    """
    import pandas as pd

    changed: list[str] = []

    def inert(cell: Any) -> Any:
        if not isinstance(cell, str) or not _FORMULA.match(cell) or not math.isnan(as_number(cell)):
            return cell
        changed.append(cell)
        return f"'{cell}"

    written = frame.rename(columns=inert)
    for place, kind in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)):
            cells = frame.iloc[:, place].astype(object)
            written.isetitem(place, cells.map(inert).to_numpy())
    if changed:
        warnings.warn(
            f"texts such as {_quoted(changed[0])} would run as formulas in a spreadsheet; in CSV files they have a '"
            " before them, in Parquet files they are as they were",
            Notice,
            stacklevel=2,
        )
    return written.to_csv(index=False, lineterminator="\n").encode()


def write_table(frame: pd.DataFrame, stem: str | Path) -> tuple[Path, Path]:
    """Write `stem`.parquet and `stem`.csv and return both paths; StoreError where they cannot be written."""
    paths = Path(f"{stem}.parquet"), Path(f"{stem}.csv")
    for path, data in zip(paths, (parquet_bytes(frame), csv_bytes(frame)), strict=True):
        write_file(path, data)
    return paths


def _convert(cells: pd.Series, column: Column, where: str) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The cells of a column as text, which of them are wrong, and all in the column's type (wrong ones: any value)."""
    import pandas as pd

    text = pd.Series([as_text(cell) for cell in cells], index=cells.index, dtype=object)
    strange = text.map(lambda cell: len(cell) > MAX_CELL or _CONTROL.search(cell) is not None).astype(bool)
    lowered = text.str.lower()
    words = {"" if column.kind == "text" else word for word in EMPTY} | {word.lower() for word in column.empty_words}
    empty = lowered.isin(words)
    wrong = strange if column.may_be_empty else strange | empty
    if column.kind == "text":
        return text, wrong, text.map(str)
    if column.kind == "flag":
        wrong |= ~lowered.isin(FLAGS) & ~empty
        return text, wrong, lowered.isin([word for word, value in FLAGS.items() if value])
    text = _with_one_reading(text, column, where)
    numbers = pd.Series([as_number(cell) for cell in text], index=cells.index, dtype=float).where(~empty)
    wrong |= ~numbers.map(lambda number: _allowed(number, column)).astype(bool) & ~empty
    if column.kind == "whole" and not column.may_be_empty:
        return text, wrong, numbers.where(~wrong, 0).astype("int64")
    return text, wrong, numbers


def _allowed(number: float, column: Column) -> bool:
    """Whether a column may hold this number; nan it may not."""
    low, high = -MAX_NUMBER if column.low is None else column.low, MAX_NUMBER if column.high is None else column.high
    if not low <= number <= high or abs(number) > MAX_NUMBER:
        return False
    return column.kind != "whole" or (number % 1 == 0 and abs(number) <= MAX_WHOLE)


def _with_one_reading(text: pd.Series, column: Column, where: str) -> pd.Series:
    """Cells with two readings in the one that the column allows, where it allows one of the two for all of them."""
    two = [cell for cell in text if isinstance(cell, Numeral) and len(cell.readings) == 2]
    allowed = [k for k in (0, 1) if all(_allowed(cell.readings[k], column) for cell in two)]
    if not two or len(allowed) != 1:
        return text
    k = allowed[0]
    said = f"'{two[0]}' was read as {two[0].readings[k]:.15g}: {column.expected} is expected"
    warnings.warn(f"{where}, column {column.name}: {said}", Notice, stacklevel=4)

    def one(cell: str) -> str:
        return Numeral(cell, (cell.readings[k],)) if isinstance(cell, Numeral) and len(cell.readings) == 2 else cell

    return text.map(one)


def _faults(text: pd.Series, wrong: pd.Series, column: Column, where: str) -> list[Fault]:
    """A fault for each wrong cell, and one for all that have two readings."""
    found = [(row, text[row]) for row in text.index[wrong]]
    two = [(row, cell) for row, cell in found if isinstance(cell, Numeral) and len(cell.readings) == 2]
    faults = [
        Fault(at(where, row, column.name), _quoted(cell), column.expected + _hint(cell))
        for row, cell in found
        if not (isinstance(cell, Numeral) and len(cell.readings) == 2)
    ]
    if two and column.kind != "text":
        row, cell = two[0]
        more = f", as {len(two) - 1} more cells of the column" if len(two) > 1 else ""
        small, large = (f"{number:.15g}" for number in sorted(cell.readings))
        marks = {cell.readings[0]: "--decimal .", cell.readings[1]: "--decimal ,"}
        which = "; ".join(f"{marks[number]} for {number:.15g}" for number in sorted(cell.readings))
        asked = f"one reading: {which} (in Python read_table(..., decimal=))"
        faults.append(Fault(at(where, row, column.name), f"'{cell}', which is {small} or {large}{more}", asked))
    return faults


def _quoted(cell: str) -> str:
    """A cell in a message: short, and without signs that act on a terminal."""
    if len(cell) > MAX_CELL:
        return f"a cell of {len(cell):,} characters"
    short = cell if len(cell) <= 80 else f"{cell[:77]}..."
    return f"'{_escaped(short)}'" if cell else "an empty cell"


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _hint(cell: str) -> str:
    if len(cell) > MAX_CELL:
        return f" of at most {MAX_CELL:,} characters"
    if _CONTROL.search(cell):
        return " without control characters"
    if isinstance(cell, Numeral) and not cell.readings:
        return " with a decimal comma, as the others have"
    if MAX_NUMBER < abs(as_number(cell)) < math.inf:
        return f" of at most {MAX_NUMBER:g} in size"
    whole, comma, decimals = cell.partition(",")
    return " with a decimal point" if comma and whole.lstrip("+-").isdigit() and decimals.isdigit() else ""


def _repeated(frame: pd.DataFrame, key: list[str], where: str) -> list[Fault]:
    """Rows that repeat the key of an earlier row."""
    first = frame.groupby(key, dropna=False, sort=False).head(1)
    again = frame.index.difference(first.index)
    places = {tuple(values): row for values, row in zip(first[key].itertuples(index=False), first.index, strict=True)}
    return [
        Fault(
            f"{where}: row {int(row) + 2}",
            f"the {', '.join(key)} of row {places[tuple(frame.loc[row, key])] + 2} again",
            "one row for each, or a column that distinguishes them (replicate)",
        )
        for row in again
    ]
