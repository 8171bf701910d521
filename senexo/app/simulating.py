"""`senexo simulate`: one model's time courses into a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from senexo.base.errors import Fault, InvalidInput

SUFFIXES = (".csv", ".parquet", ".zarr")


def simulate_to(
    out: Path | None, model: str, *, end: float, points: int, method: Literal["ode", "ssa"], runs: int, seed: int
) -> None:
    """Simulate and write: a table with one row per run and time, or a Zarr store of the labelled arrays."""
    faults = []
    if not 0 < end < float("inf"):
        faults.append(Fault("--end", f"{end:g}", "a time greater than 0"))
    if out is not None and out.suffix not in SUFFIXES:
        faults.append(Fault("--out", str(out), f"a file that ends in {', '.join(SUFFIXES)}"))
    if faults:
        raise InvalidInput(faults)

    import numpy as np

    from senexo.lab.simulation import simulate
    from senexo.model.loading import load

    data = simulate(load(model), np.linspace(0.0, end, points), method=method, runs=runs, seed=seed)
    if out is not None and out.suffix == ".zarr":
        data.to_zarr(out, mode="w", zarr_format=2, consolidated=True)
        return
    table = data.to_dataframe().reset_index()
    if out is None:
        table.to_csv(sys.stdout, index=False)
    elif out.suffix == ".csv":
        table.to_csv(out, index=False)
    else:
        table.to_parquet(out, index=False)
