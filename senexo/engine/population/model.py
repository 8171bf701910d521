"""Populations of cells: what they are made of, and the state of one.

A population is pure reactions on whole molecules. Each type of cell has one network, of the cell together with its
medium. Species in the compartments called pools exist once for all cells, all others in every cell. What a reaction
changes or reads of a cell happens in every cell with that cell's values; one among pools alone happens once.
Fates are hazards of the cell: they divide it, change its type or end it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from threading import RLock
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import INTEGER, threefry
from senexo.engine.formula.evaluate import apply_assignments
from senexo.engine.formula.network import Lowered
from senexo.engine.population.rows import Floats, Ints, Rows, Words

ROWS = ("type", *Rows._fields[1:])  # of `Cells`: one row per cell
Made = TypeVar("Made")
UNDRAWN = np.array([0.0, -1.0, 0.0])  # of `Cells.wait`: the exponential of draw `draws` has not been made


@dataclass(frozen=True, slots=True)
class Partition:
    """How a division shares out the copies n of one species: what the first daughter gets, the second has the rest.

    binomial: each copy goes to the first with probability p; clustered: clusters of k do (the rest of n / k is one
    too); ordered: n p, rounded down or up by chance so that n p is the mean; copied: both daughters get n.
    """

    rule: Literal["binomial", "clustered", "ordered", "copied"] = "binomial"
    p: float = 0.5
    k: int = 1


@dataclass(frozen=True, slots=True)
class SlotUpdate:
    """One slot after a fate: set, multiplied or increased by a number, or by the value of another slot then."""

    target: str
    operation: Literal["set", "multiply", "add"]
    value: float | str


@dataclass(frozen=True, slots=True)
class Divide:
    """Two daughters of these types. Age and streams of the daughters begin anew.

    `sets` holds for both, then each of `each` for its one; values that are read are those of the daughter's share.
    """

    first: str
    second: str
    partition: Mapping[str, Partition] = field(default_factory=dict)
    otherwise: Partition = Partition()
    sets: tuple[SlotUpdate, ...] = ()
    each: tuple[tuple[SlotUpdate, ...], tuple[SlotUpdate, ...]] = ((), ())


@dataclass(frozen=True, slots=True)
class Become:
    """Another type, or the same one with slots set: commitment, escape, G0, differentiation. Age begins anew."""

    type: str
    sets: tuple[SlotUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """The cell is gone, and what it holds with it: dead, or cleared by others."""

    how: Literal["dies", "is cleared"] = "dies"


@dataclass(frozen=True, slots=True)
class Fate:
    """`hazard` (per time unit) is the id of a slot, as a rule one with an assignment rule over the cell's own values.

    A hazard that reads the age needs `bound`, a slot that does not and is never below it: the bound's events are
    thinned (Lewis & Shedler 1979, doi 10.1002/nav.3800260304), so the law is exact.
    """

    name: str
    hazard: str
    effect: Divide | Become | Leave
    bound: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CellType:
    """`age`: the parameter that holds the time since birth or the last change of type, if there is one."""

    name: str
    network: Lowered
    fates: tuple[Fate, ...] = ()
    age: str | None = None


class Kept:
    """What is worked out once for one object and kept as long as it lives; any thread may come first."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._values: dict[Hashable, Any] = {}

    def get(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gave at the first call with this name."""
        with self._lock:
            if name not in self._values:
                self._values[name] = make()
            found: Made = self._values[name]
            return found


@dataclass(frozen=True, eq=False)
class Population:
    """Types of cells and the compartments that are pools. Reactions in `per_cell` happen in every cell in any case.

    Every species of a cell that no rule determines is whole molecules, shared out at division: a gene, whose copies
    both daughters have, needs a `Partition` that copies it, even where no reaction changes it.
    A cell that becomes another type keeps its species; a parameter of both types keeps its ratio to the type's
    own value, so a cell that is 10 % above the old type's is 10 % above the new one's.
    """

    types: tuple[CellType, ...]
    pools: tuple[str, ...] = ()
    per_cell: tuple[str, ...] = ()
    kept: Kept = field(default_factory=Kept, init=False, repr=False)

    def number(self, name: str) -> int:
        """The place of a type; `InvalidInput` when there is none."""
        for place, type in enumerate(self.types):
            if type.name == name:
                return place
        names = ", ".join(type.name for type in self.types)
        raise InvalidInput([Fault("cell type", repr(name), f"one of {names}")])

    @property
    def width(self) -> int:
        return max(len(type.network.slots) for type in self.types)

    def in_pool(self, network: Lowered) -> list[int]:
        """The slots of the species that are in pools."""
        return [
            slot
            for slot, info in enumerate(network.slots)
            if info.kind == "species" and network.slots[info.compartment].id in self.pools
        ]

    @property
    def countable(self) -> tuple[tuple[int, ...], ...]:
        """Per type, the slots of the cell's own whole molecules.

        Every species of the cell that no rule determines, also one that no reaction changes (an enzyme, a dose).
        """

        def find() -> tuple[tuple[int, ...], ...]:
            found = []
            for type in self.types:
                network = type.network
                left_out = {*self.in_pool(network), *(rule.slot for rule in network.assignments)}
                slots = (slot for slot, info in enumerate(network.slots) if info.kind == "species")
                found.append(tuple(slot for slot in slots if slot not in left_out))
            return tuple(found)

        return self.kept.get("countable", find)

    @property
    def pooled(self) -> tuple[str, ...]:
        """The species in pools, of all types, in the order they are met."""

        def find() -> tuple[str, ...]:
            found = (t.network.slots[slot].id for t in self.types for slot in self.in_pool(t.network))
            return tuple(dict.fromkeys(found))

        return self.kept.get("pooled", find)


@dataclass
class Cells:
    """Everything that a run goes on from; nothing else is remembered.

    Rows of a cell (`ROWS`): `type`, `key` of its lineage and its `parent`'s (0, 0 for the first ones), `born`, `values`
    (per slot of its type's network, rules and age as they are at `time`), `weight` = how many cells it represents (a
    power of two, 1 at the start; daughters inherit it), and its stream: `draws` used and `wait` =
    (time of the last draw or cut, what was left of the exponential then, total hazard since). `base`: per type, the
    values that reactions among pools read and a change of type goes by. `pools`: copies of each of
    `Population.pooled`, of the whole well. `fired`: events per channel, in the order of
    `CompiledPopulation.channels`; `gone`: copies that left with their cell, per type and slot; `copied`: copies that
    divisions added; these three count the event of a cell as often as its weight. To dose, or to change the medium,
    edit `values`, `base` and `pools` between two runs.
    """

    seed: int
    replicate: int
    time: float
    type: Ints
    key: Words
    parent: Words
    born: Floats
    draws: Ints
    wait: Floats
    values: Floats
    weight: Ints
    base: Floats
    pools: Ints
    pool_draws: Ints
    pool_wait: Floats
    fired: Ints
    gone: Ints
    copied: Ints
    n_windows: int = 0

    def __len__(self) -> int:
        return len(self.type)

    def copy(self) -> Cells:
        """The same, sharing nothing: the start of another future."""
        changes: dict[str, Any] = {name: value.copy() for name, value in self.arrays().items()}
        return replace(self, **changes)

    def rows(self) -> Rows:
        return Rows(*(getattr(self, name) for name in ROWS))

    def arrays(self) -> dict[str, NDArray[Any]]:
        found = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in found if isinstance(value, np.ndarray)}

    def digest(self) -> str:
        """SHA-256 of the whole state."""
        content = sha256(repr((self.seed, self.replicate, self.time)).encode())
        for name, value in self.arrays().items():
            content.update(f"{name}{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        return content.hexdigest()

    def of(self, population: Population, name: str) -> Floats:
        """Values of all cells of a type now, [cells, slots], assignment rules and age up to date."""
        place = population.number(name)
        type = population.types[place]
        mine = self.type == place
        values = self.values[mine, : len(type.network.slots)].copy()
        for pool, id in enumerate(population.pooled):
            slots = [slot for slot in population.in_pool(type.network) if type.network.slots[slot].id == id]
            values[:, slots] = self.pools[pool]
        if type.age is not None:
            values[:, type.network.slot(type.age)] = self.time - self.born[mine]
        apply_assignments(type.network, values, self.time)
        return values


@dataclass
class Log:
    """Fates of cells in a run, in order: time, lineage key, channel (`CompiledPopulation.channels`) and weight.

    `complete` says that `until` was reached; else `reason` says what limit ended the run before.
    """

    time: Floats
    key: Words
    channel: Ints
    weight: Ints
    complete: bool = True
    reason: str = ""


def lineage_keys(keys: Words, word: Ints) -> Words:
    """Row by row, the key that a whole number derives from a key: `base.streams.derive` for many."""
    with np.errstate(over="ignore"):
        x, y = threefry((keys[:, 0], keys[:, 1]), (word.astype(np.uint64), np.uint64(INTEGER)))
    return np.column_stack((x, y))
