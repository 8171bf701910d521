"""A population at time 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from senexo.base.errors import SimulationError
from senexo.base.streams import derive
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.population.model import UNDRAWN, Cells, Population, lineage_keys
from senexo.engine.population.tables import compile_population


def start(
    population: Population,
    numbers: Mapping[str, int],
    *,
    seed: int,
    replicate: int = 0,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Cells:
    """A population at time 0.

    numbers: cells per type; overrides: type -> slot id -> a number (also the type's own value) or one per cell.
    Cell i, counted through the types in their order, has the lineage (seed, replicate, "cell", i).
    Raises `SimulationError` for amounts that are not whole.
    """
    width, n = population.width, sum(numbers.get(type.name, 0) for type in population.types)
    base, values, types = np.zeros((len(population.types), width)), [], []
    pools: dict[str, int] = {}
    for place, type in enumerate(population.types):
        given = (overrides or {}).get(type.name, {})
        each = {type.network.slot(id): value for id, value in given.items()}
        own = initial_values(type.network, {slot: value for slot, value in each.items() if np.ndim(value) == 0})
        base[place, : len(own)] = own
        count = numbers.get(type.name, 0)
        rows = np.zeros((count, width))
        rows[:, : len(own)] = initial_values(type.network, each, count)
        values.append(rows)
        types.append(np.full(count, place))
        for slot in population.in_pool(type.network):
            pools.setdefault(type.network.slots[slot].id, _whole(own[slot], type.network.slots[slot].id))
        for slot in population.countable[place]:
            for amount in np.unique(rows[:, slot]):
                _whole(amount, type.network.slots[slot].id)
    root = derive(seed, replicate, "cell")
    keys = lineage_keys(np.tile(np.array(root, dtype=np.uint64), (n, 1)), np.arange(n))
    made = compile_population(population)
    return Cells(
        seed, replicate, 0.0,
        type=np.concatenate(types).astype(np.int64),
        key=keys,
        parent=np.zeros((n, 2), dtype=np.uint64),
        born=np.zeros(n),
        draws=np.zeros(n, dtype=np.int64),
        wait=np.tile(UNDRAWN, (n, 1)),
        values=np.concatenate(values),
        weight=np.ones(n, dtype=np.int64),
        base=base,
        pools=np.array([pools[id] for id in population.pooled], dtype=np.int64),
        pool_draws=np.zeros(len(base), dtype=np.int64),
        pool_wait=np.tile(UNDRAWN, (len(base), 1)),
        fired=np.zeros(len(made.channels), dtype=np.int64),
        gone=np.zeros((len(base), width), dtype=np.int64),
        copied=np.zeros((len(base), width), dtype=np.int64),
    )  # fmt: skip


def _whole(amount: float, id: str) -> int:
    if not (amount >= 0.0 and amount == round(amount)):
        raise SimulationError(f"species {id} starts with {amount:g}, not a whole number of molecules")
    return int(amount)
