"""From stored units of coupled cells to tables and files: labels are put on here, and nowhere before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.engine.population.control import Resampled
from senexo.engine.population.model import Log
from senexo.lab import tables as common
from senexo.lab.coupled import lineages, readings, snapshots, states
from senexo.lab.coupled.design import WellDesign
from senexo.lab.coupled.readings import Place, Snapshot
from senexo.lab.experiment import Get, Unit
from senexo.lab.measurement import QUANTILES

ALL_CELLS = "all cells"  # the cell type of rows that hold for a whole well
BALANCE_FLOWS = ("before", "after", "made", "lost", "interventions")


def tables(design: WellDesign, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = design.study
    yield "arms", common.arms(study)
    yield "parameters", common.parameters(study, design.circuit)
    yield "donors", common.drawn(study)
    names = ("timecourse", "counts", "senescence", "arrest", "qpcr", "fates", "lineage", "balance", "ended_early")
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    for unit in units:
        arrays = get(unit.chunk)
        about = common.about(study, unit)
        place = Place(about["arm"], unit.donor)
        parts["timecourse"].append(_timecourse(design, place, arrays))
        parts["counts"].append(_counts(design, place, arrays))
        parts["senescence"].append(common.senescence(design, about, arrays))
        parts["arrest"].append(common.arrest(design, about, arrays))
        parts["qpcr"].append(common.qpcr(design, about, arrays))
        log = Log(arrays["log_time"], arrays["log_key"], arrays["log_channel"], arrays["log_weight"])
        resampled = Resampled(**{name: arrays[f"resampled_{name}"] for name in ("time", "key", "origin", "type")})
        parts["fates"].append(lineages.fates(design.population, place, log))
        first, last = _first(arrays), wells(design, arrays)[-1]
        parts["lineage"].append(lineages.lineages(design.population, place, first, log, last, resampled))
        parts["balance"].append(_balance(design, place, arrays))
        parts["ended_early"].append(_ended_early(place, arrays))
    for part, frames in parts.items():
        table = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
        if len(table):
            yield part, table


def empty_sentence(counts: pd.DataFrame | None) -> tuple[str, ...]:
    """Wells without a cell at their first read-out, by their arms; none where all have cells."""
    if counts is None:
        return ()
    first = counts[(counts["quantity"] == "cells") & (counts["time_h"] == counts["time_h"].min())]
    plated = first.groupby(["arm", "donor", "replicate"], sort=False)["value"].sum()
    empty = plated[plated == 0.0]
    if empty.empty:
        return ()
    arms = empty.groupby("arm", sort=False).size()
    named = ", ".join(f"{arm} ({n})" for arm, n in arms.items())
    return (
        f"{len(empty)} of {len(plated)} wells hold no cell at their first read-out: {named}. Nothing is seen in them.",
    )


def ended_sentence(ended: pd.DataFrame | None, wells: int) -> tuple[str, ...]:
    """How many wells ended before their time, and by which reasons; none where all reached it."""
    if ended is None:
        return ()
    kinds = ended["reason"].str.replace(r" at (time )?[0-9.e+]+( h)?", "", regex=True).value_counts()
    reasons = "; ".join(f"{reason} ({n})" for reason, n in kinds.items())
    return (f"{len(ended)} of {wells} wells ended before their time (table ended_early): {reasons}.",)


def keep_states(folder: Path, design: WellDesign, units: Sequence[Unit], get: Get) -> None:
    """States of all cells at the read-out times as one Zarr tree, a group per well (`senexo.lab.coupled.states`)."""
    names = list(design.study.arms)
    for unit in units:
        place = Place(names[unit.arm], unit.donor)
        states.put(folder, design.population, place, wells(design, get(unit.chunk)))


def keep_snapshot(path: Path, design: WellDesign, units: Sequence[Unit], get: Get) -> None:
    """All cells at the last read-out as one AnnData file (`senexo.lab.coupled.snapshots`)."""
    names, study = list(design.study.arms), design.study
    last = [(Place(names[unit.arm], unit.donor), wells(design, get(unit.chunk))[-1]) for unit in units]
    about: dict[str, str | int | float] = {"title": study.title, "seed": study.seed, "wiring": design.circuit.digest}
    flags = {"senescent": "Q", "G0": "G0"}
    ids = {info.id for info in design.lowered.slots}
    known = {state: id for state, id in flags.items() if id in ids}
    snapshots.write(path, snapshots.snapshot(design.population, last, states=known, about=about))


def wells(design: WellDesign, arrays: Mapping[str, NDArray[Any]]) -> list[Snapshot]:
    """The read-outs that a unit kept, in time."""
    ends = np.cumsum(arrays["rows"])
    found = []
    for k, (end, n) in enumerate(zip(ends, arrays["rows"], strict=True)):
        rows = slice(end - n, end)
        names = ("type", "key", "parent", "born", "values", "weight")
        cells = {name: arrays[name][rows] for name in names}
        cells["off_since"] = np.full(n, np.nan)
        found.append(Snapshot(time=float(arrays["at"][k]), pools=arrays["well_pools"][k], **cells))
    return found


def _first(arrays: Mapping[str, NDArray[Any]]) -> Snapshot:
    n = len(arrays["first_type"])
    type, key, parent, born = (arrays[f"first_{name}"] for name in ("type", "key", "parent", "born"))
    weight, since = np.ones(n, dtype=np.int64), np.full(n, np.nan)
    return Snapshot(0.0, type, key, parent, born, np.zeros((n, 0)), weight, np.zeros(0, dtype=np.int64), since)


def _ended_early(place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """A row for a well that ended before its time: when, and why."""
    why = arrays["ended"].tobytes().decode()
    rows = [(place.arm, place.donor, place.replicate, float(arrays["at"][-1]), why)] if why else []
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "time_h", "reason"])


def _timecourse(design: WellDesign, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Means per type of cell, quantiles over all cells, and shares of all cells, in long form."""
    names, times = list(design.study.readouts.names), design.curve_times
    frames = [
        _long(place, times, kind, names, design.units, ["mean"], arrays["of_types"][:, k])
        for k, kind in enumerate(design.types)
    ]
    shares = ["alive", "switch off", "senescent"]
    quantiles = list(QUANTILES)
    frames += [
        _long(place, times, ALL_CELLS, names, design.units, ["mean"], arrays["course"]),
        _long(place, design.readout_times, ALL_CELLS, names, design.units, quantiles, arrays["spread"]),
        _long(place, times, ALL_CELLS, shares, ["1"] * 3, ["mean"], arrays["shares"]),
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="value")


