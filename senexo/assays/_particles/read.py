"""Particles released per cell and hour from nanoparticle tracking: dilution, blank, cells, time.

    medium = particles per mL as read x dilution,    rate = (medium - blank) x volume / (cells x hours)

The blank is medium that no cell has seen, treated alike. Its mean is subtracted; what that leaves uncertain is common
to all samples that share the blank, and does not show in the scatter of donors. A sample whose mean is not above the
limit of the blank (the one-sided 95 % prediction limit of as many blank readings) is below blank: its rate is only
known to lie under that of the limit. Armbruster DA, Pry T, Clin Biochem Rev 2008;29 Suppl 1:S49-52 (limit of blank).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays._particles.spec import SPEC
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Rule, at, check, likely

if TYPE_CHECKING:
    import pandas as pd

ASSUMED_CV = 0.25  # of one reading, where there is only one of the blank
RANGE = 1e7, 1e9  # particles per mL in which trackers count reliably
PER_FRAME = ("particles_per_frame", "frame_volume_nl")
_NUMBERS = ("volume_ml", "n_cells", "hours")


def _whole_samples(blank: str | None, per_frame: bool, where: str) -> Rule:
    """The blank is an arm; every other sample has a donor, cells, a volume and hours; no such number is 0.

    The blank may have 0 cells and 0 h: it has none.
    """

    def faults(rows: pd.DataFrame) -> list[Fault]:
        is_blank, arms = rows["arm"] == blank, list(dict.fromkeys(rows["arm"]))
        if blank is not None and blank not in arms:
            return [Fault(f"{where}: blank", f"'{blank}'", f"an arm of the table: {likely(blank, arms)}")]
        empty = [
            Fault(at(where, row, name), "an empty cell", what)
            for name, what in (("donor", "a name"), *((name, "a number > 0") for name in _NUMBERS))
            for row in rows.index[~is_blank & (rows[name].isna() | (rows[name] == ""))]
        ]
        positive = [*_NUMBERS, *(["n_cells_start"] if "n_cells_start" in rows else [])]
        positive += ["frame_volume_nl"] if per_frame else []
        return empty + [
            Fault(at(where, row, name), "'0'", "a number > 0")
            for name in positive
            for row in rows.index[(rows[name] == 0) & ~(is_blank & (name != "frame_volume_nl"))]
        ]

    return faults


def readings(table: pd.DataFrame, blank: str | None, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The checked table with `read` (particles per mL as diluted) and `medium` (undiluted) of every reading."""
    per_frame = "particles_per_ml" not in table.columns and "particles_per_frame" in table.columns
    passed = ("particles_per_ml",) if per_frame else PER_FRAME
    columns = [
        one.column(required=True if one.name in PER_FRAME else None) for one in SPEC.columns if one.name not in passed
    ]
    found = check(table, columns, where=where, key=SPEC.key, rules=[_whole_samples(blank, per_frame, where)])
    is_blank = found["arm"] == blank
    if is_blank.all():
        raise InvalidInput([Fault(f"{where}: column arm", f"only the blank {blank}", "samples of cells")])
    found["is_blank"] = is_blank
    found["batch"] = found.get("batch", "")
    found["read"] = (
        found["particles_per_frame"] / found["frame_volume_nl"] * 1e6 if per_frame else found["particles_per_ml"]
    )
    found["medium"] = found["read"] * found["dilution"]
    found["cell_hours"] = _mean_cells(found) * found["hours"]
    outside = int(((found["read"] < RANGE[0]) | (found["read"] > RANGE[1]))[~is_blank].sum())
    notes = ["no blank was named: rates include whatever the medium holds without cells"] if blank is None else []
    if outside:
        notes.append(
            f"{outside} of {int((~is_blank).sum())} readings lie outside 1e7 to 1e9 particles per mL, where tracking "
            "counts less reliably: dilute otherwise"
        )
    return found, notes


