"""Window check: some wells of a study, simulated again with half the window of the operator splitting.

The pools are held constant during a window. The error of that falls at first order in the window or faster, so the
error with half the window is at most about the difference that is found here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.assays.stats.censored import paired_t
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.lab.experiment import Get, Unit, World
from senexo.lab.measurement import SHARES

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign

KEPT = ("course", "shares", "pools")
MEDIUM = "medium: "  # before the name of a species in it
COLUMNS = (
    "quantity", "time_h", "n_wells", "whole_window", "half_window", "scale", "change", "low", "high", "p_corrected",
)  # fmt: skip


def units(number: int | None, wells: Sequence[Unit]) -> list[Unit]:
    """As many of the study's wells as asked, evenly spread over arms and donors."""
    picked = np.unique(np.linspace(0, len(wells) - 1, number or 0).round().astype(int))
    return [replace(wells[k], world=World.WINDOW_CHECK) for k in picked]


def table(design: WellDesign, wells: Sequence[Unit], get: Get) -> pd.DataFrame:
    """Every quantity at the last read-out, with the whole window and with half of it, well by well.

    Means over the wells, and the mean change with its 95 % interval (Student's t, wells as they are paired): of cells,
    molecules and media relative to the middle of both (`scale` "relative"), of shares as it is ("difference");
    p_corrected by Holm over all quantities. Wells that show a quantity in one of both only are left out of it.
    """
    whole = np.array([_shown(design, get(replace(u, world=World.STUDY).chunk)) for u in wells])
    half = np.array([_shown(design, get(u.chunk)) for u in wells])
    names = ["cells", *SHARES[1:], *design.study.readouts.names]
    names += [f"{MEDIUM}{species}" for species in design.population.pooled]
    rows = []
    for k, name in enumerate(names):
        both = np.isfinite(whole[:, k]) & np.isfinite(half[:, k])
        if both.sum() < 2:
            continue
        before, after = whole[both, k], half[both, k]
        share = name in SHARES
        middle = 1.0 if share else np.where(before + after != 0.0, np.abs(before + after) / 2.0, 1.0)
        change = _mean((after - before) / middle)
        scale, last = "difference" if share else "relative", float(design.readout_times[-1])
        estimate = (change.value, change.low, change.high, change.p_value)
        rows.append((name, last, len(before), before.mean(), after.mean(), scale, *estimate))
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return found.assign(p_corrected=holm(found["p_corrected"].to_list()))


def sentence(window: float, found: pd.DataFrame, wells: int) -> str:
    """The check's result for the report, from its table and the number of all wells of the study."""
    windows = f"{window / 2.0:g} h instead of {window:g} h"
    if found.empty:
        return (
            f"Window check ({windows}): fewer than two of its wells reached the last read-out; the error of the window "
            "is not known."
        )
    head = f"Window check ({windows}, {found['n_wells'].max()} of {wells} wells, {found['time_h'].iloc[0]:g} h)"
    significant = found[found["p_corrected"] < 1.0 - LEVEL]
    if len(significant):
        changes = ", ".join(f"{row.quantity} {_change(row)}" for row in significant.itertuples())
        return f"{head}: significant difference: {changes} (95 % CI, Holm). Use a shorter culture.window."
    relative = found[found["scale"] == "relative"]
    widest = relative.iloc[(relative["high"] - relative["low"]).argmax()] if len(relative) else None
    tail = "" if widest is None else f"; widest 95 % CI: {widest['quantity']} {_range(widest)}"
    return f"{head}: no significant difference{tail}."


def _change(row: Any) -> str:
    unit = "%" if row.scale == "relative" else "points"
    return f"{100 * row.change:+.1f} {unit} ({100 * row.low:+.1f} to {100 * row.high:+.1f})"


def _range(row: Any) -> str:
    return f"{100 * row['low']:+.0f} to {100 * row['high']:+.0f} %"


def _shown(design: WellDesign, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Cells over those plated, shares, read-outs and media of one well at its last read-out."""
    at = int(np.searchsorted(design.curve_times, design.readout_times[-1]))
    return np.concatenate([arrays["shares"][at], arrays["course"][at], arrays["pools"][at]])


def _mean(change: NDArray[np.float64]) -> Estimate:
    """Mean over wells with its interval, and the p-value that it is 0; wells that all agree have no spread to go by."""
    if np.ptp(change) == 0.0:
        mean = float(change[0])
        return Estimate(mean, mean, mean, 0.0 if mean else 1.0)
    return paired_t(change)