def _long(
    place: Place, times: NDArray[np.float64], kind: str, quantities: Sequence[str], units: Sequence[str],
    statistics: Sequence[str], values: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    n = len(statistics)
    return pd.DataFrame({
        "arm": place.arm, "donor": place.donor, "replicate": 0,
        "time_h": np.repeat(times, len(quantities) * n), "cell_type": kind,
        "quantity": np.tile(np.repeat(np.array(quantities), n), len(times)),
        "statistic": np.tile(np.array(statistics), len(times) * len(quantities)),
        "value": values.ravel().astype(np.float32), "unit": np.tile(np.repeat(np.array(units), n), len(times)),
    })  # fmt: skip


def _counts(design: WellDesign, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Cells of every type, with how many of them were followed, and copies in every pool along the curves."""
    where = readings.compartments(design.population)
    rows = []
    for k, when in enumerate(design.curve_times):
        about = (place.arm, place.donor, place.replicate, when)
        for kind, n, followed in zip(design.types, arrays["numbers"][k], arrays["followed"][k], strict=True):
            rows.append((*about, kind, "cells", n, readings.UNIT["cells"], followed))
        for species, copies in zip(design.population.pooled, arrays["pools"][k], strict=True):
            rows.append((*about, where[species], species, copies, readings.UNIT["pool"], np.nan))
    return pd.DataFrame(rows, columns=list(readings.COUNTS)).dropna(subset="value")


def _balance(design: WellDesign, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    rows = []
    kinds = len(design.types)
    for row in arrays["balances"]:
        begin, end, species = row[0], row[1], design.population.pooled[int(row[2])]
        about = (place.arm, place.donor, place.replicate, begin, end, species)
        before, after, made, lost, interventions = row[3:8]
        flows = dict(zip(BALANCE_FLOWS, (before, after, made, lost, interventions), strict=True))
        rows += [(*about, "", flow, value, readings.UNIT["pool"]) for flow, value in flows.items()]
        for flow, numbers in (("released", row[8 : 8 + kinds]), ("taken up", row[8 + kinds :])):
            rows += [
                (*about, kind, flow, n, readings.UNIT["pool"]) for kind, n in zip(design.types, numbers, strict=True)
            ]
    return pd.DataFrame(rows, columns=list(readings.BALANCE))
