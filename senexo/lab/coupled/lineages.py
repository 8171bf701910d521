"""Lineages and fates of single cells: tables of a population's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from senexo.engine.population.control import Resampled
from senexo.engine.population.mass_balance import births
from senexo.engine.population.tables import BECOME, CLEAR, DIE, DIVIDE, EFFECT, WHAT, compile_population
from senexo.lab.coupled.readings import Place, Snapshot

if TYPE_CHECKING:
    from senexo.engine.population.model import Cells, Log, Population, Words

FATES = ("arm", "donor", "replicate", "time_h", "cell_type", "fate", "lineage", "weight")
LINEAGE = (
    "arm", "donor", "replicate", "lineage", "parent", "born_h", "cell_type", "origin", "ended_h", "end", "weight",
)  # fmt: skip
_ENDS = {DIVIDE: "divided", DIE: "died", CLEAR: "cleared"}


def lineage_names(keys: Words) -> list[str]:
    """[n, 2] words of 64 bits as 32 hexadecimal digits each; the parent of a first cell, (0, 0), as nothing.

    >>> lineage_names(np.array([[1, 255], [0, 0]], dtype=np.uint64))
    ['000000000000000100000000000000ff', '']
    """
    return [f"{high:016x}{low:016x}" if high or low else "" for high, low in keys.tolist()]


def fates(population: Population, place: Place, log: Log) -> pd.DataFrame:
    """One row per fate in the order of the log; `cell_type` is the type before it. Columns: `FATES`.

    `weight`: how many cells of the well the one represented that came to this fate; numbers of fates are its sums.
    """
    channels = compile_population(population).channels
    happened = [channels[channel] for channel in log.channel.tolist()]
    return pd.DataFrame({
        "arm": place.arm, "donor": place.donor, "replicate": place.replicate, "time_h": log.time,
        "cell_type": [channel.type for channel in happened], "fate": [channel.name for channel in happened],
        "lineage": lineage_names(log.key), "weight": log.weight,
    }, columns=list(FATES))  # fmt: skip


def lineages(
    population: Population,
    place: Place,
    begin: Cells | Snapshot,
    log: Log,
    end: Cells | Snapshot,
    resampled: Resampled | None = None,
) -> pd.DataFrame:
    """One row per cell that was there at `begin`, was born or split off since, in the order of time.

    log: everything that happened between `begin` and `end`; resampled: what population control did.
    `origin`: ``plated`` (there at `begin`), ``born``, or ``clone`` of `parent`, split off at `born_h`. `cell_type` is
    the type then (of a first cell, at `begin`, and `born_h` its birth or last change of type). `end`: ``divided``,
    ``died``, ``cleared``, ``alive``, ``became TYPE`` (alive, and no longer of the first type), ``resampled`` (merged
    away: the one it was paired with goes on for both) or ``removed`` (taken as a sample); `ended_h` is empty for the
    living and the removed. `weight`: how many cells it represented at its end, or now; 0 for resampled and removed. So
    sums of weights are numbers of cells of the well: of the living, of those that died. Columns: `LINEAGE`.
    """
    done = Resampled.none() if resampled is None else resampled
    born = births(population, log)
    later = np.concatenate((born.time, done.time[done.split]))
    order = np.concatenate((np.arange(len(begin)), len(begin) + np.argsort(later, kind="stable")))
    key = np.concatenate((begin.key, born.key, done.key[done.split]))[order]
    parent = np.concatenate((begin.parent, born.parent, done.origin[done.split]))[order]
    time = np.concatenate((begin.born, later))[order]
    type = np.concatenate((begin.type, born.type, done.type[done.split]))[order]
    origin = np.repeat(["plated", "born", "clone"], [len(begin), len(born.time), int(done.split.sum())])[order]
    names = [type.name for type in population.types]
    tables = compile_population(population).tables
    effects = tables.effects[tables.channels[log.channel, EFFECT]]
    last = np.flatnonzero(effects[:, WHAT] != BECOME)
    ended = {
        tuple(cell): (when, _ENDS[what], weight)
        for cell, when, what, weight in zip(
            log.key[last].tolist(), log.time[last].tolist(), effects[last, WHAT].tolist(), log.weight[last].tolist(),
            strict=True,
        )
    }  # fmt: skip
    merged = zip(done.key[~done.split].tolist(), done.time[~done.split].tolist(), strict=True)
    ended |= {tuple(cell): (when, "resampled", 0) for cell, when in merged}
    living = zip(end.key.tolist(), end.type.tolist(), end.weight.tolist(), strict=True)
    alive = {tuple(cell): (kind, weight) for cell, kind, weight in living}
    ends: list[tuple[float, str, int]] = []
    for cell, kind in zip(map(tuple, key.tolist()), type.tolist(), strict=True):
        if cell in ended:
            ends.append(ended[cell])
        elif cell not in alive:
            ends.append((np.nan, "removed", 0))
        else:
            now, weight = alive[cell]
            ends.append((np.nan, "alive" if now == kind else f"became {names[now]}", weight))
    return pd.DataFrame({
        "arm": place.arm, "donor": place.donor, "replicate": place.replicate, "lineage": lineage_names(key),
        "parent": lineage_names(parent), "born_h": time, "cell_type": [names[kind] for kind in type.tolist()],
        "origin": origin, "ended_h": [when for when, *_ in ends], "end": [what for _, what, _ in ends],
        "weight": [weight for *_, weight in ends],
    }, columns=list(LINEAGE))  # fmt: skip
