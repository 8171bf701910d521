"""A table's file as lines of cells, and the lines as a frame: encodings, separators, titles, row names.

Rows are numbered as a spreadsheet numbers them: the first line is row 1.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base import numerals
from senexo.base.cells import as_number, as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.files import no_plain_file

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 512 * 2**20  # of the unpacked file: a .gz of a few kB can unpack to any size
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".gct": "\t"}
OTHER_KINDS = (".parquet", ".xlsx")
ROW_NAMES = "row name"  # what a column of row names without a name is called
_CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "blanks", "|": "bars"}
_LOOKED_AT = 50  # lines, when the separator is found
_MOST_TITLES = 10  # lines above a header that are taken as titles


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a file as they stand there, before any is taken as a header.

    `said`: how the file was read, where that is not plain. `decimal`: the decimal mark, where the caller says it.
    """

    path: Path
    lines: list[list[Any]]
    separator: str | None = None
    decimal: str | None = None
    said: tuple[str, ...] = ()
    frame: pd.DataFrame | None = field(default=None)  # of a file whose columns have names and types
    grouped: bool = True  # whether numbers may hold commas or group digits


def read_grid(path: str | Path, *, sheet: str | None = None, decimal: str | None = None, skip: int = 0) -> Grid:
    """The cells of a table's file; see `read_table` for the parameters."""
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if kind not in (*OTHER_KINDS, *SEPARATORS):
        kinds = "a table: .csv, .tsv, .txt, .gct, .xlsx or .parquet (or .gz of these)"
        raise _unreadable(path, f"a file of type '{kind}'", kinds)
    if sheet is not None and kind != ".xlsx":
        raise _unreadable(path, f"the sheet '{sheet}' of a file of type '{kind}'", "an .xlsx file")
    if decimal not in (None, *numerals.MARKS):
        raise InvalidInput([Fault("decimal", f"'{decimal}'", "the decimal mark: a point or a comma")])
    data = _bytes(path, packed=suffixes[-1] == ".gz")
    if kind == ".parquet":
        return Grid(path, [], frame=_from_parquet(path, data))
    if kind == ".xlsx":
        from senexo.base.workbook import sheet_lines

        grid = Grid(path, sheet_lines(data, where=str(path), sheet=sheet), decimal=decimal)
    else:
        grid = _text(path, data, SEPARATORS[kind], decimal)
    if skip:
        if not 0 < skip < len(grid.lines):
            raise _unreadable(path, f"{len(grid.lines)} lines", f"more than the {skip} to be skipped")
        above: list[list[Any]] = [[] for _ in range(skip)]
        grid = replace(grid, lines=above + grid.lines[skip:], said=(*grid.said, f"{skip} lines skipped"))
    return grid


def read_table(
    path: str | Path, *, sheet: str | None = None, decimal: str | None = None, skip: int = 0
) -> pd.DataFrame:
    """Read a table file into a frame whose cells are not interpreted yet.

    Parameters
    ----------
    path
        A .csv, .tsv, .txt, .xlsx or .parquet file, each also as .gz. Text is UTF-8, UTF-16 with its mark, or
        Windows-1252; columns are separated by commas, semicolons or tabs (or as a first line ``sep=;`` says). The first
        row is the header; titles above it (one filled cell in a line) are passed over.
    sheet
        Name of the sheet of an .xlsx file; needed where several sheets are filled.
    decimal
        The decimal mark of numbers, ``"."`` or ``","``. Without it, cells with one reading settle it (``31,5``,
        ``1.234,5``); where none does, a number such as ``10.000`` keeps its two readings, and `check` asks.
    skip
        Lines above the header that are passed over.

    Returns
    -------
    pandas.DataFrame
        One column per name of the header. Text files give text cells, so that `check` can quote them. The index is the
        row number of the spreadsheet minus 2; lines without content are left out. A first column without a name is
        called ``row name``, columns without name and content are left out. No formula or macro is executed.

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
    return framed(read_grid(path, sheet=sheet, decimal=decimal, skip=skip))[0]


def framed(grid: Grid, header: int | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The grid as a frame, and how it was read, where that is not plain; `header`: the line with the names."""
    if grid.frame is not None:
        return grid.frame, grid.said
    said = list(grid.said)
    if header is None:
        header = _header(grid.lines)
        if any(grid.lines[:header]):
            titles = sum(any(map(as_text, line)) for line in grid.lines[:header])
            said.append(f"the header in row {header + 1}, below {titles} line{'s' if titles > 1 else ''} of text")
    names, body, more = _body(grid, header)
    import pandas as pd

    frame = pd.DataFrame(list(body.values()), index=list(body), columns=names, dtype=object)
    frame, numbers = numerals.interpret(frame, separator=grid.separator, decimal=grid.decimal, grouped=grid.grouped)
    return frame, (*said, *more, *numbers)


