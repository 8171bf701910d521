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
from senexo.lab.coupled.community import Community
from senexo.lab.coupled.readings import Place, Reading
from senexo.lab.experiment import Get, Unit
from senexo.lab.measurement import QUANTILES

EVERYBODY = "all cells"  # the cell type of rows that hold for a whole well
BALANCE_FLOWS = ("before", "after", "made", "lost", "by hand")


def tables(community: Community, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = community.study
    yield "arms", common.arms(study)
    yield "parameters", common.parameters(study, community.circuit)
    yield "donors", common.drawn(study)
    names = ("timecourse", "counts", "senescence", "arrest", "qpcr", "fates", "lineage", "balance")
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    for unit in units:
        arrays = get(unit.chunk)
        about = common.about(study, unit)
        place = Place(about["arm"], unit.donor)
        parts["timecourse"].append(_timecourse(community, place, arrays))
        parts["counts"].append(_counts(community, place, arrays))
        parts["senescence"].append(common.senescence(community, about, arrays))
        parts["arrest"].append(common.arrest(community, about, arrays))
        parts["qpcr"].append(common.qpcr(community, about, arrays))
        log = Log(arrays["log_time"], arrays["log_key"], arrays["log_channel"], arrays["log_weight"])
        resampled = Resampled(**{name: arrays[f"resampled_{name}"] for name in ("time", "key", "origin", "type")})
        parts["fates"].append(lineages.fates(community.population, place, log))
        first, last = _first(arrays), wells(community, arrays)[-1]
        parts["lineage"].append(lineages.lineages(community.population, place, first, log, last, resampled))
        parts["balance"].append(_balance(community, place, arrays))
    for part, frames in parts.items():
        table = pd.concat(frames, ignore_index=True)
        if len(table):
            yield part, table


def keep_states(folder: Path, community: Community, units: Sequence[Unit], get: Get) -> None:
    """States of all cells at the read-out times as one Zarr tree, a group per well (`senexo.lab.coupled.states`)."""
    names = list(community.study.arms)
    for unit in units:
        place = Place(names[unit.arm], unit.donor)
        states.put(folder, community.population, place, wells(community, get(unit.chunk)))


def keep_snapshot(path: Path, community: Community, units: Sequence[Unit], get: Get) -> None:
    """All cells at the last read-out as one AnnData file (`senexo.lab.coupled.snapshots`)."""
    names, study = list(community.study.arms), community.study
    last = [(Place(names[unit.arm], unit.donor), wells(community, get(unit.chunk))[-1]) for unit in units]
    about: dict[str, str | int | float] = {"title": study.title, "seed": study.seed, "wiring": community.circuit.digest}
    flags = {"senescent": "Q", "G0": "G0"}
    ids = {info.id for info in community.lowered.slots}
    known = {state: id for state, id in flags.items() if id in ids}
    snapshots.write(path, snapshots.snapshot(community.population, last, states=known, about=about))


def wells(community: Community, arrays: Mapping[str, NDArray[Any]]) -> list[Reading]:
    """The read-outs that a unit kept, in time."""
    ends = np.cumsum(arrays["rows"])
    found = []
    for k, (end, n) in enumerate(zip(ends, arrays["rows"], strict=True)):
        rows = slice(end - n, end)
        names = ("type", "key", "parent", "born", "values", "weight")
        cells = {name: arrays[name][rows] for name in names}
        found.append(Reading(time=float(arrays["at"][k]), pools=arrays["well_pools"][k], **cells))
    return found


def _first(arrays: Mapping[str, NDArray[Any]]) -> Reading:
    n = len(arrays["first_type"])
    type, key, parent, born = (arrays[f"first_{name}"] for name in ("type", "key", "parent", "born"))
    weight = np.ones(n, dtype=np.int64)
    return Reading(0.0, type, key, parent, born, np.zeros((n, 0)), weight, np.zeros(0, dtype=np.int64))


def _timecourse(community: Community, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Means per type of cell, quantiles over all cells, and shares of all cells, in long form."""
    names, times = list(community.study.readouts.names), community.curve_times
    frames = [
        _long(place, times, kind, names, community.units, ["mean"], arrays["of_types"][:, k])
        for k, kind in enumerate(community.types)
    ]
    told = ["alive", "switch off", "senescent"]
    quantiles = list(QUANTILES)
    frames += [
        _long(place, times, EVERYBODY, names, community.units, ["mean"], arrays["course"]),
        _long(place, community.readout_times, EVERYBODY, names, community.units, quantiles, arrays["spread"]),
        _long(place, times, EVERYBODY, told, ["1"] * 3, ["mean"], arrays["shares"]),
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


def _counts(community: Community, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Cells of every type, with how many of them were followed, and copies in every pool along the curves."""
    where = readings.compartments(community.population)
    rows = []
    for k, when in enumerate(community.curve_times):
        about = (place.arm, place.donor, place.replicate, when)
        for kind, n, followed in zip(community.types, arrays["numbers"][k], arrays["followed"][k], strict=True):
            rows.append((*about, kind, "cells", n, readings.UNIT["cells"], followed))
        for species, copies in zip(community.population.pooled, arrays["pools"][k], strict=True):
            rows.append((*about, where[species], species, copies, readings.UNIT["pool"], np.nan))
    return pd.DataFrame(rows, columns=list(readings.COUNTS)).dropna(subset="value")


def _balance(community: Community, place: Place, arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    rows = []
    kinds = len(community.types)
    for row in arrays["balances"]:
        begin, end, species = row[0], row[1], community.population.pooled[int(row[2])]
        about = (place.arm, place.donor, place.replicate, begin, end, species)
        before, after, made, lost, by_hand = row[3:8]
        flows = dict(zip(BALANCE_FLOWS, (before, after, made, lost, by_hand), strict=True))
        rows += [(*about, "", flow, value, readings.UNIT["pool"]) for flow, value in flows.items()]
        for flow, numbers in (("released", row[8 : 8 + kinds]), ("taken up", row[8 + kinds :])):
            rows += [
                (*about, kind, flow, n, readings.UNIT["pool"]) for kind, n in zip(community.types, numbers, strict=True)
            ]
    return pd.DataFrame(rows, columns=list(readings.BALANCE))
