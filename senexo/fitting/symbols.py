"""Names of a problem as slots: those of the model, then the table's parameters, then names that only tables have."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Assigned, Lowered
from senexo.engine.formula.timeline import begun_later, reads_time
from senexo.fitting.problem import Problem, Value
from senexo.model.expression import Call, Expression, Number, Slot, Symbol, rewrite, walk
from senexo.model.network import Network, Species


class Symbols:
    """Where every quantity of a problem stands in one vector: `n_model` slots of the model, then others.

    `original` is the model, `lowered` the same with its start as its last slot where runs begin at several times.
    `parameters` are the slots of the table's parameters, `names` those of names that occur in condition tables and
    observables only, `own` those of a measurement's own values.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.network: Network = problem.model.network
        self.original: Lowered = lower(self.network)
        late = any(period.time not in (0.0, -inf) for one in problem.schedules for period in one.periods)
        self.late = late and reads_time(self.original)
        self.lowered = begun_later(self.original) if self.late else self.original
        self.model = {info.id: slot for slot, info in enumerate(self.lowered.slots)}
        self.species = {one.id: one for one in self.network.species}
        self.compartments = {one.id for one in self.network.compartments}
        for name, id in problem.aliases.items():
            if id not in self.model:
                continue
            self.model[name] = self.model[id]
            if id in self.species:
                self.species[name] = self.species[id]
        self.n_model = n = len(self.lowered.slots)
        self.parameters = {one.id: n + k for k, one in enumerate(problem.parameters)}
        n += len(self.parameters)
        targets = [id for one in problem.conditions for id in (*one.values, *one.kept)]
        self.names = {id: n + k for k, id in enumerate(dict.fromkeys(id for id in targets if id not in self.model))}
        n += len(self.names)
        own = dict.fromkeys(name for one in problem.observables for name in (*one.own, *one.own_noise))
        self.own = {name: n + k for k, name in enumerate(own)}
        self.width = n + len(self.own)
        self.formulas = {one.id: one.formula for one in problem.observables}

    def math(self, formula: Expression) -> Expression:
        """A formula of a table over slots; species are concentrations, as SBML has them."""

        def change(node: Expression) -> Expression:
            return self.quantity(node.id) if isinstance(node, Symbol) else node

        return rewrite(formula, change)

    def quantity(self, id: str) -> Expression:
        """What a name stands for in a formula of a table."""
        for slots in (self.own, self.names):
            if id in slots:
                return Slot(slots[id])
        if id in self.species:
            size = self.size(self.species[id])
            return Slot(self.model[id]) if size is None else Call("divide", (Slot(self.model[id]), Slot(size)))
        if id in self.model:
            return Slot(self.model[id])
        if id in self.parameters:
            return Slot(self.parameters[id])
        if id not in self.formulas:
            where = f"the model {self.problem.model.source}"
            raise InvalidInput([Fault(where, f"no {id}", "all names that its conditions and observables read")])
        return self.math(self.formulas[id])

    def size(self, species: Species) -> int | None:
        """The slot of a species' compartment, where its values are concentrations."""
        compartment = next(one for one in self.network.compartments if one.id == species.compartment)
        point = compartment.spatial_dimensions == 0 and compartment.size is None
        return None if species.has_only_substance_units or point else self.model[species.compartment]

    def value(self, value: Value) -> Expression:
        """A cell of a table: a number, a parameter of the table or the model, or a formula."""
        if isinstance(value, int | float):
            return Number(float(value))
        if not isinstance(value, str):
            return self.math(value)
        return Slot(self.parameters[value] if value in self.parameters else self.model[value])

    def start(self, values: Mapping[str, Value]) -> list[Assigned]:
        """What sets the vector at the start of an experiment, in an order in which each finds its inputs ready."""
        items: dict[int, Expression] = {}
        for id, slot in self.parameters.items():
            if id in self.model:
                items[self.model[id]] = self._at_start(id, Slot(slot))
        for id, value in values.items():
            items[self.model.get(id, self.names.get(id, -1))] = self._at_start(id, self.value(value))
        initial = {item.slot: item.math for item in self.lowered.initial}
        ruled = {item.slot for item in self.lowered.assignments}
        for one in self.network.species:
            slot, size = self.model[one.id], self.model[one.compartment]
            moved = size in items or size in initial
            if one.initial_concentration is not None and moved and slot not in items and slot not in initial:
                items[slot] = Call("times", (Number(one.initial_concentration), Slot(size)))
        items |= {slot: math for slot, math in initial.items() if slot not in items or slot in ruled}
        return _ordered(items)

    def _at_start(self, id: str, value: Expression) -> Expression:
        """A value given to a name, as the vector has it: of a species an amount."""
        if id not in self.species:
            return value
        size = self.size(self.species[id])
        return value if size is None else Call("times", (value, Slot(size)))


def _ordered(items: Mapping[int, Expression]) -> list[Assigned]:
    """Assignments in an order in which none reads a slot that a later one sets; a circle stays in its order."""
    reads = {slot: {node.index for node in walk(math) if isinstance(node, Slot)} for slot, math in items.items()}
    left, ordered = dict(items), []
    while left:
        ready = [slot for slot in left if not (reads[slot] - {slot}) & left.keys()] or [next(iter(left))]
        ordered += [Assigned(slot, left.pop(slot)) for slot in ready]
    return ordered