def _body(grid: Grid, header: int) -> tuple[list[str], dict[int, list[Any]], list[str]]:
    """Names of the columns, and the filled lines below them by row number less 2."""
    names = [as_text(name) for name in grid.lines[header]] if grid.lines else []
    body = {i - 1: line for i, line in enumerate(grid.lines) if i > header and any(as_text(cell) for cell in line)}
    width = len(names)
    said = []
    if _short_header(names, list(body.values())):
        names, width = [_row_names(names), *names], width + 1  # R's write.table
        said.append("the first column, for which the header has no name, as row names")
    filled = [i for i in range(width) if names[i] or any(len(line) > i and as_text(line[i]) for line in body.values())]
    if filled and filled[0] == 0 and not names[0] and all(names[i] for i in filled[1:]) and len(filled) > 1:
        names[0] = _row_names(names)  # R's write.csv
        said.append("the first column, which has no name, as row names")
    workbook = grid.separator is None
    faults = _wrong_names(grid.path, names, filled, header)
    for i, line in body.items():
        whole = len(line)
        while whole > width and not as_text(line[whole - 1]):
            whole -= 1
        if whole < width and workbook:
            line = [*line, *[None] * (width - whole)]
        elif whole != width:
            faults.append(Fault(f"{grid.path}: row {i + 2}", f"{len(line)} cells", f"{width}, as the header has"))
            continue
        body[i] = [line[k] for k in filled] if len(filled) < width or len(line) != width else line
    if not names:
        faults.append(Fault(str(grid.path), "an empty file", "a table with a header"))
    if faults:
        raise InvalidInput(faults)
    return [names[k] for k in filled], body, said


def _short_header(names: Sequence[str], lines: Sequence[Sequence[Any]]) -> bool:
    """Whether every line has one cell more than the header, the first of them all different: names of rows."""
    if not lines or not names or not all(names):
        return False
    if not all(len(line) == len(names) + 1 and as_text(line[-1]) for line in lines):
        return False
    return len({as_text(line[0]) for line in lines}) == len(lines)


def _wrong_names(path: Path, names: Sequence[str], filled: Sequence[int], header: int) -> list[Fault]:
    place = f"{path}: row {header + 1}"
    if len(filled) > 1 and all(as_number(names[i]) == as_number(names[i]) for i in filled):
        shown = ", ".join(f"'{names[i]}'" for i in filled[:3])
        expected = "names of the columns in the first row: write a header above the numbers"
        return [Fault(place, f"numbers ({shown}{', ...' if len(filled) > 3 else ''}) and no header", expected)]
    first: dict[str, int] = {}
    return [
        Fault(f"{place}, column {i + 1}", f"the column name '{names[i]}'", "one name per column, no name twice")
        for i in filled
        if not names[i] or first.setdefault(names[i], i) != i
    ]


def _row_names(names: Sequence[str]) -> str:
    return next(name for name in (ROW_NAMES, *(f"{ROW_NAMES} {i}" for i in range(2, 99))) if name not in names)


def _header(lines: Sequence[Sequence[Any]]) -> int:
    """The line with the names: the first, or the first below lines of one cell in a table of several columns."""
    filled = [sum(bool(as_text(cell)) for cell in line) for line in lines[: _MOST_TITLES + 2]]
    if max(filled, default=0) < 2:
        return next((i for i, n in enumerate(filled) if n), 0)
    at = next((i for i, n in enumerate(filled) if n > 1), 0)
    return at if at + 1 < len(lines) else 0


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


def _text(path: Path, data: bytes, usual: str, decimal: str | None) -> Grid:
    text, encoding = _decoded(path, data)
    said = [] if encoding == "UTF-8" else [encoding]
    first, _, rest = text.partition("\n")
    above = 0
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:  # what spreadsheets read and write
        separator = first.strip("\r\n")[4:5] or usual
        text, above = rest, 1
    else:
        separator = _separator(text, usual)
    if separator != usual:
        said.append(f"columns separated by {_CALLED.get(separator, repr(separator))}")
    lines: list[list[str]] = [[] for _ in range(above)]
    cells = 0
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            cells += len(line)
            _refuse_large(path, len(lines), cells)
            lines.append(line)
    except csv.Error as error:
        raise _unreadable(path, f"text that is no table ({error})", f"columns separated by {separator!r}") from None
    return Grid(path, lines, separator, decimal, tuple(said), grouped=numerals.grouping(text, separator))


def _decoded(path: Path, data: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError as error:
            raise _unreadable(path, f"a byte that is not UTF-16 at position {error.start}", "whole text") from None
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError as error:
        place = error.start
    try:
        return data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        raise _unreadable(path, f"a byte that is not UTF-8 at position {place}", "text saved as UTF-8") from None


def _separator(text: str, usual: str) -> str:
    """What separates the columns: the sign that most of the first lines hold equally often; in doubt the usual one."""
    lines = [line for line in text[:65_536].splitlines()[:_LOOKED_AT] if line.strip()]
    if not lines:
        return usual

    def agreement(sign: str) -> tuple[int, int, bool]:
        counts = [line.count(sign) for line in lines]
        often = max((n for n in counts if n), key=counts.count, default=0)
        return counts.count(often) if often else 0, counts[0], sign == usual

    found = max(dict.fromkeys([usual, ";", "\t", ","]), key=agreement)
    return found if agreement(found)[0] or not _blanks(lines) else " "


def _blanks(lines: Sequence[str]) -> bool:
    """Whether blanks separate the columns, as R's write.table writes: equal widths, a header one short or not."""
    widths = [len(line) for line in csv.reader(lines, delimiter=" ")]
    return len(widths) > 1 and widths[1] > 1 and len(set(widths[1:])) == 1 and widths[0] in (widths[1], widths[1] - 1)


def _refuse_large(path: Path, rows: int, cells: int) -> None:
    if rows > MAX_ROWS:
        raise _unreadable(path, f"more than {MAX_ROWS:,} rows", "a smaller table")
    if cells > MAX_CELLS:
        raise _unreadable(path, f"more than {MAX_CELLS:,} cells", "a smaller table")


def _unreadable(path: Path, found: str, expected: str) -> InvalidInput:
    return InvalidInput([Fault(str(path), found, expected)])
