"""From stored units to tidy tables and one labelled array: labels are put on here, and nowhere before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.lab import donors
from senexo.lab.lone import dish
from senexo.lab.lone.culture import Culture
from senexo.lab.lone.dish import Get, Unit
from senexo.model.cell_types import own_names

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Study


class Measured(Protocol):
    """What the tables of measurements need to know of a culture, of lone cells or of coupled ones."""

    targets: tuple[tuple[str, int | None, float], ...]
    readout_times: NDArray[np.float64]
    arrest: Any

    @property
    def fates(self) -> Sequence[Any]: ...


def tables(culture: Culture, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = culture.study
    yield "arms", arms(study)
    yield "parameters", parameters(study, culture.circuit)
    yield "donors", drawn(study)
    parts: dict[str, list[pd.DataFrame]] = {"timecourse": [], "cells": [], "senescence": [], "arrest": [], "qpcr": []}
    treated = list(study.arms.items())
    for unit in units:
        arrays = get(unit.chunk)
        name, arm = treated[unit.arm]
        place = {"arm": name, "family": arm.family, "dose_copies": number(arm.dose_copies), "donor": unit.donor}
        parts["timecourse"].append(_timecourse(culture, place, arrays))
        parts["cells"].append(_cells(place, arrays))
        parts["senescence"].append(senescence(culture, place, arrays))
        parts["arrest"].append(arrest(culture, place, arrays))
        parts["qpcr"].append(qpcr(culture, place, arrays))
    for part, frames in parts.items():
        table = pd.concat(frames, ignore_index=True)
        if len(table):
            yield part, table


def trajectories(folder: Path, culture: Culture, units: Sequence[Unit], get: Get) -> None:
    """Write the read-outs of every cell as a Zarr store, dims (arm, donor, cell, time, quantity), arm by arm."""
    import xarray as xr
    import zarr

    study = culture.study
    (kind,) = study.cells.values()
    coordinates: dict[str, Any] = {
        "arm": list(study.arms), "donor": np.arange(1, study.donors.n + 1), "cell": np.arange(1, kind.n + 1),
        "time": culture.readout_times, "quantity": list(study.readouts.names),
    }  # fmt: skip
    labels = xr.Dataset(coords=coordinates, attrs={"title": study.title, "seed": study.seed})
    labels["time"].attrs["units"] = "h"
    labels = labels.assign_coords(unit=("quantity", culture.units))
    labels.to_zarr(folder, mode="w", zarr_format=2, consolidated=False)
    shape = tuple(len(values) for values in coordinates.values())
    # version 2 of the format: what other languages' readers know, and text labels are part of it
    values = zarr.open_group(folder, mode="r+", zarr_format=2).create_array(
        "value", shape=shape, chunks=(1, *shape[1:]), dtype="float64", fill_value=np.nan,
        attributes={"_ARRAY_DIMENSIONS": list(coordinates), "long_name": "read-out of one living cell"},
    )  # fmt: skip
    for arm in range(shape[0]):
        values[arm] = np.stack([get(unit.chunk)["readouts"] for unit in units if unit.arm == arm])


def number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def arms(study: Study) -> pd.DataFrame:
    rows = [
        (name, arm.family, arm.agent, number(arm.dose_copies), _genotype(arm.genotype), arm.summary, position)
        for position, (name, arm) in enumerate(study.arms.items())
    ]
    return pd.DataFrame(rows, columns=["arm", "family", "agent", "dose_copies", "genotype", "summary", "position"])


def _genotype(actions: Sequence[Any]) -> str:
    return ", ".join(dict.fromkeys(f"{action.verb} {action.of}" for action in actions)) or "wild type"


def parameters(study: Study, circuit: Circuit | None) -> pd.DataFrame:
    """The circuit's table in its order, with the study's own draws where it departs, then the noise of measuring."""
    notes = {parameter.name: parameter.note for parameter in circuit.parameters} if circuit else {}
    names = own_names(circuit.cell_types) if circuit else {}
    for rule in circuit.cell_types if circuit else ():
        notes |= {names[rule.name][parameter.name]: parameter.note for parameter in rule.parameters}
    rows = [
        (name, d.value, d.low, d.high, d.law, d.unit, d.source, d.status, notes.get(name, ""))
        for name, d in study.donors.draws.items()
    ]
    how = study.replicates
    for name, about in how.about.items():
        numbers = how.reference_copies if name == "reference_copies" else {name: getattr(how, name)}
        note = "measuring" if name != "reference_copies" else "measuring: copies per cell"
        rows += [(n, v, v, v, "fixed", "", about.source, about.status, note) for n, v in numbers.items()]
    columns = ["name", "value", "low", "high", "law", "unit", "source", "status", "note"]
    return pd.DataFrame(rows, columns=columns)


def drawn(study: Study) -> pd.DataFrame:
    rows = [
        (donor, name, value)
        for donor in range(1, study.donors.n + 1)
        for name, value in donors.donor_values(study.donors.draws, study.seed, donor).items()
    ]
    return pd.DataFrame(rows, columns=["donor", "parameter", "value"])


def _timecourse(culture: Culture, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """`course` [c, q], `spread` [t, q, 3] and `shares` [c, 3] in long form.

    A simulated well has no replicates of its own (0). Values keep the seven digits of a float32: no curve needs more.
    """
    (kind,) = culture.study.cells
    names, quantiles = np.array(culture.study.readouts.names), list(dish.QUANTILES)
    fates = {fate.name for fate in culture.fates}
    told = np.array(["death" in fates, culture.arrest is not None, "commitment" in fates])  # as SHARES
    parts = [
        (arrays["course"], culture.curve_times, names, culture.units, ["mean"]),
        (arrays["spread"], culture.readout_times, names, culture.units, quantiles),
        (arrays["shares"][:, told], culture.curve_times, np.array(dish.SHARES)[told], ["1"] * told.sum(), ["mean"]),
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


def _cells(place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    fates = arrays["fates"]
    frame = pd.DataFrame({"arm": place["arm"], "donor": place["donor"], "cell": np.arange(1, len(fates) + 1)})
    for column, name in enumerate((*dish.FATES, "arrest")):
        frame[f"{name}_h"] = fates[:, column]
    return frame


def senescence(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    if all(fate.name != "commitment" for fate in culture.fates):
        return pd.DataFrame()
    counts = arrays["senescence"]
    r, t, _ = counts.shape
    return pd.DataFrame({
        **place, "replicate": np.repeat(np.arange(1, r + 1), t), "time_h": np.tile(culture.readout_times, r),
        "n_positive": counts[:, :, 0].ravel(), "n_total": counts[:, :, 1].ravel(),
    })  # fmt: skip


def arrest(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    if culture.arrest is None:
        return pd.DataFrame()
    counts = np.rint(arrays["arrest"]).astype(np.int64)  # the deterministic twin has fractions of cells
    return pd.DataFrame({
        **place, "replicate": 1, "time_h": culture.readout_times, "n_positive": counts[:, 0], "n_total": counts[:, 1],
    })  # fmt: skip


def qpcr(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    ct = arrays["ct"]
    r, t, p = ct.shape
    return pd.DataFrame({
        **place, "replicate": np.repeat(np.arange(1, r + 1), t * p),
        "time_h": np.tile(np.repeat(culture.readout_times, p), r),
        "target": np.tile([name for name, _, _ in culture.targets], r * t),
        "ct": ct.ravel(), "detected": ~np.isnan(ct.ravel()), "copies_true": np.tile(arrays["copies"].ravel(), r),
    })  # fmt: skip
