"""Tables in and out: tables from the bench are read strictly, every fault is named by row and column.

Rows are numbered as a spreadsheet numbers them: the header is row 1, the first row of data is row 2.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from senexo.base.atomic import write_file
from senexo.base.errors import Fault, InvalidInput, Notice
from senexo.base.files import no_plain_file

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 512 * 2**20  # of the unpacked file: a .gz of a few kB can unpack to any size
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
MAX_CELL = 131_072  # characters
MAX_NUMBER = 1e100  # in size: the square and the product of two stay finite
MAX_FAULTS = 20
MAX_NAMES = 20  # that a message lists
MAX_WHOLE = 2**53  # beyond it, neighbouring whole numbers are one float64
EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "-"})
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
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


def read_table(path: str | Path, *, sheet: str | None = None) -> pd.DataFrame:
    """Read a table file into a frame whose cells are not interpreted yet.

    Parameters
    ----------
    path
        A .csv (comma or semicolon), .tsv, .txt, .xlsx or .parquet file, each also as .gz. Text is UTF-8; the first row
        is the header.
    sheet
        Name of the sheet of an .xlsx file; needed where several sheets are filled.

    Returns
    -------
    pandas.DataFrame
        One column per name of the header. Text files give text cells, so that `check` can quote them. The index is the
        row number of the spreadsheet minus 2; lines without content are left out. No formula or macro is executed.

    Raises
    ------
    InvalidInput
        The file does not exist, or its type, encoding, column names or ragged rows cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "wells.csv"
    >>> _ = path.write_text("arm,ct\\nmock,31.2\\n")
    >>> read_table(path)["ct"].to_list()
    ['31.2']
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if kind not in (".parquet", ".xlsx", *SEPARATORS):
        kinds = "a table: .csv, .tsv, .txt, .xlsx or .parquet (or .gz of these)"
        raise _unreadable(path, f"a file of type '{kind}'", kinds)
    if sheet is not None and kind != ".xlsx":
        raise _unreadable(path, f"the sheet '{sheet}' of a file of type '{kind}'", "an .xlsx file")
    data = _bytes(path, packed=suffixes[-1] == ".gz")
    if kind == ".parquet":
        return _from_parquet(path, data)
    return _frame(path, _sheet(path, data, sheet) if kind == ".xlsx" else _text(path, data, SEPARATORS[kind]))


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
        raise InvalidInput(_capped(faults, where))
    numbered = frame.index.is_unique and pd.api.types.is_integer_dtype(frame.index)  # as `read_table` leaves it
    rows = frame if numbered else frame.reset_index(drop=True)
    if not absent and rows.empty:
        faults.append(Fault(where, "no row of data", "at least one"))
    out, sound = {}, pd.Series(True, index=rows.index)
    for column in columns:
        if column.name in rows.columns:
            text, wrong, out[column.name] = _convert(rows[column.name], column)
            faults += _faults(text, wrong, column, where)
            sound &= ~wrong
    checked = pd.DataFrame(out)
    if not absent and sound.any():
        valid = checked[sound]
        present = [name for name in key if name in checked]
        faults += _repeated(valid, present, where) if present else []
        faults += [fault for rule in rules for fault in rule(valid)]
    if faults:
        raise InvalidInput(_capped(faults, where))
    return checked


def likely(word: str, names: Iterable[object]) -> str:
    """The names that a wrong one may mean: all of up to 20, of more the five most similar."""
    known = [str(name) for name in names]
    if len(known) <= MAX_NAMES:
        return ", ".join(known)
    alike = difflib.get_close_matches(word, known, n=5, cutoff=0.5) or known[:5]
    return f"{', '.join(alike)}, ... {len(known)} in all"


def at(where: str, row: object, column: str) -> str:
    """The place of one cell as a fault names it; `row` is a label of the checked frame's index."""
    return f"{where}: row {int(str(row)) + 2}, column {column}"


def capped(faults: Sequence[Fault], where: str) -> InvalidInput:
    """The error for these faults; the first 20 are written out, the others counted."""
    return InvalidInput(_capped(faults, where))


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


