"""From stored units of mice to tidy tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.proportion import mean_share
from senexo.engine.host.leukaemia import STEM
from senexo.lab import tables as common

if TYPE_CHECKING:
    from senexo.lab.experiment import Arrays, Get, Unit
    from senexo.lab.lone.simulator import CellSimulator
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Mouse, Study

DAY_H = 24.0
MARROW, BLOOD, NUMBER, SENESCENT = "hCD45+ in marrow", "hCD45+ in blood", "stem cells", "senescent stem cells"
SPLIT = ("stem_cells", "expected", "probability", "low", "high")


class OfMice(Protocol):
    """What the tables need to know of the experiment."""

    study: Study
    mouse: Mouse
    circuit: Circuit | None
    simulator: CellSimulator

    @property
    def times_h(self) -> NDArray[np.float64]: ...


def tables(experiment: OfMice, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = experiment.study
    yield "arms", common.arms(study)
    yield "parameters", common.parameters(study, experiment.circuit)
    yield "donors", common.drawn(study)
    parts: dict[str, list[pd.DataFrame]] = {
        "timecourse": [],
        "mice": [],
        "growth": [],
        "grafts": [],
        "secondary": [],
        "splitting": [],
    }
    for unit in units:
        arrays, place = get(unit.chunk), common.about(study, unit)
        parts["timecourse"].append(_timecourse(experiment, place, arrays))
        parts["mice"].append(_mice(experiment, place, arrays))
        parts["growth"].append(_growth(experiment, place, arrays))
        parts["grafts"].append(_graft(place, arrays))
        parts["secondary"].append(_plate(place, arrays))
        if "rare" in arrays:
            parts["splitting"].append(pd.DataFrame([{**place, **dict(zip(SPLIT, arrays["rare"], strict=True))}]))
    for name, frames in parts.items():
        table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        if len(table):
            yield name, table
    yield "eradication", eradication(experiment, units, get)


def _timecourse(experiment: OfMice, place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """Means over the mice of a sample; a mouse that died counts as it was at its death."""
    marrow, blood = arrays["marrow"].astype(float), arrays["blood"].astype(float)
    stem = arrays["stem"].astype(float)
    values = {
        (MARROW + " cells", "cells"): marrow.mean(axis=0), (BLOOD + " cells", "cells"): blood.mean(axis=0),
        (NUMBER, "cells"): stem.sum(axis=2).mean(axis=0),
        (SENESCENT, "cells"): stem[:, :, STEM.index("L_s")].mean(axis=0),
        ("mice alive", "1"): (arrays["died_h"][:, None] > experiment.times_h).mean(axis=0),
    }  # fmt: skip
    return pd.concat(
        [
            pd.DataFrame({
                "arm": place["arm"], "donor": place["donor"], "replicate": 0, "time_h": experiment.times_h,
                "cell_type": experiment.simulator.cell_type, "quantity": quantity, "statistic": "mean",
                "value": course.astype(np.float32), "unit": unit,
            })
            for (quantity, unit), course in values.items()
        ],
        ignore_index=True,
    )  # fmt: skip


def _mice(experiment: OfMice, place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """One row per mouse: how long it lived, and whether it ever had the threshold in marrow when marrow was read."""
    end, threshold = experiment.mouse.end_h, experiment.mouse.threshold
    read = arrays["read_marrow"]
    died = arrays["died_h"]
    at_end = arrays["stem"][:, -1].sum(axis=1)
    engrafted = (np.nan_to_num(read, nan=0.0) >= threshold).any(axis=1)
    return pd.DataFrame({
        **place, "mouse": np.arange(1, len(died) + 1), "days": np.minimum(died, end) / DAY_H,
        "dead": (died <= end).astype(int), "engrafted": engrafted.astype(int),
        "homed_stem_cells": arrays["homed"][:, : len(STEM)].sum(axis=1), "stem_cells_at_end": at_end,
    })  # fmt: skip


def _growth(experiment: OfMice, place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """One row per mouse and time at which something was read: measured shares of human cells, true numbers beside."""
    when = experiment.mouse.times_h
    at = np.searchsorted(experiment.times_h, when)
    n, t = len(arrays["died_h"]), len(when)
    stem = arrays["stem"][:, at]
    frame = pd.DataFrame({
        **place, "mouse": np.repeat(np.arange(1, n + 1), t), "time_h": np.tile(when, n),
        "human_marrow": arrays["read_marrow"].ravel(), "human_blood": arrays["read_blood"].ravel(),
        "marrow_cells": arrays["marrow"][:, at].ravel(), "stem_cells": stem.sum(axis=2).ravel(),
        "senescent_stem_cells": stem[:, :, STEM.index("L_s")].ravel(),
    })  # fmt: skip
    return frame[frame["human_marrow"].notna() | frame["human_blood"].notna()].reset_index(drop=True)


def _graft(place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """One row per arm and sample: what was injected, and what the circuits did."""
    growing, senescent, escaped, dead = arrays["fates"]
    peak, last = arrays["commit"]
    return pd.DataFrame([{
        **place, "engrafts": int(arrays["injected"][1]), "injected": arrays["injected"][0],
        "viable": 1.0 - dead, "senescent": senescent, "escaped": escaped, "growing": growing, "commit_peak": peak,
        "commit_at_end": last,
    }])  # fmt: skip


def _plate(place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """The plate of secondary mice; doses for which no cells were left are not on it."""
    plate = arrays.get("plate", np.zeros((0, 3), np.int64))
    frame = pd.DataFrame(plate, columns=["dose", "tested", "response"])
    frame = frame.assign(**place)[[*place, "dose", "tested", "response"]]
    return frame[frame["tested"] > 0].reset_index(drop=True)


def eradication(experiment: OfMice, units: Sequence[Unit], get: Get) -> pd.DataFrame:
    """By arm and time the share of mice without any stem cell, with its interval, and the branching value.

    Samples that cannot engraft are left out: their mice never had a stem cell. The interval is one of the mean share
    over samples, in which mice of a sample are alike (`senexo.assays.stats.proportion.mean_share`); of one sample the
    exact binomial one. `expected` is the mean over samples of the branching process in the room of the twin; a mouse
    that died counts as it was at its death.
    """
    times = experiment.mouse.times_h
    at = np.searchsorted(experiment.times_h, times)
    rows = []
    for number, (name, arm) in enumerate(experiment.study.arms.items()):
        own = [get(unit.chunk) for unit in units if unit.arm == number]
        own = [arrays for arrays in own if arrays["injected"][1]]
        about = {"arm": name, "family": arm.family, "dose_copies": arm.dose_copies, "dose": arm.dose_label}
        for column, (time, row) in enumerate(zip(times, at, strict=True)):
            none = np.array([(arrays["stem"][:, row].sum(axis=1) == 0).sum() for arrays in own], np.int64)
            mice = np.full(len(own), experiment.mouse.mice)
            found = mean_share(none, mice) if own else Estimate(np.nan, 0.0, 1.0)
            rows.append({
                **about, "time_h": time, "n_samples": len(own), "n_mice": int(mice.sum()), "n_without": int(none.sum()),
                "share": found.value, "low": found.low, "high": found.high,
                "expected": float(np.mean([arrays["gone"][column] for arrays in own])) if own else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)
