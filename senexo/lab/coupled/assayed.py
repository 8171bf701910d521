"""The bench's tables of a run with coupled cells: what a lab would have counted in the same wells.

From the run's own tables: plated cells followed to their first fate, colonies that founders left, copies in both kinds
of cells and in the medium, particles in the medium. All are of the cells of the well, however many of them were
simulated. The assays judge them as they judge a lab's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import generator

Tables = Mapping[str, pd.DataFrame]
WELL = ["arm", "donor"]
FRAME = 5e7  # particles per mL at which they are read: within the range of tracking
CENSORED = "none yet"


def followed(tables: Tables, kinds: Sequence[str] = ()) -> pd.DataFrame:
    """Plated cells, each until its first fate; without one until the well ended.

    A cell that represents w plated ones has w rows: where plated cells were merged or split before their first fate,
    the rows are as many as were plated all the same, as population control pairs them among themselves.
    kinds: of these types alone, all if empty. Columns: arm, donor, cell, time_h, fate.
    """
    counts = tables["counts"]
    until = counts[counts["value"].notna()].groupby(WELL)["time_h"].max().rename("until")
    if "ended_early" in tables:
        until.update(tables["ended_early"].set_index(WELL)["time_h"])
    happened = tables["fates"].drop_duplicates([*WELL, "lineage"])[[*WELL, "lineage", "time_h", "fate", "weight"]]
    lineage = tables["lineage"].merge(happened, on=[*WELL, "lineage"], how="left", suffixes=("", "_fate"))
    first = lineage[_unfated(lineage)].merge(until.reset_index(), on=WELL)
    if kinds:
        first = first[first["cell_type"].isin(kinds)]
    open_ended = first["fate"].isna()
    first.loc[open_ended, "fate"] = CENSORED
    first["time_h"] = first["time_h"].where(~open_ended, first["until"])
    weight = first["weight_fate"].where(~open_ended, first["weight"]).astype(int)
    rows = first.loc[first.index.repeat(weight)]
    copy = rows.groupby(level=0).cumcount()
    rows["cell"] = rows["lineage"].where(copy == 0, rows["lineage"] + "#" + (copy + 1).astype(str))
    return rows[[*WELL, "cell", "time_h", "fate"]].reset_index(drop=True)


def _unfated(lineage: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of `lineage`, with the hour `time_h` of their first fate, stand for plated cells before theirs.

    Those plated, and clones split off such a cell before its first fate.
    """
    columns = [*WELL, "lineage", "parent", "origin", "born_h", "time_h"]
    waiting: dict[tuple[Any, Any, str], float] = {}
    found = []
    for arm, donor, cell, parent, origin, born, time in lineage[columns].itertuples(index=False):
        mine = origin == "plated" or (origin == "clone" and born <= waiting.get((arm, donor, parent), -np.inf))
        if mine:
            waiting[arm, donor, cell] = np.inf if np.isnan(time) else time
        found.append(mine)
    return np.array(found, dtype=bool)


def founded(tables: Tables, kinds: Sequence[str], least: int) -> pd.DataFrame:
    """Cells plated and colonies: founders with at least so many living descendants when the well ended.

    InvalidInput where cells were resampled: the descendants of one founder are then known in the mean alone.
    """
    lineage = tables["lineage"]
    resampled = lineage.loc[lineage["end"].eq("resampled") | lineage["origin"].eq("clone"), "arm"]
    if len(resampled):
        arms = ", ".join(sorted(resampled.unique()))
        seen = f"wells of which only a part of the cells was followed ({arms})"
        raise InvalidInput([Fault("assays: colonies", seen, "a larger culture.most_cells, so that all are followed")])
    rows = []
    plated = lineage[lineage["origin"] == "plated"]
    if kinds:
        plated = plated[plated["cell_type"].isin(kinds)]
    founders = plated.set_index([*WELL, "lineage"]).index
    for (arm, donor), well in lineage.groupby(WELL, sort=False):
        parent = dict(zip(well["lineage"], well["parent"], strict=True))
        origin: dict[str, str] = {}
        for cell in well["lineage"]:  # in the order of birth
            origin[cell] = origin.get(parent[cell], cell)
        living = well.loc[well["ended_h"].isna(), "lineage"].map(origin).value_counts()
        mine = [cell for cell in well["lineage"] if (arm, donor, cell) in founders]
        rows.append((arm, donor, int((living.reindex(mine).fillna(0) >= least).sum()), len(mine)))
    found = pd.DataFrame(rows, columns=[*WELL, "colonies", "cells_plated"])
    return found[found["cells_plated"] > 0].reset_index(drop=True)


