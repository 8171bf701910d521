"""The deterministic twin of a population: numbers of cells, and what all cells of a type hold together.

Of every type T it follows the number of cells N and the amounts A of what cells of T hold in all; a cell holds the mean
a = A / N, and laws and hazards are read at it:

    dA/dt = N sum of (copies x rate(a)) + what fates bring and take,     dN/dt likewise,     pools: the sum over types.

A division moves A with the cells, so growth dilutes by itself. Exact where laws and hazards are linear and cells of a
type are alike; otherwise it leaves out what spread does: noise, and the memory of when a cell was born. That it does is
its use: where it and the stochastic population part, noise decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from senexo.base.errors import UnsupportedFeature
from senexo.engine.cells import Become, Cells, Divide, Fate, Floats, Partition, Population, Set
from senexo.engine.cells_tables import plan
from senexo.engine.lowered import Assigned, Lowered, LoweredReaction, SlotInfo
from senexo.model.expression import Call, Expression, Number, Slot

NOBODY = 1e-9  # cells: below it a type counts as empty, and its laws are read at the type's own values


class MeanField:
    """A population's deterministic twin as a network, `lowered`, for `engine.ode`; small ones for `BatchODE` too.

    Its slots, by id: `cells(T)` the number of cells of a type, `T.s` a quantity s of T's network in one cell of T,
    `all(T.s)` what all of them hold together; pool species have their own names.
    UnsupportedFeature for hazards that read the age: no mean tells when a cell was born.
    """

    def __init__(self, population: Population) -> None:
        self.population, self._plan = population, plan(population)
        self._infos: list[SlotInfo] = []
        self._places: dict[str, int] = {}
        self._gains: dict[int, list[Expression]] = {}
        self._rules: list[Assigned] = []
        for species in population.pooled:
            self._state(species)
        self._held = [self._followed(place) for place in range(len(population.types))]
        for place, type in enumerate(population.types):
            if type.age is not None:
                raise UnsupportedFeature("an age in mean_field", f"{type.age} of {type.name}")
            self._state(f"cells({type.name})")
            for slot in self._held[place]:
                self._state(f"all({type.name}.{type.network.slots[slot].id})")
        for place, type in enumerate(population.types):
            for info in type.network.slots:
                if info.id not in population.pooled:
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
            mine = cells.values[cells.type == place]
            mean = mine.mean(axis=0) if len(mine) else cells.base[place]
            values[self._places[f"cells({type.name})"]] = len(mine)
            for slot, info in enumerate(type.network.slots):
                if info.id not in self.population.pooled:
                    values[self._places[f"{type.name}.{info.id}"]] = mean[slot]
                    values[self._places[f"own({type.name}.{info.id})"]] = cells.base[place, slot]
            for slot in self._held[place]:
                total = mine[:, slot].sum()
                values[self._places[f"all({type.name}.{type.network.slots[slot].id})"]] = total
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
        found = set(self._plan.countable[place])
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

    def _number(self, place: int) -> Expression:
        return Slot(self._places[f"cells({self.population.types[place].name})"])

    # ---- what changes

    def _read(self, place: int) -> None:
        type = self.population.types[place]
        present = Call("plus", (self._number(place), Number(NOBODY)))
        for slot in self._held[place]:
            id = f"{type.name}.{type.network.slots[slot].id}"
            nominal = Call("times", (Number(NOBODY), Slot(self._places[f"own({id})"])))
            held = Call("plus", (Slot(self._places[f"all({id})"]), nominal))
            self._rules.append(Assigned(self._places[id], Call("divide", (held, present))))
        for rule in type.network.assignments:
            id = f"{type.name}.{type.network.slots[rule.slot].id}"
            self._rules.append(Assigned(self._places[id], self._here(place, rule.math)))
        ruled = {rule.slot for rule in self._rules}
        self._infos = [replace(info, changes=info.changes or slot in ruled) for slot, info in enumerate(self._infos)]

    def _reactions(self, place: int, reactions: Sequence[LoweredReaction], *, once: bool) -> None:
        type = self.population.types[place]
        held = {type.network.slots[slot].id for slot in self._held[place]}
        for reaction in reactions:
            rate = self._here(place, reaction.rate, own=once)
            if not once:
                rate = Call("times", (self._number(place), rate))
            for change in reaction.changes:
                id = type.network.slots[change.slot].id
                name = id if id not in held else f"all({type.name}.{id})"
                self._gains[self._places[name]].append(Call("times", (change.coefficient, rate)))

    def _fate(self, place: int, fate: Fate) -> None:
        type = self.population.types[place]
        hazard = self._slot(place, type.network.slot(fate.hazard))
        flux = self._place(f"{type.name}/{fate.name}", "parameter", changes=True)
        self._rules.append(Assigned(flux, Call("times", (self._number(place), hazard))))
        self._gain(f"cells({type.name})", Call("minus", (Slot(flux),)))
        for slot in self._held[place]:
            gone = Call("times", (Slot(flux), self._slot(place, slot)))
            self._gain(f"all({type.name}.{type.network.slots[slot].id})", Call("minus", (gone,)))
        for which, (to, sets) in enumerate(_ends(fate)):
            self._gain(f"cells({to})", Slot(flux))
            new = self.population.number(to)
            for slot in self._held[new]:
                brought = self._brought(place, new, slot, fate, which, sets)
                id = self.population.types[new].network.slots[slot].id
                self._gain(f"all({to}.{id})", Call("times", (Slot(flux), brought)))

    def _brought(self, old: int, new: int, slot: int, fate: Fate, which: int, sets: Sequence[Set]) -> Expression:
        """What a cell that becomes `new` (of a division, daughter `which`) holds of one slot, in the mean."""
        source = int(self._plan.tables.source[old, new, slot])
        id = self.population.types[new].network.slots[slot].id
        if source < 0:
            value = self._slot(new, slot, own=True)
        elif old == new or slot in self._plan.countable[new]:
            value = self._slot(old, source)
        else:
            value = self._in_proportion(old, source, new, slot)
        if isinstance(fate.effect, Divide) and source in self._plan.countable[old]:
            rule = fate.effect.partition.get(id, fate.effect.otherwise)
            value = Call("times", (Number(_share(rule, which)), value))
        for item in sets:
            if item.target != id:
                continue
            given = Number(item.value) if isinstance(item.value, float | int) else self._named(old, item.value)
            operator = {"multiply": "times", "add": "plus"}.get(item.operation)
            value = given if operator is None else Call(operator, (value, given))
        return value

    def _in_proportion(self, old: int, source: int, new: int, slot: int) -> Expression:
        """A parameter keeps its ratio to the type's own value; see `Population`."""
        was, own = self._slot(old, source), self._slot(old, source, own=True)
        mine = self._slot(new, slot, own=True)
        scaled = Call("divide", (Call("times", (mine, was)), own))
        return Call("piecewise", (mine, Call("eq", (was, own)), was, Call("eq", (own, Number(0.0))), scaled))

    def _named(self, place: int, id: str) -> Expression:
        return self._slot(place, self.population.types[place].network.slot(id))

    def _gain(self, name: str, amount: Expression) -> None:
        self._gains[self._places[name]].append(amount)


def _ends(fate: Fate) -> list[tuple[str, tuple[Set, ...]]]:
    """The types that a fate leads to, and what it sets in each."""
    match fate.effect:
        case Divide(first, second):
            return [(first, fate.effect.sets), (second, fate.effect.sets)]
        case Become(type):
            return [(type, fate.effect.sets)]
    return []


def _share(rule: Partition, which: int) -> float:
    return 1.0 if rule.rule == "copied" else (rule.p, 1.0 - rule.p)[which]


def _sum(terms: Sequence[Expression]) -> Expression:
    return Call("plus", tuple(terms)) if terms else Number(0.0)
