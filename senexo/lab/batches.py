"""Units of work kept in batches of a store, many to a chunk.

A chunk costs a file, two synchronisations with the disk and a transaction, some 25 ms together, and a unit of lone
cells takes less to simulate. Claims in named worlds have tens of thousands of them, so they are kept in batches: fixed
runs of the list of units, whatever the number of workers. A batch is written once all of its units are there, and a
killed run loses those that are not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from senexo.lab.units import simulate

if TYPE_CHECKING:
    from senexo.base.store import Store
    from senexo.lab.experiment import Arrays, Experiment, Unit

SIZE = 100  # units of a batch
BETWEEN = "|"  # the chunk name of a unit, and the name of one of its arrays


class Batches:
    """The units of one experiment in a store, under names that begin with `prefix`."""

    def __init__(self, store: Store, prefix: str, units: Sequence[Unit]) -> None:
        self.units = units
        self._store = store
        self._names = [f"{prefix}{start // SIZE:05d}" for start in range(0, len(units), SIZE)]
        self._place = {unit.chunk: number // SIZE for number, unit in enumerate(units)}
        self._read = functools.lru_cache(maxsize=4)(self._unpacked)

    def get(self, chunk: str) -> Arrays:
        """The arrays of one unit."""
        return self._read(self._place[chunk])[chunk]

    def simulate(self, experiment: Experiment, *, workers: int, say: Callable[[int, int], None]) -> None:
        """Simulate what the store does not have; `say` is called with the number done and that of all."""
        there = self._store.chunks()
        todo = [unit for unit in self.units if self._names[self._place[unit.chunk]] not in there]
        waiting: dict[int, dict[str, dict[str, Any]]] = {}
        sizes = [len(self.units[start : start + SIZE]) for start in range(0, len(self.units), SIZE)]
        count = len(self.units) - len(todo)

        def keep(unit: Unit, arrays: dict[str, Any]) -> None:
            nonlocal count
            place = self._place[unit.chunk]
            batch = waiting.setdefault(place, {})
            batch[unit.chunk] = arrays
            if len(batch) == sizes[place]:
                named = {f"{chunk}{BETWEEN}{name}": x for chunk, own in batch.items() for name, x in own.items()}
                self._store.put(self._names[place], named)
                del waiting[place]
            count += 1
            say(count, len(self.units))

        if todo:
            simulate(experiment, todo, keep, workers=workers)

    def _unpacked(self, place: int) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, array in self._store.get(self._names[place]).items():
            chunk, _, own = name.partition(BETWEEN)
            found.setdefault(chunk, {})[own] = array
        return found
