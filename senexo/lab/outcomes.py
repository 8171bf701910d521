"""What became of the plated cells: the table `outcomes`, made from the tables of a run.

Cells that divide: each plated cell counts 1, and each daughter inherits half of what its mother counted. So the shares
of living and dead descendants add up to the plated cells, and a clone that grows fast counts no more than one that
rests. With population control the estimate is weighted; merging and splitting keep its expectation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from senexo.study.schema import Study

G0, SENESCENT = "_G0", "_senescent"  # how circuits name the states of a cell type
STILL_H = 72.0  # without a division or a change of type: arrested
OUTCOMES = ("renewing", "resting", "arrested", "senescent", "differentiated", "dead")
COLUMNS = ("arm", "family", "dose_copies", "donor", "cell_type", "outcome", "became", "share")
WELL = ["arm", "donor"]


def outcomes(study: Study, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The share of the plated cells of every type, donor and arm that came to each outcome by the end.

    `outcome` is ``renewing`` (dividing and of the plated type; of cells that are not followed through divisions:
    cycling), ``resting`` (in G0), ``arrested`` (coupled cells: alive, of the plated type, and without a division or
    change of type for 72 h; independent cells: off for 72 h, not committed), ``senescent``, ``differentiated``
    (`became` names the type) or ``dead``. Empty where the run followed no single cells.
    """
    if "lineage" in tables:
        lineage = tables["lineage"].reset_index(drop=True)
        ends = _ends(lineage, tables.get("ended_early"), study.culture.duration_h)
        found = _of_lineages(lineage, tables.get("fates"), ends)
    elif "cells" in tables:
        found = _of_independent(tables["cells"], tables.get("arrest"), next(iter(study.cells)))
    else:
        return pd.DataFrame(columns=list(COLUMNS))
    arms = pd.DataFrame(
        [(name, arm.family, np.nan if arm.dose_copies is None else arm.dose_copies)
         for name, arm in study.arms.items()], columns=["arm", "family", "dose_copies"],
    )  # fmt: skip
    return found.merge(arms, on="arm", how="left")[list(COLUMNS)]


def _ends(cells: pd.DataFrame, early: pd.DataFrame | None, duration_h: float) -> NDArray[np.float64]:
    """Hour at which the well of every cell ended."""
    ends = np.full(len(cells), duration_h)
    if early is not None:
        known = early.set_index(WELL)["time_h"].reindex(pd.MultiIndex.from_frame(cells[WELL])).to_numpy(dtype=float)
        ends = np.where(np.isnan(known), ends, known)
    return ends


def _of_lineages(cells: pd.DataFrame, fates: pd.DataFrame | None, ends: NDArray[np.float64]) -> pd.DataFrame:
    """Outcomes of cells that divide, by the type that their first ancestor in the well had."""
    wells = cells.groupby(WELL, sort=False).ngroup()  # the arms of a donor start from the same cells
    own = pd.MultiIndex.from_arrays([wells, cells["lineage"]])
    parent = own.get_indexer(pd.MultiIndex.from_arrays([wells, cells["parent"]]))
    founder, generation = _ancestry(cells, parent)
    now = cells["end"].str.removeprefix("became ").where(cells["end"].str.startswith("became "), cells["cell_type"])
    plated = _plain(cells["cell_type"].to_numpy()[founder])
    counted = ~cells["end"].isin(["divided", "resampled", "removed"]).to_numpy()
    outcome = _outcome(cells, now.to_numpy(), plated, _last_event(cells, fates), ends)
    rows = pd.DataFrame({
        "arm": cells["arm"], "donor": cells["donor"], "cell_type": plated, "outcome": outcome,
        "became": np.where(outcome == "differentiated", _plain(now.to_numpy()), ""),
        "weight": cells["weight"].to_numpy(dtype=float) * 0.5**generation,
    })[counted]  # fmt: skip
    return _shares(rows)