def blanks(found: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Mean and SD (on df degrees of freedom) of the blank of every batch, per mL of medium; empty without a blank.

    The SD is pooled over batches as a share of the mean. Where no batch has two readings of its blank, a CV of 25 % is
    assumed, as known (df infinite).
    """
    import pandas as pd

    columns = ["batch", "n_readings", "mean", "sd", "df"]
    mine = found[found["is_blank"]]
    if mine.empty:
        return pd.DataFrame(columns=columns), []
    groups = mine.groupby("batch", sort=False)["medium"]
    rows = groups.agg(["size", "mean"]).reset_index().set_axis(columns[:3], axis=1)
    df = len(mine) - len(rows)
    squares = float((((mine["medium"] / groups.transform("mean")) - 1.0).fillna(0.0) ** 2).sum())
    cv = math.sqrt(squares / df) if df else ASSUMED_CV
    rows["sd"], rows["df"] = cv * rows["mean"], float(df) if df else math.inf
    assumed = f"no blank was read twice: a CV of {100 * ASSUMED_CV:g} % of one reading is assumed"
    return rows, [] if df else [assumed]


def samples(found: pd.DataFrame, blank: pd.DataFrame, where: str) -> pd.DataFrame:
    """One row per arm and donor: what the medium holds, its blank and limit, and the rate; `below` the limit of blank.

    Readings of a sample are averaged. `by_blank`: by how much the log rate falls when the blank's mean rises by its
    standard error. Below blank, `rate` is that of the limit.
    """
    import pandas as pd
    from scipy.special import stdtrit

    mine = found[~found["is_blank"]]
    per_ml = mine["volume_ml"] / mine["cell_hours"]  # what one particle per mL is worth, per cell and hour
    mine = mine.assign(per_ml=per_ml, gross=mine["medium"] * per_ml)
    keys = ["arm", "donor", *(["batch"] if len(blank) else [])]
    sums = mine.groupby(keys, sort=False, as_index=False).agg(
        n_readings=("medium", "size"), medium=("medium", "mean"), per_ml=("per_ml", "mean"), gross=("gross", "mean"),
    )  # fmt: skip
    if len(blank):
        known = set(blank["batch"])
        faults = [
            Fault(f"{where}: batch {name}", "no reading of the blank", "a blank in every batch")
            for name in dict.fromkeys(sums["batch"])
            if name not in known
        ]
        again = sums[sums.duplicated(["arm", "donor"])]
        faults += [
            Fault(f"{where}: donor {row.donor}, arm {row.arm}", "readings in several batches", "one batch for each")
            for row in again.drop_duplicates(["arm", "donor"]).itertuples()
        ]
        if faults:
            raise InvalidInput(faults)
        sums = sums.merge(blank.rename(columns={"mean": "blank", "n_readings": "n_blank"}), on="batch", how="left")
    else:
        sums = sums.assign(batch="", blank=0.0, sd=0.0, n_blank=1, df=math.inf)
    quantile = np.where(np.isinf(sums["df"]), 1.6448536269514722, stdtrit(np.minimum(sums["df"], 1e9), 0.95))
    spread = np.sqrt(1.0 / sums["n_readings"] + 1.0 / sums["n_blank"])
    sums["limit"] = sums["blank"] + quantile * sums["sd"] * spread
    least, net = (sums["limit"] - sums["blank"]) * sums["per_ml"], sums["gross"] - sums["blank"] * sums["per_ml"]
    sums["below"] = net <= least
    sums["rate"] = np.maximum(net, least)
    silent = sums[sums["rate"] <= 0.0]
    if len(silent):
        raise InvalidInput([
            Fault(f"{where}: donor {row.donor}, arm {row.arm}", "no particle in any reading",
                  "a reading above 0, or a blank whose limit can stand for it")
            for row in silent.itertuples()
        ])  # fmt: skip
    blank_error = sums["sd"] / np.sqrt(sums["n_blank"]) * sums["per_ml"]
    sums["by_blank"] = np.where(sums["below"], 0.0, blank_error / sums["rate"])
    names = ["arm", "donor", "batch", "n_readings", "medium", "blank", "limit", "below", "rate", "by_blank"]
    return pd.DataFrame(sums[names])


def _mean_cells(found: pd.DataFrame) -> pd.Series:
    """Cells at the end, or the mean over the time where the start is known too: exponential growth in between."""
    if "n_cells_start" not in found:
        return found["n_cells"]
    end, start = found["n_cells"], found["n_cells_start"].fillna(found["n_cells"])
    grown = (end / start).map(math.log, na_action="ignore")
    return end.where(grown.abs() < 1e-9, (end - start) / grown.where(grown.abs() >= 1e-9, 1.0))
