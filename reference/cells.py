"""Reference implementation of exact populations: plain Python, everything recomputed after every event.

The oracle of `senexo.engine.population.exact`, event by event for the same uniforms. Every cell is a direct method
with a stream of its own, whose waiting time is cut when others change its total hazard; the pools, as each type's
network sees them, are one more "cell" per type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reference.formulas import value
from reference.ssa import exponential
from senexo.base.streams import DRAW, derive, threefry
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.engine.population.model import Become, Cells, Divide, Fate, Partition, Population, SlotUpdate


@dataclass
class Cell:
    """One cell, or (number of the type, `medium`) the pools as a type sees them."""

    type: int
    key: tuple[int, int]
    born: float
    v: list[float]
    medium: bool = False
    weight: int = 1
    draws: int = 0
    wait: tuple[float, float, float] | None = None  # time, what is left, total hazard

    def word(self, n: int) -> tuple[int, int]:
        return threefry(derive(joined(self.key), "events"), (n, DRAW))


@dataclass
class Dish:
    """A population and everything that has happened: (time, key, name of reaction or fate)."""

    population: Population
    cells: list[Cell]
    pools: dict[str, int]
    reactions: list[tuple[list[LoweredReaction], list[LoweredReaction]]]  # per type: in cells, once
    time: float = 0.0
    happened: list[tuple[float, tuple[int, int], str]] = field(default_factory=list)

    def until(self, end: float) -> None:
        while True:
            dues = [self.due(cell) for cell in self.cells]
            soonest = min(dues)
            if soonest > end:
                self.time = end
                return
            cell = self.cells[dues.index(soonest)]
            self.time = soonest
            self.event(cell)

    def due(self, cell: Cell) -> float:
        """When this cell's next event is, its wait cut if its hazard is another than it was."""
        total = 0.0
        for a in self.hazards(cell):
            total += a
        if cell.wait is None:
            cell.wait = (self.time, exponential(cell.word(cell.draws)[0]), total)
        since, left, before = cell.wait
        if total != before:
            cell.wait = (self.time, max(0.0, left - (self.time - since) * before), total)
        since, left, total = cell.wait
        return since + left / total if total > 0.0 else math.inf

    def network(self, cell: Cell) -> Lowered:
        return self.population.types[cell.type].network

    def settle(self, cell: Cell) -> None:
        network = self.network(cell)
        for slot in self.population.in_pool(network):
            cell.v[slot] = self.pools[network.slots[slot].id]
        for rule in network.assignments:
            cell.v[rule.slot] = value(rule.math, cell.v, self.time)

    def channels(self, cell: Cell) -> tuple[list[LoweredReaction], list[Fate]]:
        mine, once = self.reactions[cell.type]
        return (once, []) if cell.medium else (mine, list(self.population.types[cell.type].fates))

    def hazards(self, cell: Cell) -> list[float]:
        self.settle(cell)
        reactions, fates = self.channels(cell)
        network = self.network(cell)
        found = [value(reaction.rate, cell.v, self.time) for reaction in reactions]
        return found + [cell.v[network.slot(fate.bound or fate.hazard)] for fate in fates]

    def event(self, cell: Cell) -> None:
        hazards = self.hazards(cell)
        reactions, fates = self.channels(cell)
        assert cell.wait is not None
        target, before = (cell.word(cell.draws)[1] >> 11) * 2.0**-53 * cell.wait[2], 0.0
        for place, a in enumerate(hazards):  # noqa: B007
            if before + a > target:
                break
            before += a
        cell.draws, cell.wait = cell.draws + 1, None
        if place < len(reactions):
            self.react(cell, reactions[place])
        else:
            self.fate(cell, fates[place - len(reactions)], (target - before) / a)

    def react(self, cell: Cell, reaction: LoweredReaction) -> None:
        self.happened.append((self.time, cell.key, reaction.id))
        network = self.network(cell)
        for change in reaction.changes:
            copies, id = int(value(change.coefficient, cell.v, self.time)), network.slots[change.slot].id
            cell.v[change.slot] += copies
            if id in self.pools:
                self.pools[id] += copies
                assert self.pools[id] >= 0
            assert cell.v[change.slot] >= 0

    def fate(self, cell: Cell, fate: Fate, inside: float) -> None:
        network = self.network(cell)
        age = self.population.types[cell.type].age
        if age is not None:
            cell.v[network.slot(age)] = self.time - cell.born
        self.settle(cell)
        if fate.bound is not None and inside * cell.v[network.slot(fate.bound)] >= cell.v[network.slot(fate.hazard)]:
            return
        self.happened.append((self.time, cell.key, fate.name))
        effect = fate.effect
        if isinstance(effect, Divide):
            self.divide(cell, effect)
        elif isinstance(effect, Become):
            cell.v = self.moved(cell.type, effect.type, cell.v, effect.sets)
            cell.type, cell.born = self.population.number(effect.type), self.time
        else:
            self.cells.remove(cell)

    def divide(self, cell: Cell, effect: Divide) -> None:
        network = self.network(cell)
        bits = Bits(derive(joined(cell.key), "partition"))
        pooled = set(self.population.in_pool(network))
        ruled = {rule.slot for rule in network.assignments}
        countable = {slot for slot, info in enumerate(network.slots) if info.kind == "species"} - pooled - ruled
        first, second = list(cell.v), list(cell.v)
        for slot in sorted(countable):
            rule = effect.partition.get(network.slots[slot].id, effect.otherwise)
            if rule.rule != "copied":
                first[slot] = bits.share(rule, int(cell.v[slot]))
                second[slot] = cell.v[slot] - first[slot]
        mother, old = cell.key, cell.type
        daughters = []
        for number, (type, v) in enumerate(((effect.first, first), (effect.second, second))):
            key, sets = derive(joined(mother), "daughter", number), (*effect.sets, *effect.each[number])
            moved = self.moved(old, type, v, sets)
            daughters.append(Cell(self.population.number(type), key, self.time, moved, weight=cell.weight))
        self.cells[self.cells.index(cell)] = daughters[0]
        self.cells.append(daughters[1])

    def moved(self, old: int, name: str, v: list[float], sets: tuple[SlotUpdate, ...]) -> list[float]:
        """The slots as the type `name`; here both types have the same network and values."""
        network, new = self.population.types[old].network, self.population.types[self.population.number(name)].network
        assert [info.id for info in network.slots] == [info.id for info in new.slots]
        after = list(v)
        for item in sets:
            slot, other = new.slot(item.target), item.value
            with_value = v[network.slot(other)] if isinstance(other, str) else other
            if item.operation == "set":
                after[slot] = with_value
            else:
                after[slot] = after[slot] * with_value if item.operation == "multiply" else after[slot] + with_value
        return after