def _bytes(path: Path, *, packed: bool) -> bytes:
    try:
        if kind := no_plain_file(path):
            raise _unreadable(path, kind, "the path of a table")
        with gzip.open(path) if packed else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(path, "no such file", "the path of a table") from None
    except (OSError, ValueError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise _unreadable(path, f"a file that cannot be read ({error})", "a readable file") from error
    if len(data) > MAX_BYTES:
        raise _unreadable(path, f"more than {MAX_BYTES // 2**20} MiB", "a smaller table")
    return data


def _from_parquet(path: Path, data: bytes) -> pd.DataFrame:
    from senexo.base.parquet import read_parquet

    try:
        return read_parquet(data, where=str(path))
    except InvalidInput:
        raise
    except Exception as error:  # pyarrow raises a dozen kinds for a broken file
        raise _unreadable(path, f"no readable Parquet ({error})", "a Parquet table") from error


def _sheet(path: Path, data: bytes, sheet: str | None) -> list[list[Any]]:
    """The lines of a sheet, all as wide as its header."""
    from senexo.base.workbook import sheet_lines

    lines = sheet_lines(data, where=str(path), sheet=sheet)
    width = len(lines[0]) if lines else 0
    return [line + [None] * (width - len(line)) for line in lines]


def _text(path: Path, data: bytes, separator: str) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"a byte that is not UTF-8 at position {error.start}", "text saved as UTF-8") from None
    head = text.partition("\n")[0]
    if head.count(";") > head.count(separator):  # what a spreadsheet writes where the comma is the decimal mark
        separator = ";"
    lines: list[list[str]] = []
    cells = 0
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            cells += len(line)
            _refuse_large(path, len(lines), cells)
            lines.append(line)
    except csv.Error as error:
        raise _unreadable(path, f"text that is no table ({error})", f"columns separated by {separator!r}") from None
    return lines


def _refuse_large(path: Path, rows: int, cells: int) -> None:
    if rows > MAX_ROWS:
        raise _unreadable(path, f"more than {MAX_ROWS:,} rows", "a smaller table")
    if cells > MAX_CELLS:
        raise _unreadable(path, f"more than {MAX_CELLS:,} cells", "a smaller table")


def _frame(path: Path, lines: list[list[Any]]) -> pd.DataFrame:
    """The lines, the first of which is the header; lines without any content are left out."""
    import pandas as pd

    names = [as_text(name) for name in lines[0]] if lines else []
    first: dict[str, int] = {}
    faults = [
        Fault(f"{path}: row 1, column {i + 1}", f"the column name '{name}'", "one name per column, no name twice")
        for i, name in enumerate(names)
        if not name or first.setdefault(name, i) != i
    ]
    body = {i: line for i, line in enumerate(lines[1:]) if any(as_text(cell) for cell in line)}
    faults += [
        Fault(f"{path}: row {i + 2}", f"{len(line)} cells", f"{len(names)}, as the header has")
        for i, line in body.items()
        if len(line) != len(names)
    ]
    if not names:
        faults.append(Fault(str(path), "an empty file", "a table with a header"))
    if faults:
        raise InvalidInput(_capped(faults, str(path)))
    return pd.DataFrame(list(body.values()), index=list(body), columns=names, dtype=object)


def _convert(cells: pd.Series, column: Column) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The cells of a column as text, which of them are wrong, and all in the column's type (wrong ones: any value)."""
    import pandas as pd

    text = pd.Series([as_text(cell) for cell in cells], index=cells.index, dtype=object)
    strange = text.map(lambda cell: len(cell) > MAX_CELL or _CONTROL.search(cell) is not None).astype(bool)
    lowered = text.str.lower()
    words = {"" if column.kind == "text" else word for word in EMPTY} | {word.lower() for word in column.empty_words}
    empty = lowered.isin(words)
    wrong = strange if column.may_be_empty else strange | empty
    if column.kind == "text":
        return text, wrong, text
    if column.kind == "flag":
        wrong |= ~lowered.isin(FLAGS) & ~empty
        return text, wrong, lowered.isin([word for word, value in FLAGS.items() if value])
    numbers = pd.Series([as_number(cell) for cell in text], index=cells.index, dtype=float).where(~empty)
    wrong |= ~(numbers.abs() <= MAX_NUMBER) & ~empty
    if column.kind == "whole":
        wrong |= numbers.notna() & ((numbers % 1 != 0) | (numbers.abs() > MAX_WHOLE))
    if column.low is not None:
        wrong |= numbers < column.low
    if column.high is not None:
        wrong |= numbers > column.high
    if column.kind == "whole" and not column.may_be_empty:
        return text, wrong, numbers.where(~wrong, 0).astype("int64")
    return text, wrong, numbers


def as_number(cell: str) -> float:
    """The number that a text is, every digit kept (pandas rounds); nan for any other text."""
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def as_text(cell: object) -> str:
    """A cell as a spreadsheet shows it: whole numbers without decimals, a missing value as an empty text."""
    if cell is None or cell != cell or str(cell) in ("<NA>", "NaT"):
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) <= MAX_WHOLE else repr(float(cell))
    return str(cell).strip()


def _faults(text: pd.Series, wrong: pd.Series, column: Column, where: str) -> list[Fault]:
    found = ((row, text[row]) for row in text.index[wrong])
    return [Fault(at(where, row, column.name), _quoted(cell), column.expected + _hint(cell)) for row, cell in found]


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


def _capped(faults: Sequence[Fault], where: str) -> list[Fault]:
    rest = len(faults) - MAX_FAULTS
    if rest <= 0:
        return list(faults)
    return [*faults[:MAX_FAULTS], Fault(where, f"{rest} more faults", "none")]


def _unreadable(path: Path, found: str, expected: str) -> InvalidInput:
    return InvalidInput([Fault(str(path), found, expected)])