def moved(
    tables: Tables, giving: Sequence[str], taking: Sequence[str], what: str, medium: Sequence[str]
) -> pd.DataFrame:
    """Copies of a read-out in all giving and in all taking cells of a well, and in the media.

    Wells without taking cells have none (empty), wells without giving cells are left out.
    """
    course, counts = tables["timecourse"], tables["counts"]
    mean = course[(course["quantity"] == what) & (course["statistic"] == "mean")]
    keys = [*WELL, "time_h"]
    numbers = counts[counts["quantity"] == "cells"]
    both = numbers.merge(mean, on=[*keys, "cell_type"], suffixes=("", "_of"))
    both = both.assign(copies=both["value"].astype(float) * both["value_of"].astype(float))
    first = numbers[numbers["time_h"] == 0]

    def held(kinds: Sequence[str], name: str) -> pd.Series[Any]:
        there = first[first["cell_type"].isin(kinds)].groupby(WELL)["value"].sum() > 0
        sums = both[both["cell_type"].isin(kinds)].groupby(keys)["copies"].sum().rename(name)
        wells = pd.MultiIndex.from_frame(numbers[keys].drop_duplicates())
        sums = sums.reindex(wells, fill_value=0.0)
        own = pd.MultiIndex.from_arrays([sums.index.get_level_values(level) for level in WELL])
        return sums.where(there.reindex(own, fill_value=False).to_numpy())

    found = pd.concat([held(giving, "donor_cells"), held(taking, "recipient_cells")], axis=1)
    if medium:
        free = counts[counts["quantity"].isin(medium)].groupby(keys)["value"].sum()
        found["vesicular"] = free.reindex(found.index)
    found = found.reset_index()
    return found.dropna(subset="donor_cells").sort_values(keys).reset_index(drop=True)


def tracked(
    tables: Tables, what: Sequence[str], cells_per_ml: float, cv: float, time_h: float | None, seed: int
) -> pd.DataFrame:
    """One reading of each well's medium by particle tracking, with the scatter of reading (lognormal, CV as asked)."""
    counts = tables["counts"]
    last = float(counts["time_h"].max()) if time_h is None else time_h
    here = counts[counts["time_h"] == last]
    rows = []
    for (arm, donor), well in here.groupby(WELL, sort=False):
        began = counts[(counts["arm"] == arm) & (counts["donor"] == donor) & (counts["time_h"] == 0)]
        plated = float(began.loc[began["quantity"] == "cells", "value"].sum())
        volume = plated / cells_per_ml
        held = float(well.loc[well["quantity"].isin(what), "value"].sum())
        cells = float(well.loc[well["quantity"] == "cells", "value"].sum())
        spread = np.sqrt(np.log1p(cv * cv))
        z = generator(seed, "particles", str(arm), str(donor), last.hex()).standard_normal()
        per_ml = held / volume * float(np.exp(spread * z - spread * spread / 2))
        thinned = max(1.0, per_ml / FRAME)
        rows.append((arm, donor, 1, per_ml / thinned, thinned, volume, cells, last, plated))
    columns = [*WELL, "replicate", "particles_per_ml", "dilution", "volume_ml", "n_cells", "hours", "n_cells_start"]
    found = pd.DataFrame(rows, columns=columns)
    return found[found["n_cells"] > 0].reset_index(drop=True)
