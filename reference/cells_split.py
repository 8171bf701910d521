"""Reference implementation of populations in windows: plain Python, the oracle of `senexo.engine.population.splitting`.

The same events for the same uniforms: every cell alone while the pools are frozen, and the settlement of the pools
before and after, molecule numbers drawn down the same trees.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from reference.cells import Bits, Cell, Dish, dish, joined, takes
from reference.formulas import value
from senexo.base.streams import DRAW, derive, threefry
from senexo.engine.formula.network import LoweredReaction
from senexo.engine.population.model import Cells, Fate, Population

BLOCK = 256


@dataclass
class Windows(Dish):
    """`happened` lists the events of the cells, window by window; `settled` counts the molecules that were taken.

    `weights`: the same events as often as the cells' weights, by name.
    """

    seed: int = 0
    replicate: int = 0
    windows: int = 0
    settled: int = 0
    released: dict[str, int] = field(default_factory=dict)
    weights: Counter[str] = field(default_factory=Counter)

    def event(self, cell: Cell) -> None:
        before = len(self.happened)
        super().event(cell)
        for *_, name in self.happened[before:]:
            self.weights[name] += cell.weight

    def taking(self, cell: Cell) -> list[LoweredReaction]:
        mine, once = self.reactions[cell.type]
        pooled = set(self.population.in_pool(self.network(cell)))
        return [reaction for reaction in (once if cell.medium else mine) if takes(reaction, pooled)]

    def channels(self, cell: Cell) -> tuple[list[LoweredReaction], list[Fate]]:
        reactions, fates = super().channels(cell)
        return reactions[len(self.taking(cell)) :], fates

    def react(self, cell: Cell, reaction: LoweredReaction) -> None:
        self.happened.append((self.time, cell.key, reaction.id))
        network = self.network(cell)
        for change in reaction.changes:
            copies, id = int(value(change.coefficient, cell.v, self.time)), network.slots[change.slot].id
            if id in self.pools:
                self.released[id] += cell.weight * copies
            else:
                cell.v[change.slot] += copies
                assert cell.v[change.slot] >= 0

    def window(self, end: float) -> None:
        begin = self.time
        self.settle_pools(0, 0.5 * (end - begin))
        everybody, fresh, staying, daughters = self.cells, list[Cell](), list[Cell](), list[Cell]()
        self.released = dict.fromkeys(self.pools, 0)
        for cell in everybody:
            staying += self.alone(cell, begin, end, fresh)
            while fresh:
                daughters += self.alone(fresh.pop(0), begin, end, fresh)
        self.cells = staying + daughters
        for id, copies in self.released.items():
            self.pools[id] += copies
        self.time = end
        self.settle_pools(1, 0.5 * (end - begin))
        self.windows += 1

    def alone(self, cell: Cell, begin: float, end: float, fresh: list[Cell]) -> list[Cell]:
        """One cell to the end of the window; [] if it is gone by then. Second daughters are added to `fresh`."""
        self.time = max(begin, cell.born)
        while (due := self.due(cell)) <= end:
            self.time, self.cells = due, [cell]
            self.event(cell)
            if not self.cells:
                return []
            cell = self.cells[0]
            fresh += self.cells[1:]
        return [cell]

    def settle_pools(self, half: int, span: float) -> None:
        key = joined(derive(self.seed, self.replicate, "settle", self.windows, half))
        rates = []
        for cell in self.cells:
            self.settle(cell)
            rates.append([value(reaction.rate, cell.v, self.time) * cell.weight for reaction in self.taking(cell)])
        media = [Cell(type, (0, 0), 0.0, [], medium) for type in range(len(self.reactions)) for medium in (False, True)]
        most = max(len(self.taking(cell)) for cell in media)
        moved = dict.fromkeys(self.pools, 0)
        for place, id in enumerate(self.pools):
            taken = [
                [a if self.taken(cell, r) == id else 0.0 for a, r in zip(row, self.taking(cell), strict=True)]
                for cell, row in zip(self.cells, rates, strict=True)
            ]
            blocks = [taken[first : first + BLOCK] for first in range(0, len(taken), BLOCK)]
            weights = []
            for block in blocks:
                total = 0.0
                for row in block:
                    for rate in row:
                        total += rate
                weights.append(total)
            total = 0.0
            for weight in weights:
                total += weight
            if self.pools[id] <= 0 or total <= 0.0:
                continue
            heavy = any(cell.weight > 1 for cell in self.cells)
            bits = (ManyBits if heavy else Bits)(derive(key, place))
            leaving = bits.binomial(self.pools[id], -math.expm1(-total / self.pools[id] * span))
            moved[id] -= leaving
            self.settled += leaving
            for number, count in enumerate(scattered(weights, leaving, bits)):
                flat = [rate for row in blocks[number] for rate in row + [0.0] * (most - len(row))]
                flat += [0.0] * (BLOCK * most - len(flat))
                if not count:
                    continue
                own = (ManyBits if heavy else Bits)(derive(key, place, number))
                for leaf, copies in enumerate(scattered(flat, count, own)):
                    if copies:
                        cell = self.cells[number * BLOCK + leaf // most]
                        mine = own.binomial(copies, 1.0 / cell.weight)
                        self.give(cell, self.taking(cell)[leaf % most], copies, mine, id, moved)
        for id, copies in moved.items():
            self.pools[id] += copies

    def taken(self, cell: Cell, reaction: LoweredReaction) -> str:
        """The pool that a reaction takes from."""
        ids = [self.network(cell).slots[change.slot].id for change in reaction.changes]
        return next(
            id
            for id, change in zip(ids, reaction.changes, strict=True)
            if id in self.pools and value(change.coefficient, [], 0.0) < 0
        )

    def give(
        self, cell: Cell, reaction: LoweredReaction, copies: int, mine: int, pool: str, moved: dict[str, int]
    ) -> None:
        """Molecules for all cells that one represents; `mine` are its own."""
        self.weights[reaction.id] += copies
        for change in reaction.changes:
            id, each = self.network(cell).slots[change.slot].id, int(value(change.coefficient, [], 0.0))
            if id not in self.pools:
                cell.v[change.slot] += each * mine
            elif id != pool:
                moved[id] += each * copies


class ManyBits(Bits):
    """Where cells have weights: numbers of more than 1,024 trials by inversion or transformed rejection."""

    def pair(self) -> tuple[float, float]:
        words = threefry(self.key, (self.used, DRAW))
        self.used += 1
        return (words[0] >> 11) * 2.0**-53, (words[1] >> 11) * 2.0**-53

    def binomial(self, n: int, p: float) -> int:
        if n <= 1024 or p <= 0.0 or p >= 1.0:
            return super().binomial(n, p)
        q = min(p, 1.0 - p)
        found = self.inverted(n, q) if n * q < 10.0 else self.rejected(n, q)
        return found if p <= 0.5 else n - found

    def inverted(self, n: int, p: float) -> int:
        choice, share, found = self.pair()[0], math.exp(n * math.log1p(-p)), 0
        upto = share
        while choice >= upto and found < n and share > 0.0:
            share *= p / (1.0 - p) * (n - found) / (found + 1)
            found += 1
            upto += share
        return found

    def rejected(self, n: int, p: float) -> int:
        """Under the hat of Hoermann's BTRS; the logarithm of P(k) / P(mode) by factorials."""
        deviation, mode = math.sqrt(n * p * (1.0 - p)), math.floor((n + 1) * p)
        b = 1.15 + 2.53 * deviation
        a, alpha = -0.0873 + 0.0248 * b + 0.01 * p, (2.83 + 5.1 / b) * deviation
        while True:
            u, v = self.pair()
            u -= 0.5
            inside = 0.5 - abs(u)
            k = math.floor((2.0 * a / inside + b) * u + n * p + 0.5)
            if inside >= 0.07 and v <= 0.92 - 4.2 / b:
                return k
            if k < 0 or k > n or v <= 0.0:
                continue
            ratio = sum(math.lgamma(x + 1) - math.lgamma(y + 1) for x, y in ((mode, k), (n - mode, n - k)))
            if math.log(v * alpha / (a / inside**2 + b)) <= ratio + (k - mode) * math.log(p / (1.0 - p)):
                return k


def scattered(weights: list[float], count: int, bits: Bits) -> list[int]:
    """`count` molecules shared out by weights: at every node of a binary tree a binomial number goes to the left."""
    size = 1
    while size < len(weights):
        size *= 2
    heap = [0.0] * size + weights + [0.0] * (size - len(weights))
    for i in range(size - 1, 0, -1):
        heap[i] = heap[2 * i] + heap[2 * i + 1]
    counts = [0] * (2 * size)
    counts[1] = count
    for i in range(1, size):
        left = bits.binomial(counts[i], heap[2 * i] / heap[i]) if counts[i] else 0
        counts[2 * i], counts[2 * i + 1] = left, counts[i] - left
    return counts[size : size + len(weights)]


def windows(population: Population, cells: Cells, once: set[str]) -> Windows:
    """The twin of a state at its beginning; `once` as for `reference.cells.dish`."""
    made = dish(population, cells, once)
    return Windows(population, made.cells, made.pools, made.reactions, seed=cells.seed, replicate=cells.replicate)
