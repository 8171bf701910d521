"""`senexo simulate`: one model's time courses into a file."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from senexo.app.scan import given_changes, given_values
from senexo.base.atomic import output_file, output_folder
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import xarray

SUFFIXES = (".csv", ".parquet", ".zarr")
MOST_POINTS = 10_000_000
ENDED = "ended at a limit"  # in the status of a dataset
ROWS_AT_ONCE = 1_000_000
_METADATA = frozenset({".zattrs", ".zgroup", ".zarray", ".zmetadata"})


def simulate_to(
    out: Path | None, model: str, *, end: float | None, points: int, method: Literal["ode", "ssa"], runs: int,
    seed: int, max_step: float | None = None, overwrite: bool = False, sets: Sequence[str] = (),
    scans: Sequence[str] = (), table: Path | None = None, start: str | None = None, changes: Sequence[str] = (),
    steady_state: bool = False, max_events: int | None = None, max_seconds: float | None = None,
) -> bool:  # fmt: skip
    """Simulate and write: a table with one row per run and time, or a Zarr store of the labelled arrays.

    False where runs ended at a limit.

    The file appears when it is complete. StoreError, before anything is simulated, where something is at `out` already,
    unless `overwrite` is set and it is a file, or a store of an earlier call.
    """
    faults = []
    if (end is None) != steady_state:
        faults.append(Fault("--end", "none" if end is None else f"{end:g}", "either --end or --steady-state"))
    elif end is not None and not isfinite(end):
        faults.append(Fault("--end", f"{end:g}", "a finite time"))
    if points > MOST_POINTS:
        faults.append(Fault("--points", f"{points:,}", f"at most {MOST_POINTS:,}"))
    if out is not None and out.suffix not in SUFFIXES:
        faults.append(Fault("--out", str(out), f"a file that ends in {', '.join(SUFFIXES)}"))
    read: dict[str, Any] = {}
    for name, reader in (
        ("parameters", lambda: given_values(sets, scans, table)),
        ("changes", lambda: given_changes(changes)),
        ("start", lambda: given_start(start)),
    ):
        try:
            read[name] = reader()
        except InvalidInput as error:
            faults += error.faults
    begin = _time_of(read.get("start", 0.0))
    if end is not None and isfinite(end) and not end > begin:
        faults.append(Fault("--end", f"{end:g}", f"a time greater than {begin:g}"))
    if faults:
        raise InvalidInput(faults)

    def course() -> xarray.Dataset:
        import numpy as np

        from senexo.lab.simulation import simulate
        from senexo.model.loading import load

        times = None if end is None else np.linspace(begin, end, points)
        options: dict[str, Any] = {"method": method, "runs": runs, "seed": seed, "max_step": max_step}
        options |= {"max_events": max_events, "max_seconds": max_seconds}
        data = simulate(load(model), times, steady_state=steady_state, **read, **options)
        if "failed" in data.attrs["status"] or ENDED in data.attrs["status"]:
            print(f"senexo: {data.attrs['status']}: see the column status", file=sys.stderr)  # noqa: T201
        for caution in data.attrs.get("cautions", "").splitlines():
            print(f"senexo: {caution}", file=sys.stderr)  # noqa: T201
        return data

    from senexo.lab.ensemble import aside

    # aside: Ctrl-C is answered while a solver or a kernel is at work
    if out is None:
        data = aside(course)
        _write_csv(data, sys.stdout)
    elif out.suffix == ".zarr":
        with output_folder(out, overwrite=overwrite, ours=is_simulated_store, kind="a store of senexo simulate") as new:
            data = aside(course)
            data.to_zarr(new, mode="w", zarr_format=2, consolidated=True)
    else:
        with output_file(out, overwrite=overwrite) as new:
            data = aside(course)
            if out.suffix == ".parquet":
                _write_parquet(data, new)
            else:
                with new.open("w", encoding="utf-8", newline="") as stream:
                    _write_csv(data, stream)
    return ENDED not in data.attrs["status"]


def given_start(text: str | None) -> Any:
    """What `start` of `senexo.simulate` takes: a time, or the last state of a .zarr store of `senexo simulate`."""
    if text is None:
        return 0.0
    if not text.endswith(".zarr"):
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if isfinite(number):
            return number
    if not text.endswith(".zarr") or not is_simulated_store(Path(text)):
        raise InvalidInput([Fault("--start", text, "a time, or a .zarr folder that senexo simulate wrote")])
    import xarray

    from senexo.lab.simulation import largest_result

    try:
        with xarray.open_zarr(text) as data:
            if data.nbytes > largest_result() or any(_too_large_chunks(one) for one in data.variables.values()):
                raise InvalidInput([Fault("--start", f"{text}: more than fits", "a store of senexo simulate")])
            last = {dim: [-1] for dim in data.dims if str(dim).startswith("time")}
            return data.isel(last).load()
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput([Fault("--start", f"{text}: {error}", "a whole store of senexo simulate")]) from None


def _too_large_chunks(variable: xarray.Variable) -> bool:
    """Whether the chunks of a store are said to be larger than what they hold."""
    chunks = variable.encoding.get("chunks") or ()
    return any(chunk > max(n, 1) for chunk, n in zip(chunks, variable.shape, strict=False))


def _time_of(start: Any) -> float:
    """The time at which a run begins."""
    if isinstance(start, float):
        return start
    clock = next(name for name in ("time", "time_", "time__") if name in start.dims)
    return float(start[clock].values[-1])


def _parts(data: xarray.Dataset) -> Iterator[pd.DataFrame]:
    """The rows of the table, some runs at a time: a table takes several times the memory of the arrays."""
    run, time = data.sizes  # by the names they have where a quantity of the model is called "run" or "time"
    at_once = max(1, ROWS_AT_ONCE // max(1, data.sizes[time]))
    for first in range(0, data.sizes[run], at_once):
        table = data.isel({run: slice(first, first + at_once)}).to_dataframe().reset_index()
        # versions of xarray differ in where they put coordinates that are no index
        quantities = list(map(str, data.data_vars))
        yield table[[*(name for name in table.columns if name not in quantities), *quantities]]


def _write_csv(data: xarray.Dataset, stream: IO[str]) -> None:
    for number, part in enumerate(_parts(data)):
        part.to_csv(stream, index=False, header=number == 0)


def _write_parquet(data: xarray.Dataset, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = (pa.Table.from_pandas(part, preserve_index=False) for part in _parts(data))
    first = next(parts)
    with pq.ParquetWriter(path, first.schema) as writer:
        for part in itertools.chain([first], parts):
            writer.write_table(part)


def is_simulated_store(folder: Path) -> bool:
    """Whether a folder is a Zarr store that `senexo simulate` wrote, with nothing else in it."""
    try:
        about = json.loads((folder / ".zattrs").read_bytes())
    except (OSError, ValueError):
        return False
    if not isinstance(about, dict) or not {"senexo_version", "model_digest"} <= about.keys():
        return False
    chunk = re.compile(r"\d+(\.\d+)*")
    places = list(folder.rglob("*"))
    return not any(place.is_symlink() for place in places) and all(
        place.is_dir() or place.name in _METADATA or chunk.fullmatch(place.name) for place in places
    )
