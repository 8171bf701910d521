"""Many founders or dishes at once, by any of the engines that run populations of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from senexo.engine.formula.lower import lower
from senexo.engine.population.exact import run_exact
from senexo.engine.population.hybrid import run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, CellType, Divide, Fate, Leave, Population
from senexo.engine.population.partition import HybridPartition, with_continuous
from senexo.engine.population.splitting import run_split
from senexo.model.loading import load
from verify._laws import Floats, Ints

Engine = Literal["exact", "split", "hybrid"]
ENGINES: tuple[Engine, ...] = ("exact", "split", "hybrid")
TOGETHER = 20  # founders in a dish of an exact run, which looks at every cell for every event
AT_ONCE = 100  # dishes with a pool each that are run as one population


def sharing() -> Population:
    """The cells of `coupled.ant`: they divide, die and share a medium."""
    net = lower(load(Path(__file__).parent / "coupled.ant").network)
    fates = (Fate("division", "birth", Divide("A", "A")), Fate("death", "death", Leave()))
    return Population((CellType("A", net, fates),), pools=("medium",))


@dataclass(frozen=True)
class Grown:
    """What founders have become; rows are cells."""

    population: Population
    type: Ints
    born: Floats
    values: Floats

    def of(self, name: str, type: str | None = None) -> Ints:
        """A slot of all cells, or of those of one type."""
        slot = self.population.types[0].network.slot(name)
        mine = slice(None) if type is None else self.type == self.population.number(type)
        return self.values[mine, slot].astype(np.int64)


@cache
def partition(population: Population, continuous: frozenset[str]) -> HybridPartition:
    return with_continuous(population, continuous)


def run(
    engine: Engine,
    population: Population,
    cells: Cells,
    until: float,
    *,
    window: float,
    step: float | None = None,
    continuous: Sequence[str] = (),
) -> Cells:
    """One population on one thread; by `hybrid` only what `continuous` names is not event by event."""
    if engine == "exact":
        return run_exact(population, cells, until, keep_log=False)[0]
    if engine == "split":
        return run_split(population, cells, until, window=window, threads=1, keep_log=False)[0]
    parts = partition(population, frozenset(continuous))
    return run_hybrid(
        population, cells, until, window=window, step=step or window, partition=parts, threads=1, keep_log=False
    )[0]


def grow(
    engine: Engine,
    population: Population,
    founders: int,
    until: float,
    *,
    seed: int,
    window: float = 1.0,
    step: float | None = None,
    each: Mapping[str, Floats] | None = None,
    continuous: Sequence[str] = (),
) -> Grown:
    """Founders of the first type without a pool, so that how many share a dish is of no account.

    each: slot -> a value per founder. Their number, from 1 on, is the parameter `founder` (own value 1): it goes to
    all descendants, whatever their type.
    """
    first = population.types[0].name
    per_founder = {"founder": np.arange(1.0, founders + 1.0), **(each or {})}
    size = TOGETHER if engine == "exact" else founders
    parts = []
    for dish, at in enumerate(range(0, founders, size)):
        own = {slot: values[at : at + size] for slot, values in per_founder.items()}
        number = min(size, founders - at)
        begin = start(population, {first: number}, seed=seed, replicate=dish, overrides={first: own})
        after = run(engine, population, begin, until, window=window, step=step, continuous=continuous)
        parts.append((after.type, after.born, after.values))
    kind, born, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Grown(population, kind, born, values)


def dishes(
    engine: Engine,
    make: Callable[[int], tuple[CellType, ...]],
    cells: int,
    number: int,
    until: float,
    *,
    seed: int,
    window: float = 1.0,
    most: int | None = None,
) -> list[Ints]:
    """Copies in the pool, and of X in each of `most` cells (-1: no such cell), [dishes] each; they begin with `cells`.

    make(i) gives the types of a dish, the one to begin with first; its pool is the compartment `medium{i}` with one
    species. Windows cost little more for many dishes than for one: `AT_ONCE` of them are types of one population, each
    with a pool of its own.
    """
    at_once = 1 if engine == "exact" else AT_ONCE
    types = [make(i) for i in range(at_once)]
    population = Population(
        tuple(type for group in types for type in group), tuple(f"medium{i}" for i in range(at_once))
    )
    numbers = {group[0].name: cells for group in types}
    slot = types[0][0].network.slot("X")
    dish = np.repeat(np.arange(at_once), [len(group) for group in types])
    found = np.full((number // at_once, at_once, 1 + (most or cells)), -1)
    for replicate, dishes in enumerate(found):
        begin = start(population, numbers, seed=seed, replicate=replicate)
        after = run(engine, population, begin, until, window=window)
        mine = dish[after.type]
        order = np.argsort(mine, kind="stable")
        place = np.arange(len(mine)) - np.searchsorted(mine[order], mine[order])
        dishes[:, 0] = after.pools
        dishes[mine[order], 1 + place] = after.values[order, slot]
    return list(found.reshape(-1, found.shape[2]).T)
