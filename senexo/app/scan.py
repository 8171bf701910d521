"""Values of a model from the command line: `--set`, `--scan`, `--table` and `--change` of `senexo simulate`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 1_000_000
_CHANGE = "TIME:ID=NUMBER or TIME:ID=FORMULA"
_SCAN = "ID=FIRST:LAST:lin:N, ID=FIRST:LAST:log:N or ID=VALUE,VALUE,..."


def given_values(sets: Sequence[str], scans: Sequence[str], table: Path | None) -> dict[str, Any] | None:
    """What `parameters` of `senexo.simulate` takes: id -> a number or an array [rows]; None where nothing is given.

    The rows of several scans are all combinations, the last scan running fastest.

    Raises
    ------
    InvalidInput
        All faults of the three options at once.
    """
    faults: list[Fault] = []
    fixed = dict(_pair("--set", text, "ID=NUMBER", faults) for text in sets)
    values: dict[str, Any] = {id: _number("--set", f"{id}={text}", text, faults) for id, text in fixed.items() if id}
    ranges = [(id, _range(id, text, faults)) for id, text in (_pair("--scan", s, _SCAN, faults) for s in scans) if id]
    frame = None if table is None else _table(table, faults)
    if scans and table is not None:
        faults.append(Fault("--scan", "beside --table", "one of them"))
    named = [id for id in fixed if id] + [id for id, _ in ranges] + ([] if frame is None else list(frame.columns))
    twice = sorted({id for id in named if named.count(id) > 1} | _repeated(sets))
    faults += [Fault("--set, --scan, --table", f"{id} twice", "each id once") for id in twice]
    rows = 1
    for _, found in ranges:
        rows *= max(1, len(found))
    if rows > MOST_ROWS:
        faults.append(Fault("--scan", f"{rows:,} combinations", f"at most {MOST_ROWS:,}"))
    if faults:
        raise InvalidInput(faults)
    if ranges:
        grid = np.meshgrid(*(found for _, found in ranges), indexing="ij")
        values |= {id: axis.ravel() for (id, _), axis in zip(ranges, grid, strict=True)}
    if frame is not None:
        values |= {str(name): frame[name].to_numpy() for name in frame.columns}
    return values or None


def given_changes(texts: Sequence[str]) -> list[tuple[float, dict[str, float | str]]] | None:
    """What `changes` of `senexo.simulate` takes, from TIME:ID=VALUE; several of one time are one change."""
    found: dict[float, dict[str, float | str]] = {}
    faults: list[Fault] = []
    for text in texts:
        time, sign, rest = text.partition(":")
        id, value = _pair("--change", rest, _CHANGE, faults) if sign else ("", "")
        at = _number("--change", text, time, faults) if sign else 0.0
        if not sign:
            faults.append(Fault("--change", repr(text), _CHANGE))
        elif id and id in found.get(at, {}):
            faults.append(Fault("--change", f"{id} twice at time {at:g}", "each id once at a time"))
        elif id:
            found.setdefault(at, {})[id] = value
    if faults:
        raise InvalidInput(faults)
    return list(found.items()) or None


def _repeated(sets: Sequence[str]) -> set[str]:
    ids = [text.partition("=")[0].strip() for text in sets]
    return {id for id in ids if ids.count(id) > 1}


def _pair(option: str, text: str, expected: str, faults: list[Fault]) -> tuple[str, str]:
    id, sign, value = text.partition("=")
    if not sign or not id.strip() or not value.strip():
        faults.append(Fault(option, repr(text), expected))
        return "", ""
    return id.strip(), value.strip()


def _number(option: str, where: str, text: str, faults: list[Fault]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        faults.append(Fault(option, repr(where), "a finite number"))
    return value


def _range(id: str, text: str, faults: list[Fault]) -> NDArray[np.float64]:
    where = f"{id}={text}"
    parts = text.split(":")
    if len(parts) == 1:
        return np.array([_number("--scan", where, part, faults) for part in text.split(",")])
    if len(parts) != 4 or parts[2] not in ("lin", "log") or not parts[3].isdecimal() or int(parts[3]) < 2:
        faults.append(Fault("--scan", repr(where), f"{_SCAN}, N 2 or more"))
        return np.empty(0)
    first, last, n = (*(_number("--scan", where, part, faults) for part in parts[:2]), int(parts[3]))
    if n > MOST_ROWS:
        faults.append(Fault("--scan", f"{where!r}, {n:,} values", f"at most {MOST_ROWS:,}"))
        return np.empty(0)
    if parts[2] == "lin":
        return np.linspace(first, last, n)
    if not (first > 0.0 and last > 0.0):
        faults.append(Fault("--scan", repr(where), "values above 0 where steps are equal on a logarithmic scale"))
        return np.empty(0)
    return np.geomspace(first, last, n)


def _table(path: Path, faults: list[Fault]) -> pd.DataFrame | None:
    import pandas as pd

    if path.suffix not in (".csv", ".tsv", ".parquet"):
        faults.append(Fault("--table", str(path), "a file that ends in .csv, .tsv or .parquet"))
        return None
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", nrows=MOST_ROWS + 1)
    except (OSError, ValueError) as error:
        faults.append(Fault("--table", f"{path}: {error}", "a table with a column for each id and a row for each run"))
        return None
    if len(frame) > MOST_ROWS:
        faults.append(Fault("--table", f"{path}: more than {MOST_ROWS:,} rows", f"at most {MOST_ROWS:,}"))
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            wrong = next((repr(x) for x in frame[name] if not isinstance(x, int | float)), "no row")
            faults.append(Fault("--table", f"{path}, column {name}: {wrong}", "numbers with a decimal point"))
    return frame
