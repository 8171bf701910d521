"""Who descends from whom, and what became of everyone: tables of a population's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from senexo.engine.population.mass_balance import births
from senexo.engine.population.tables import BECOME, CLEAR, DIE, DIVIDE, EFFECT, WHAT, plan
from senexo.lab.coupled.readings import Place, Reading

if TYPE_CHECKING:
    from senexo.engine.population.model import Cells, Log, Population, Words

FATES = ("arm", "donor", "replicate", "time_h", "cell_type", "fate", "lineage")
LINEAGE = (
    "arm", "donor", "replicate", "lineage", "parent", "born_h", "cell_type", "ended_h", "end",
)  # fmt: skip
_ENDS = {DIVIDE: "divided", DIE: "died", CLEAR: "cleared"}


def lineage_names(keys: Words) -> list[str]:
    """[n, 2] words of 64 bits as 32 hexadecimal digits each; the parent of a first cell, (0, 0), as nothing.

    >>> lineage_names(np.array([[1, 255], [0, 0]], dtype=np.uint64))
    ['000000000000000100000000000000ff', '']
    """
    return [f"{high:016x}{low:016x}" if high or low else "" for high, low in keys.tolist()]


def fates(population: Population, place: Place, log: Log) -> pd.DataFrame:
    """One row per fate in the order of the log; `cell_type` is the type before it. Columns: `FATES`."""
    channels = plan(population).channels
    happened = [channels[channel] for channel in log.channel.tolist()]
    return pd.DataFrame({
        "arm": place.arm, "donor": place.donor, "replicate": place.replicate, "time_h": log.time,
        "cell_type": [channel.type for channel in happened], "fate": [channel.name for channel in happened],
        "lineage": lineage_names(log.key),
    }, columns=list(FATES))  # fmt: skip


def lineages(
    population: Population, place: Place, begin: Cells | Reading, log: Log, end: Cells | Reading
) -> pd.DataFrame:
    """One row per cell that was there at `begin` or was born since, in the order of birth.

    log: everything that happened between `begin` and `end`; of arrays kept in chunks, `Log(time, key, channel)`.
    `cell_type` is the type at birth (of a first cell, at `begin`, and `born_h` its birth or last change of type);
    `end`: ``divided``, ``died``, ``cleared``, ``alive``, ``became TYPE`` (alive, and no longer of the type at birth)
    or ``removed`` (by hand: passaged, taken as a sample); `ended_h` is empty for the living and the removed.
    Columns: `LINEAGE`.
    """
    born = births(population, log)
    key, parent = np.concatenate((begin.key, born.key)), np.concatenate((begin.parent, born.parent))
    time, type = np.concatenate((begin.born, born.time)), np.concatenate((begin.type, born.type))
    names = [type.name for type in population.types]
    tables = plan(population).tables
    effects = tables.effects[tables.channels[log.channel, EFFECT]]
    last = np.flatnonzero(effects[:, WHAT] != BECOME)
    ended = {
        tuple(cell): (when, _ENDS[what])
        for cell, when, what in zip(
            log.key[last].tolist(), log.time[last].tolist(), effects[last, WHAT].tolist(), strict=True
        )
    }
    alive = dict(zip(map(tuple, end.key.tolist()), end.type.tolist(), strict=True))
    ends = []
    for cell, kind in zip(map(tuple, key.tolist()), type.tolist(), strict=True):
        if cell in ended:
            ends.append(ended[cell])
        elif cell not in alive:
            ends.append((np.nan, "removed"))
        else:
            ends.append((np.nan, "alive" if alive[cell] == kind else f"became {names[alive[cell]]}"))
    return pd.DataFrame({
        "arm": place.arm, "donor": place.donor, "replicate": place.replicate, "lineage": lineage_names(key),
        "parent": lineage_names(parent), "born_h": time, "cell_type": [names[kind] for kind in type.tolist()],
        "ended_h": [when for when, _ in ends], "end": [what for _, what in ends],
    }, columns=list(LINEAGE))  # fmt: skip