def _ancestry(cells: pd.DataFrame, parent: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Row of the plated ancestor and number of divisions since, of every cell."""
    plated = (cells["origin"] == "plated").to_numpy() | (parent < 0)
    born = (cells["origin"] == "born").to_numpy()
    founder = np.where(plated, np.arange(len(cells)), -1)
    generation = np.zeros(len(cells), dtype=np.int64)
    waiting = np.flatnonzero(~plated)
    while len(waiting):
        known = founder[parent[waiting]] >= 0
        if not known.any():  # a circle of parents cannot be; such rows stand for themselves
            founder[waiting] = waiting
            break
        ready, waiting = waiting[known], waiting[~known]
        founder[ready] = founder[parent[ready]]
        generation[ready] = generation[parent[ready]] + born[ready]
    return founder, generation


def _last_event(cells: pd.DataFrame, fates: pd.DataFrame | None) -> NDArray[np.float64]:
    """Hour of every cell's birth or of its last change of type."""
    born = cells["born_h"].to_numpy(dtype=float)
    if fates is None:
        return born
    last = fates.groupby([*WELL, "lineage"])["time_h"].max()
    keys = pd.MultiIndex.from_frame(cells[[*WELL, "lineage"]])
    return np.fmax(born, last.reindex(keys).to_numpy(dtype=float))


def _outcome(
    cells: pd.DataFrame, now: NDArray[np.object_], plated: NDArray[np.object_], last: NDArray[np.float64],
    ends: NDArray[np.float64],
) -> NDArray[np.object_]:  # fmt: skip
    kind = _plain(now)
    return np.select(
        [
            cells["end"].isin(["died", "cleared"]).to_numpy(),
            kind != plated,
            np.array([name.endswith(SENESCENT) for name in now], dtype=bool),
            np.array([name.endswith(G0) for name in now], dtype=bool),
            last <= ends - STILL_H,
        ],
        ["dead", "differentiated", "senescent", "resting", "arrested"],
        "renewing",
    ).astype(object)


def _plain(names: Sequence[str] | NDArray[np.object_]) -> NDArray[np.object_]:
    """Types without the ending of their resting and senescent states."""
    return np.array([name.removesuffix(G0).removesuffix(SENESCENT) for name in names], dtype=object)


def _of_independent(cells: pd.DataFrame, arrest: pd.DataFrame | None, cell_type: str) -> pd.DataFrame:
    """Outcomes of cells that do not divide; how many are arrested is the last row of the table `arrest`."""
    dead = cells["death_h"].notna()
    senescent = ~dead & cells["commitment_h"].notna() & cells["escape_h"].isna()
    counts = pd.DataFrame({**cells[WELL], "dead": dead, "senescent": senescent, "n": 1}).groupby(WELL).sum()
    counts["arrested"] = 0
    if arrest is not None:
        last = arrest[arrest["time_h"] == arrest["time_h"].max()].groupby(WELL)["n_positive"].sum()
        stopped = last.reindex(counts.index, fill_value=0) - counts["senescent"]
        counts["arrested"] = stopped.clip(lower=0)
    counts["renewing"] = counts["n"] - counts["dead"] - counts["senescent"] - counts["arrested"]
    rows = counts.drop(columns="n").reset_index().melt(id_vars=WELL, var_name="outcome", value_name="weight")
    return _shares(rows.assign(cell_type=cell_type, became=""))


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Shares of every well's plated cells of a type; all wells of a type have the same outcomes."""
    found = []
    for cell_type, own in rows.groupby("cell_type", sort=False):
        wells = own.pivot_table("weight", WELL, ["outcome", "became"], aggfunc="sum", fill_value=0, sort=False)
        shares = wells.div(wells.sum(axis=1), axis=0).dropna()
        long = shares.melt(value_name="share", ignore_index=False).reset_index()
        found.append(long.assign(cell_type=cell_type))
    return pd.concat(found, ignore_index=True)
