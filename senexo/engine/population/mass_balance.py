"""The mass balance of pools, where their copies came from and went, and the daughters of divisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from senexo.engine.population.kernel import DAUGHTER
from senexo.engine.population.model import Cells, Floats, Ints, Log, Population, Words, lineage_keys
from senexo.engine.population.tables import DIVIDE, EFFECT, TO, WHAT, compile_population


@dataclass(frozen=True)
class PoolBalance:
    """One pool species between two states, in whole molecules.

    pools after = before + sum(released) - sum(taken up) + made - lost + interventions. `released`, `taken_up`: per type
    of cell; `made`, `lost`: by reactions among pools, passage from and to other pools included; `interventions`: what a
    change of medium or a dose between runs added (negative: removed).
    """

    species: str
    before: int
    after: int
    released: dict[str, int]
    taken_up: dict[str, int]
    made: int
    lost: int
    interventions: int


def pool_balances(population: Population, before: Cells, after: Cells) -> tuple[PoolBalance, ...]:
    """The mass balance of every pool species from one state to a later one of the same population."""
    channels, fired = compile_population(population).channels, after.fired - before.fired
    found = []
    for pool, species in enumerate(population.pooled):
        released = dict.fromkeys((type.name for type in population.types), 0)
        taken, made, lost = dict(released), 0, 0
        for channel, n in zip(channels, fired.tolist(), strict=True):
            copies = channel.moved(species) * n
            if channel.once:
                made, lost = made + max(copies, 0), lost + max(-copies, 0)
            else:
                released[channel.type] += max(copies, 0)
                taken[channel.type] += max(-copies, 0)
        was, now = int(before.pools[pool]), int(after.pools[pool])
        change = sum(released.values()) - sum(taken.values()) + made - lost
        found.append(PoolBalance(species, was, now, released, taken, made, lost, now - was - change))
    return tuple(found)


@dataclass(frozen=True)
class Births:
    """Two rows per division, in order of time: `time`, `key` of the daughter, `parent`, `type` at birth."""

    time: Floats
    key: Words
    parent: Words
    type: Ints


def births(population: Population, log: Log) -> Births:
    """The daughters of every division in a log. Daughter d of a mother has derive(mother key, "daughter", d)."""
    from senexo.base.streams import TEXT, threefry

    tables = compile_population(population).tables
    effect = tables.effects[tables.channels[log.channel, EFFECT]]
    divided = effect[:, WHAT] == DIVIDE
    mothers, effect = log.key[divided], effect[divided]
    with np.errstate(over="ignore"):
        x, y = threefry((mothers[:, 0], mothers[:, 1]), (DAUGHTER, np.uint64(TEXT)))
    nursery = np.repeat(np.column_stack((x, y)), 2, axis=0)
    which = np.tile(np.arange(2), len(mothers))
    return Births(
        np.repeat(log.time[divided], 2),
        lineage_keys(nursery, which),
        np.repeat(mothers, 2, axis=0),
        effect[:, TO : TO + 2].reshape(-1),
    )
