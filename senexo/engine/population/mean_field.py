"""The deterministic twin of a population: numbers of cells, and what a cell of each type holds in the mean.

Of every type T it follows the number of cells N and the mean m of what one cell holds; laws and hazards are read at m:

    dN/dt = flows in - flows out,     N dm/dt = N sum of (copies x rate(m)) + sum of flows in x (brought - m),

and the pools get the sum over types of N x copies x rate. Cells that leave take the mean along and change nothing of
it; a division is one flow out and two in, each bringing its share, so growth dilutes by itself. The amounts N m would
say the same, but of a type with hardly a cell the mean would be a quotient of two rounding errors.
Exact where laws and hazards are linear and cells of a type are alike; otherwise it leaves out what spread does: noise,
and the memory of when a cell was born. That it does is its use: where it and the stochastic population part, noise
decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.network import Assigned, Lowered, LoweredReaction, SlotInfo
from senexo.engine.population.model import Become, Cells, Divide, Fate, Floats, Partition, Population, SlotUpdate
from senexo.engine.population.tables import compile_population
from senexo.engine.population.weights import weighted_mean
from senexo.model.expression import Call, Expression, Number, Slot

# Cells: below it a type counts as empty. Its means then stay at, or go back to, the type's own values, at `BACK` per
# time unit. Of N cells the means are off by about MIN_CELLS / N.
MIN_CELLS = 1e-7
BACK = 0.1


class MeanField:
    """A population's deterministic twin as a network, `lowered`, for `engine.ode`; small ones for `BatchODE` too.

    Its slots, by id: `cells(T)` the number of cells of a type, `T.s` a quantity s of T's network in one cell of T; pool
    species have their own names. Numbers of cells and molecules are fractions, and of a type that dies out they end
    within the solver's tolerance on either side of 0.
    UnsupportedFeature for hazards that read the age: no mean tells when a cell was born.
    """

    def __init__(self, population: Population) -> None:
        self.population, self._plan = population, compile_population(population)
        self._infos: list[SlotInfo] = []
        self._places: dict[str, int] = {}
        self._gains: dict[int, list[Expression]] = {}
        self._rules: list[Assigned] = []
        self._share: list[Slot] = []  # per type, 1 where it has cells and 0 where it has none
        for species in population.pooled:
            self._state(species)
        self._held = [self._followed(place) for place in range(len(population.types))]
        for place, type in enumerate(population.types):
            if type.age is not None:
                raise UnsupportedFeature("an age in mean_field", f"{type.age} of {type.name}")
            self._state(f"cells({type.name})")
            for slot in self._held[place]:
                self._state(f"{type.name}.{type.network.slots[slot].id}")
        for place, type in enumerate(population.types):
            for info in type.network.slots:
                if info.id not in population.pooled:
                    if f"{type.name}.{info.id}" not in self._places:
                        self._place(f"{type.name}.{info.id}", "parameter")
                    self._place(f"own({type.name}.{info.id})", "parameter")
            self._read(place)
        for place in range(len(population.types)):
            self._reactions(place, self._plan.networks[place].reactions, once=False)
            media = self._plan.networks[len(population.types) + place]
            self._reactions(place, media.reactions, once=True)
            for fate in population.types[place].fates:
                self._fate(place, fate)
        self.lowered = Lowered(
            slots=tuple(self._infos),
            values=np.zeros(len(self._infos)),
            initial=(),
            assignments=tuple(self._rules),
            rates=tuple(Assigned(slot, _sum(gains)) for slot, gains in self._gains.items()),
            rate_rules=(),
            reactions=(),
            events=(),
        )

    def start(self, cells: Cells) -> Floats:
        """The values [slots] that go on from a population: the means of its cells, its pools, its medium."""
        values = np.zeros(len(self._infos))
        for species, copies in zip(self.population.pooled, cells.pools, strict=True):
            values[self._places[species]] = copies
        for place, type in enumerate(self.population.types):
            mine, weight = cells.values[cells.type == place], cells.weight[cells.type == place]
            mean = weighted_mean(mine, weight) if len(mine) else cells.base[place]
            values[self._places[f"cells({type.name})"]] = weight.sum()
            for slot, info in enumerate(type.network.slots):
                if info.id not in self.population.pooled:
                    values[self._places[f"{type.name}.{info.id}"]] = mean[slot]
                    values[self._places[f"own({type.name}.{info.id})"]] = cells.base[place, slot]
        return values

    # ---- slots

    def _place(self, id: str, kind: str, *, changes: bool = False) -> int:
        self._places[id] = len(self._infos)
        self._infos.append(SlotInfo(id, kind, changes=changes))  # type: ignore[arg-type]
        return self._places[id]

    def _state(self, id: str) -> None:
        self._gains[self._place(id, "species", changes=True)] = []

    def _followed(self, place: int) -> list[int]:
        """The slots of a type that cells bring along: whole molecules, and what any fate sets."""
        network = self.population.types[place].network
        found = set(self.population.countable[place])
        for type in self.population.types:
            for fate in type.fates:
                for to, sets in _ends(fate):
                    if to == self.population.types[place].name:
                        found |= {network.slot(item.target) for item in sets}
        return sorted(found)

    def _slot(self, place: int, slot: int, *, own: bool = False) -> Expression:
        type = self.population.types[place]
        id = type.network.slots[slot].id
        if id in self.population.pooled:
            return Slot(self._places[id])
        return Slot(self._places[f"own({type.name}.{id})" if own else f"{type.name}.{id}"])

    def _here(self, place: int, math: Expression, *, own: bool = False) -> Expression:
        """A formula of a type's network, read in its mean cell, or (`own`) in the type's own values."""
        match math:
            case Slot(index):
                rules = {rule.slot: rule.math for rule in self.population.types[place].network.assignments}
                if own and index in rules:  # written in place: few formulas are read there
                    return self._here(place, rules[index], own=True)
                return self._slot(place, index, own=own)
            case Call(operator, arguments):
                return Call(operator, tuple(self._here(place, argument, own=own) for argument in arguments))
        return math

    def _name(self, place: int, slot: int) -> str:
        type = self.population.types[place]
        return f"{type.name}.{type.network.slots[slot].id}"

    def _rule(self, id: str, math: Expression) -> Slot:
        place = self._place(id, "parameter", changes=True)
        self._rules.append(Assigned(place, math))
        return Slot(place)

    def _number(self, place: int) -> Expression:
        return Slot(self._places[f"cells({self.population.types[place].name})"])

    # ---- what changes

    def _read(self, place: int) -> None:
        type = self.population.types[place]
        there = Call("plus", (self._number(place), Number(MIN_CELLS)))
        share = self._rule(f"{type.name}/there", Call("divide", (self._number(place), there)))
        self._share.append(share)
        back = Call("times", (Number(BACK), Call("minus", (Number(1.0), share))))
        for slot in self._held[place]:
            astray = Call("minus", (self._slot(place, slot, own=True), self._slot(place, slot)))
            self._gain(self._name(place, slot), Call("times", (back, astray)))
        for rule in type.network.assignments:
            id = f"{type.name}.{type.network.slots[rule.slot].id}"
            self._rules.append(Assigned(self._places[id], self._here(place, rule.math)))
        ruled = {rule.slot for rule in self._rules}
        self._infos = [replace(info, changes=info.changes or slot in ruled) for slot, info in enumerate(self._infos)]

    def _reactions(self, place: int, reactions: Sequence[LoweredReaction], *, once: bool) -> None:
        type = self.population.types[place]
        for reaction in reactions:
            rate: Expression = self._here(place, reaction.rate, own=once)
            if not once:
                rate = self._rule(f"{type.name}/{reaction.id}", rate)
            for change in reaction.changes:
                id = type.network.slots[change.slot].id
                if id not in self.population.pooled:
                    self._gain(f"{type.name}.{id}", Call("times", (change.coefficient, self._share[place], rate)))
                    continue
                cells = () if once else (self._number(place),)
                self._gain(id, Call("times", (change.coefficient, *cells, rate)))

    def _fate(self, place: int, fate: Fate) -> None:
        type = self.population.types[place]
        hazard = self._slot(place, type.network.slot(fate.hazard))
        number = self._number(place)
        self._gain(f"cells({type.name})", Call("minus", (Call("times", (hazard, number)),)))
        for which, (to, sets) in enumerate(_ends(fate)):
            new = self.population.number(to)
            self._gain(f"cells({to})", Call("times", (hazard, number)))
            there = Call("plus", (self._number(new), Number(MIN_CELLS)))
            flow = self._rule(
                f"{type.name}/{fate.name}/{which}", Call("divide", (Call("times", (hazard, number)), there))
            )
            for slot in self._held[new]:
                brought = self._brought(place, new, slot, fate, which, sets)
                apart = Call("minus", (brought, self._slot(new, slot)))
                self._gain(self._name(new, slot), Call("times", (flow, apart)))

    def _brought(self, old: int, new: int, slot: int, fate: Fate, which: int, sets: Sequence[SlotUpdate]) -> Expression:
        """What a cell that becomes `new` (of a division, daughter `which`) holds of one slot, in the mean."""
        source = int(self._plan.tables.source[old, new, slot])
        id = self.population.types[new].network.slots[slot].id
        if source < 0:
            value = self._slot(new, slot, own=True)
        elif old == new or source in self.population.countable[old] or slot in self.population.countable[new]:
            value = self._slot(old, source)
        else:
            value = self._in_proportion(old, source, new, slot)
        if source >= 0:
            value = self._shared(old, source, fate, which, value)
        for item in sets:
            if item.target != id:
                continue
            if isinstance(item.value, str):
                read = self.population.types[old].network.slot(item.value)
                given = self._shared(old, read, fate, which, self._slot(old, read))
            else:
                given = Number(item.value)
            operator = {"multiply": "times", "add": "plus"}.get(item.operation)
            value = given if operator is None else Call(operator, (value, given))
        return value

    def _in_proportion(self, old: int, source: int, new: int, slot: int) -> Expression:
        """A parameter keeps its ratio to the type's own value; see `Population`."""
        was, own = self._slot(old, source), self._slot(old, source, own=True)
        mine = self._slot(new, slot, own=True)
        scaled = Call("divide", (Call("times", (mine, was)), own))
        return Call("piecewise", (mine, Call("eq", (was, own)), was, Call("eq", (own, Number(0.0))), scaled))

    def _shared(self, old: int, slot: int, fate: Fate, which: int, value: Expression) -> Expression:
        """What daughter `which` gets of it, if the fate is a division and the slot counts molecules."""
        if not isinstance(fate.effect, Divide) or slot not in self.population.countable[old]:
            return value
        id = self.population.types[old].network.slots[slot].id
        rule = fate.effect.partition.get(id, fate.effect.otherwise)
        return Call("times", (Number(_share(rule, which)), value))

    def _gain(self, name: str, amount: Expression) -> None:
        self._gains[self._places[name]].append(amount)


def _ends(fate: Fate) -> list[tuple[str, tuple[SlotUpdate, ...]]]:
    """The types that a fate leads to, and what it sets in each."""
    match fate.effect:
        case Divide(first, second):
            one, two = fate.effect.each
            return [(first, (*fate.effect.sets, *one)), (second, (*fate.effect.sets, *two))]
        case Become(type):
            return [(type, fate.effect.sets)]
    return []


def _share(rule: Partition, which: int) -> float:
    return 1.0 if rule.rule == "copied" else (rule.p, 1.0 - rule.p)[which]


def _sum(terms: Sequence[Expression]) -> Expression:
    return Call("plus", tuple(terms)) if terms else Number(0.0)
