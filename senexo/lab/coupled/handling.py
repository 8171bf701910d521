"""What hands do to a well between two runs: treat its cells, pour medium, split it, plate a sample of cells.

All of it is done to the engine's `Cells`, in whole molecules, and is random only by streams named by the seed, the deed
and, for cells, their lineage: never by their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import DRAW, derive, generator, threefry
from senexo.engine.population.model import Cells, Floats, Ints, Population
from senexo.engine.population.tables import plan

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
        chance = lots(cells, *words)
        for place, slot in places:
            mine = cells.type == place
            if slot in plan(population).countable[place]:
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


def lots(cells: Cells, *words: int | str) -> Floats:
    """One uniform of [0, 1) per cell, by its lineage and what it is for."""
    deed = derive(0, *words)
    with np.errstate(over="ignore"):
        keys = threefry((cells.key[:, 0], cells.key[:, 1]), (np.uint64(deed[0]), np.uint64(deed[1])))
        x, _ = threefry(keys, (np.uint64(0), np.uint64(DRAW)))
    share: Floats = (x >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share


def keep(cells: Cells, chosen: NDArray[np.bool_]) -> Cells:
    """The well with only these cells; the others are taken out with what they hold."""
    rows = ("type", "key", "parent", "born", "draws", "wait", "values")
    fewer = cells.copy()
    for name in rows:
        setattr(fewer, name, getattr(cells, name)[chosen])
    return fewer


def split_well(population: Population, cells: Cells, share: float) -> Cells:
    """A passage: every cell stays with the chance `share`, and so does every molecule of the medium.

    With the medium goes its volume, so the copies per volume stay, and the cells that are left share less of it: what
    one takes up is for `senexo.lab.coupled.well` to scale.
    """
    return _with_medium(cells, lots(cells, "passage", repr(cells.time)) < share, share)


def sort_well(population: Population, cells: Cells, names: Collection[str]) -> Cells:
    """A sort: cells of these types alone go on, in as large a share of the medium."""
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
    """A new well at time 0 with so many cells of each type, drawn without return, in fresh medium.

    states: the types that count as a type when its cells are picked (those in G0, say), besides itself. Births before
    are of negative times. SimulationError when there are too few cells of a type.
    """
    chosen = np.zeros(len(cells), dtype=bool)
    order = lots(cells, "plate")
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
    fresh.time, fresh.windows = 0.0, 0
    fresh.pools = np.zeros_like(cells.pools)
    for name in ("fired", "gone", "copied"):
        setattr(fresh, name, np.zeros_like(getattr(cells, name)))
    return fresh


def brought_together(population: Population, cultures: Sequence[tuple[Cells, Mapping[str, str]]]) -> Cells:
    """One well of plated cells of several cultures of one donor, each with new names for its types where they get some.

    What a type's new members will have comes from the first culture; a new name has what the old one has in its own.
    """
    first = cultures[0][0].copy()
    rows = ("type", "key", "parent", "born", "draws", "wait", "values")
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in rows}
    for cells, names in cultures:
        places = np.arange(len(population.types))
        for old, new in names.items():
            places[population.number(old)] = population.number(new)
            first.base[population.number(new)] = cells.base[population.number(old)]
        for name in rows:
            parts[name].append(places[cells.type] if name == "type" else getattr(cells, name))
    for name in rows:
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