@dataclass
class Bits:
    """Random bits of one division, in blocks of 128, each row of tosses taking the front of words of its own."""

    key: tuple[int, int]
    used: int = 0

    def heads(self, n: int) -> int:
        """How many of n tosses show 0."""
        found = 0
        while n > 0:
            words = threefry(self.key, (self.used, DRAW))
            self.used += 1
            for word in words:
                now = min(n, 64)
                found += bin(word >> (64 - now)).count("1") if now else 0
                n -= now
        return found

    def binomial(self, n: int, p: float) -> int:
        """Trials whose uniform is below p, compared bit by bit; what shows 1 counts as a 0 of the uniform."""
        if p >= 1.0:
            return n
        found = 0
        while n > 0 and p > 0.0:
            p *= 2.0
            zeros = self.heads(n)
            if p >= 1.0:
                p -= 1.0
                found, n = found + zeros, n - zeros
            else:
                n = zeros
        return found

    def share(self, rule: Partition, n: int) -> int:
        if rule.rule == "clustered":
            return self.binomial(n // rule.k, rule.p) * rule.k + self.binomial(1, rule.p) * (n % rule.k)
        if rule.rule == "ordered":
            return min(n, math.floor(n * rule.p) + self.binomial(1, n * rule.p - math.floor(n * rule.p)))
        return self.binomial(n, rule.p)


def joined(key: tuple[int, int]) -> int:
    return key[0] | key[1] << 64


def takes(reaction: LoweredReaction, pooled: set[int]) -> bool:
    """Whether it takes from a pool; such reactions come first in every row of hazards."""
    return any(change.slot in pooled and value(change.coefficient, [], 0.0) < 0 for change in reaction.changes)


def dish(population: Population, cells: Cells, once: set[str]) -> Dish:
    """The twin of a state at its beginning; `once`: the reactions among pools, told by whoever wrote the network."""
    reactions = []
    told: set[str] = set()
    for type in population.types:
        pooled = set(population.in_pool(type.network))
        here = sorted(type.network.reactions, key=lambda r: not takes(r, pooled))
        reactions.append(([r for r in here if r.id not in once], [r for r in here if r.id in once - told]))
        told |= {r.id for r in here}
    media = [
        Cell(place, derive(cells.seed, cells.replicate, "pool", place), 0.0, list(map(float, cells.base[place])), True)
        for place in range(len(population.types))
    ]
    own = [
        Cell(int(type), (int(key[0]), int(key[1])), 0.0, list(map(float, v)), weight=int(weight))
        for type, key, v, weight in zip(cells.type, cells.key, cells.values, cells.weight, strict=True)
    ]
    return Dish(population, [*media, *own], dict(zip(population.pooled, map(int, cells.pools), strict=True)), reactions)
