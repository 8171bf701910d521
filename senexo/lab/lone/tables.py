"""From stored units of independent cells to tidy tables and one labelled array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.lab import tables as common
from senexo.lab.experiment import Arrays, Get, Unit
from senexo.lab.lone import measure
from senexo.lab.measurement import QUANTILES, SHARES

if TYPE_CHECKING:
    from senexo.lab.lone.simulator import CellSimulator


def tables(simulator: CellSimulator, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = simulator.study
    yield "arms", common.arms(study)
    yield "parameters", common.parameters(study, simulator.circuit)
    yield "donors", common.drawn(study)
    parts: dict[str, list[pd.DataFrame]] = {"timecourse": [], "cells": [], "senescence": [], "arrest": [], "qpcr": []}
    for unit in units:
        arrays, well = get(unit.chunk), common.about(study, unit)
        parts["timecourse"].append(_timecourse(simulator, well, arrays))
        parts["cells"].append(_cells(well, arrays))
        parts["senescence"].append(common.senescence(simulator, well, arrays))
        parts["arrest"].append(common.arrest(simulator, well, arrays))
        parts["qpcr"].append(common.qpcr(simulator, well, arrays))
    for part, frames in parts.items():
        table = pd.concat(frames, ignore_index=True)
        if len(table):
            yield part, table


def trajectories(folder: Path, simulator: CellSimulator, units: Sequence[Unit], get: Get) -> None:
    """Write the read-outs of every cell as a Zarr store, dims (arm, donor, cell, time, quantity), arm by arm."""
    import xarray as xr
    import zarr

    study = simulator.study
    coordinates: dict[str, Any] = {
        "arm": list(study.arms), "donor": np.arange(1, study.donors.n + 1), "cell": np.arange(1, simulator.n_cells + 1),
        "time": simulator.readout_times, "quantity": list(study.readouts.names),
    }  # fmt: skip
    labels = xr.Dataset(coords=coordinates, attrs={"title": study.title, "seed": study.seed})
    labels["time"].attrs["units"] = "h"
    labels = labels.assign_coords(unit=("quantity", simulator.units))
    labels.to_zarr(folder, mode="w", zarr_format=2, consolidated=False)
    shape = tuple(len(values) for values in coordinates.values())
    # version 2 of the format: what other languages' readers know, and text labels are part of it
    values = zarr.open_group(folder, mode="r+", zarr_format=2).create_array(
        "value", shape=shape, chunks=(1, *shape[1:]), dtype="float64", fill_value=np.nan,
        attributes={"_ARRAY_DIMENSIONS": list(coordinates), "long_name": "read-out of one living cell"},
    )  # fmt: skip
    for arm in range(shape[0]):
        values[arm] = np.stack([get(unit.chunk)["readouts"] for unit in units if unit.arm == arm])


def _timecourse(simulator: CellSimulator, place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """`course` [c, q], `spread` [t, q, 3] and `shares` [c, 3] in long form.

    A simulated well has no replicates of its own (0). Values keep the seven digits of a float32: no curve needs more.
    """
    kind = simulator.cell_type
    names, quantiles = np.array(simulator.study.readouts.names), list(QUANTILES)
    fates = {fate.name for fate in simulator.fates}
    shown = np.array(["death" in fates, simulator.arrest is not None, "commitment" in fates])  # as SHARES
    parts = [
        (arrays["course"], simulator.curve_times, names, simulator.units, ["mean"]),
        (arrays["spread"], simulator.readout_times, names, simulator.units, quantiles),
        (arrays["shares"][:, shown], simulator.curve_times, np.array(SHARES)[shown], ["1"] * shown.sum(), ["mean"]),
    ]
    frames = [
        pd.DataFrame({
            "arm": place["arm"], "donor": place["donor"], "replicate": 0,
            "time_h": np.repeat(times, len(quantities) * len(statistics)), "cell_type": kind,
            "quantity": np.tile(np.repeat(quantities, len(statistics)), len(times)),
            "statistic": np.tile(statistics, len(times) * len(quantities)),
            "value": values.ravel().astype(np.float32),
            "unit": np.tile(np.repeat(units, len(statistics)), len(times)),
        })
        for values, times, quantities, units, statistics in parts
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True).dropna(subset="value")


def _cells(place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    fates = arrays["fates"]
    frame = pd.DataFrame({"arm": place["arm"], "donor": place["donor"], "cell": np.arange(1, len(fates) + 1)})
    for column, name in enumerate((*measure.FATES, "arrest")):
        frame[f"{name}_h"] = fates[:, column]
    return frame
