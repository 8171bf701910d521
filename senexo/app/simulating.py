"""`senexo simulate`: one model's time courses into a file."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from senexo.base.atomic import output_file, output_folder
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".csv", ".parquet", ".zarr")
_METADATA = frozenset({".zattrs", ".zgroup", ".zarray", ".zmetadata"})


def simulate_to(
    out: Path | None, model: str, *, end: float, points: int, method: Literal["ode", "ssa"], runs: int, seed: int,
    overwrite: bool = False,
) -> None:  # fmt: skip
    """Simulate and write: a table with one row per run and time, or a Zarr store of the labelled arrays.

    The file appears when it is complete. StoreError, before anything is simulated, where something is at `out` already,
    unless `overwrite` is set and it is a file, or a store of an earlier call.
    """
    faults = []
    if not 0 < end < float("inf"):
        faults.append(Fault("--end", f"{end:g}", "a time greater than 0"))
    if out is not None and out.suffix not in SUFFIXES:
        faults.append(Fault("--out", str(out), f"a file that ends in {', '.join(SUFFIXES)}"))
    if faults:
        raise InvalidInput(faults)

    def course() -> xarray.Dataset:
        import numpy as np

        from senexo.lab.simulation import simulate
        from senexo.model.loading import load

        data = simulate(load(model), np.linspace(0.0, end, points), method=method, runs=runs, seed=seed)
        for caution in data.attrs.get("cautions", "").splitlines():
            print(f"senexo: {caution}", file=sys.stderr)  # noqa: T201
        return data

    if out is None:
        course().to_dataframe().reset_index().to_csv(sys.stdout, index=False)
    elif out.suffix == ".zarr":
        with output_folder(out, overwrite=overwrite, ours=is_simulated_store, kind="a store of senexo simulate") as new:
            course().to_zarr(new, mode="w", zarr_format=2, consolidated=True)
    else:
        with output_file(out, overwrite=overwrite) as new:
            table = course().to_dataframe().reset_index()
            if out.suffix == ".csv":
                table.to_csv(new, index=False)
            else:
                table.to_parquet(new, index=False)


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
