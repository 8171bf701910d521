"""Interventions between two runs: treat cells, pour medium, split a culture, plate a sample of cells.

All of them act on the engine's `Cells`, in whole molecules, and are random only by streams named by the seed, the
intervention and, for cells, their lineage: never by their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import generator
from senexo.engine.population.control import uniforms
from senexo.engine.population.model import ROWS, Cells, Floats, Ints, Population

if TYPE_CHECKING:
    from senexo.study.schema import Action


def treat(
    population: Population,
    cells: Cells,
    actions: Iterable[Action],
    *,
    types: Collection[int] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Do actions to all cells, medium and pools of a well, in their order, in place.

    types: to cells of these places in `Population.types` alone; names: of what stands for what in their half of a well.
    What is done to molecules leaves whole ones: of 2.3 copies more, a cell gets 2 or 3 by chance of its own. What is
    done to a parameter holds for every type, also for cells that are yet to become one.
    InvalidInput for a target that no type has.
    """
    for number, action in enumerate(actions):
        target = (names or {}).get(action.target, action.target)
        words = ("treat", target, number, repr(cells.time))
        if target in population.pooled:
            place = population.pooled.index(target)
            after = _after(float(cells.pools[place]), action)
            cells.pools[place] = int(np.floor(after + generator(cells.seed, cells.replicate, *words).random()))
            continue
        places = [found for found in _places(population, target) if types is None or found[0] in types]
        chance = uniforms(cells.key, *words)
        for place, slot in places:
            mine = cells.type == place
            if slot in population.countable[place]:
                cells.values[mine, slot] = np.floor(_after(cells.values[mine, slot], action) + chance[mine])
            else:
                cells.values[mine, slot] = _after(cells.values[mine, slot], action)
                cells.base[place, slot] = _after(cells.base[place, slot], action)


def _after(value: Any, action: Action) -> Any:
    if action.operation == "set":
        return value * 0.0 + action.value
    return value * action.value if action.operation == "multiply" else value + action.value


def _places(population: Population, id: str) -> list[tuple[int, int]]:
    """Where a quantity of cells is: (type, slot)."""
    found = [
        (place, slot)
        for place, type in enumerate(population.types)
        for slot, info in enumerate(type.network.slots)
        if info.id == id
    ]
    if not found:
        raise InvalidInput([Fault("an action", repr(id), "a quantity of the cells or of a pool")])
    return found


def set_parameter(population: Population, cells: Cells, id: str, value: float) -> None:
    """One number for all cells, types and the medium."""
    for place, slot in _places(population, id):
        cells.values[cells.type == place, slot] = value
        cells.base[place, slot] = value


def keep(cells: Cells, chosen: NDArray[np.bool_]) -> Cells:
    """The well with only these cells; the others are taken out with what they hold."""
    fewer = cells.copy()
    for name in ROWS:
        setattr(fewer, name, getattr(cells, name)[chosen])
    return fewer


def subculture(cells: Cells, share: float) -> Cells:
    """A flask that is split: every cell stays with the chance `share`, and so does every molecule of the medium.

    This is a real sample, in which a rare type may be lost. With the medium goes its volume, so the copies per volume
    stay, and the cells that are left share less of it: what one takes up is for `senexo.lab.coupled.well` to scale.
    """
    return _with_medium(cells, uniforms(cells.key, "passage", repr(cells.time)) < share, share)


def sorted_for(population: Population, cells: Cells, names: Collection[str]) -> Cells:
    """Cells of these types alone go on, in as large a share of the medium as theirs of the cells."""
    places = [population.number(name) for name in names]
    chosen = np.isin(cells.type, places)
    return _with_medium(cells, chosen, float(chosen.mean()) if len(cells) else 1.0)


def _with_medium(cells: Cells, chosen: NDArray[np.bool_], share: float) -> Cells:
    """The chosen cells with a share of the medium."""
    fewer = keep(cells, chosen)
    chance = generator(cells.seed, cells.replicate, "passage", repr(cells.time))
    fewer.pools = chance.binomial(cells.pools, share).astype(np.int64)
    return fewer


def plate(
    population: Population,
    cells: Cells,
    numbers: Mapping[str, int],
    states: Mapping[str, Collection[str]] | None = None,
) -> Cells:
    """A new well at time 0 with so many cells of each type, drawn without replacement, in fresh medium.

    cells: a culture, of weights 1. states: the types that count as a type when its cells are picked (those in G0, say),
    besides itself. Births before are of negative times. SimulationError when there are too few cells of a type.
    """
    chosen = np.zeros(len(cells), dtype=bool)
    order = uniforms(cells.key, "plate")
    for name, n in numbers.items():
        places = [population.number(each) for each in (name, *(states or {}).get(name, ()))]
        mine = np.flatnonzero(np.isin(cells.type, places))
        if len(mine) < n:
            raise SimulationError(f"{len(mine)} cells of type {name} to plate from, {n} are asked for")
        chosen[mine[np.argsort(order[mine], kind="stable")[:n]]] = True
    fresh = keep(cells, chosen)
    fresh.born = fresh.born - cells.time
    fresh.wait[:, 0] -= cells.time
    fresh.pool_wait[:, 0] -= cells.time
    fresh.time, fresh.n_windows = 0.0, 0
    fresh.pools = np.zeros_like(cells.pools)
    for name in ("fired", "gone", "copied"):
        setattr(fresh, name, np.zeros_like(getattr(cells, name)))
    return fresh


def brought_together(population: Population, cultures: Sequence[tuple[Cells, Mapping[str, str]]]) -> Cells:
    """One well of plated cells of several cultures of one donor, each with new names for its types where they get some.

    What a type's new members will have comes from the first culture; a new name has what the old one has in its own.
    """
    first = cultures[0][0].copy()
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ROWS}
    for cells, names in cultures:
        places = np.arange(len(population.types))
        for old, new in names.items():
            places[population.number(old)] = population.number(new)
            first.base[population.number(new)] = cells.base[population.number(old)]
        for name in ROWS:
            parts[name].append(places[cells.type] if name == "type" else getattr(cells, name))
    for name in ROWS:
        setattr(first, name, np.concatenate(parts[name]))
    return first


def pour(population: Population, cells: Cells, copies: Ints | Floats) -> None:
    """Add medium that holds these copies of each pool species, in place."""
    cells.pools = cells.pools + np.asarray(copies, dtype=np.int64)


def drawn_off(population: Population, cells: Cells, share: float, *words: int | str) -> Ints:
    """The copies in a share of the well's medium, as a sister well of the same history would give them."""
    taken = generator(cells.seed, cells.replicate, "drawn off", repr(cells.time), *words).binomial(cells.pools, share)
    found: Ints = np.asarray(taken, dtype=np.int64)
    return found
