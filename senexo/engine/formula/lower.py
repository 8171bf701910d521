"""From a network in SBML's terms to numbered slots: the one place that applies the semantics of SBML's attributes.

Semantics follow SBML Level 3 Version 2 Core (doi 10.1515/jib-2017-0080); section numbers below are its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite, nan

import numpy as np

from senexo.base.errors import InvalidModel
from senexo.engine.formula.constraints import Structure, algebra, free_quantities, slots_of
from senexo.engine.formula.network import (
    Algebra,
    Assigned,
    Change,
    Delayed,
    Lowered,
    LoweredEvent,
    LoweredReaction,
    SlotInfo,
    SlotKind,
)
from senexo.engine.formula.two_ways import both_ways
from senexo.model.expression import Call, Expression, Invoke, Number, Slot, Symbol, Time, children, rewrite, walk
from senexo.model.network import Event, EventAssignment, Network, Reaction, Species, SpeciesReference

# A chain of function definitions may double a formula at each link; this stops it before memory does.
MOST_NODES = 2_000_000


def lower(network: Network) -> Lowered:
    """The network as expressions over numbered slots, with the whole of SBML core's semantics applied.

    Species become amounts; concentrations are spelled amount / size; stoichiometries carry their conversion
    factors; function definitions are written in place; assignments are put in an order in which each finds its
    inputs ready.

    Raises
    ------
    InvalidModel
        Unknown ids, circular definitions, or formulas too large to hold.

    References
    ----------
    SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080.

    Examples
    --------
    >>> from senexo.model.network import Network, Parameter
    >>> lower(Network("m", parameters=(Parameter("k", 2.0),))).values
    array([2.])
    """
    try:
        return _Lowering(network).lowered()
    except RecursionError:
        raise InvalidModel(f"model {network.id}: formulas are nested too deep") from None


class _Lowering:
    """Everything known while one network is lowered."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.functions = {f.id: f for f in network.function_definitions}
        self.compartments = {c.id: c for c in network.compartments}
        self.species = {s.id: s for s in network.species}
        self.reactions = {r.id: r for r in network.reactions}
        self.rate_rules = {r.variable: r.math for r in network.rules if r.kind == "rate" and r.math is not None}
        self.assignment_rules = {
            r.variable: r.math for r in network.rules if r.kind == "assignment" and r.math is not None
        }
        self.initial_assignments = {a.symbol: a.math for a in network.initial_assignments if a.math is not None}
        self.set_by_events = {
            a.variable for e in network.events for a in e.assignments if a.math is not None and e.trigger.math
        }
        self.nodes = 0  # visited while functions are written in place
        self.placed = 0  # in the formulas that came out, shared parts counted wherever they stand
        self.open: list[str] = []  # definitions being expanded, to name a circle
        self.slots: dict[str, int] = {}
        self.infos: list[SlotInfo] = []
        self.values: list[float] = []
        self.assigned: dict[int, Expression] = {}
        self.laws: dict[str, Expression] = {}
        self.fluxes: dict[str, list[tuple[str, Change]]] = {}
        self.delayed: dict[tuple[Expression, Expression, int], Delayed] = {}
        self.free = free_quantities(network) if network.algebraic_rules else []
        self.fast: dict[str, int] = {}  # fast reactions, and the slots of their extent
        self.rate_slots: dict[int, int] = {}  # unknowns, and the slots of their rate of change
        self.make_slots()

    # ---- slots

    def make_slots(self) -> None:
        network = self.network
        for compartment in network.compartments:
            self.add(compartment.id, "compartment", compartment.size)
        for species in network.species:
            if species.compartment not in self.compartments:
                raise InvalidModel(f"species {species.id}: there is no compartment {species.compartment}")
            self.add(species.id, "species", self.written_amount(species), self.slots[species.compartment])
        for parameter in network.parameters:
            self.add(parameter.id, "parameter", parameter.value)
        for reference in self.references():
            if reference.id is not None:
                self.add(reference.id, "species reference", reference.stoichiometry)
        for reaction in network.reactions:
            for local in reaction.kinetic_law.local_parameters if reaction.kinetic_law else ():
                self.add(f"{reaction.id}.{local.id}", "local parameter", local.value)
        for reaction in network.reactions:
            if reaction.fast:
                self.fast[reaction.id] = self.add(f"extent of {reaction.id}", "unknown", 0.0)

    def add(self, id: str, kind: SlotKind, value: float | None, compartment: int = -1) -> int:
        if id in self.slots:
            raise InvalidModel(f"the id {id} is given twice")
        slot = self.slots[id] = len(self.infos)
        self.infos.append(SlotInfo(id, kind, compartment))
        self.values.append(nan if value is None else float(value))
        return slot

    def references(self) -> Iterator[SpeciesReference]:
        for reaction in self.network.reactions:
            yield from reaction.reactants
            yield from reaction.products

    def written_amount(self, species: Species) -> float | None:
        if species.initial_concentration is None:
            return species.initial_amount
        size = 1.0 if self.is_point(species) else self.compartments[species.compartment].size
        return None if size is None else species.initial_concentration * size

    def is_point(self, species: Species) -> bool:
        """A compartment without extent, and without a size given in spite of that: only amounts exist in it."""
        compartment = self.compartments[species.compartment]
        return compartment.spatial_dimensions == 0 and compartment.size is None and not self.is_set(compartment.id)

    def is_set(self, id: str) -> bool:
        return id in self.initial_assignments or id in self.assignment_rules or id in self.rate_rules

    def is_concentration(self, id: str) -> bool:
        """Does the id mean a concentration in formulas (section 4.6.5)?"""
        species = self.species.get(id)
        return species is not None and not species.has_only_substance_units and not self.is_point(species)

    def varies(self, id: str) -> bool:
        """May the value change during a run by a rule or an event?"""
        return id in self.rate_rules or id in self.assignment_rules or id in self.set_by_events

    # ---- formulas

    @contextmanager
    def defining(self, id: str) -> Iterator[None]:
        if id in self.open:
            circle = [*self.open[self.open.index(id) :], id]
            raise InvalidModel("circular definition: " + " -> ".join(circle))
        self.open.append(id)
        yield
        self.open.pop()

    def place(self, math: Expression, where: str, local: Mapping[str, Expression] | None = None) -> Expression:
        """The formula over slots; `local` holds the parameters of a kinetic law, which shadow global ids."""
        written_out = self.inline(math, None, where)
        self.limit(_size(written_out), where)
        placed = self.slotted(written_out, local or {}, where)
        self.placed += _size(placed)
        self.limit(self.placed, where)
        return placed

    def limit(self, n_nodes: int, where: str) -> None:
        if n_nodes > MOST_NODES:
            raise InvalidModel(f"{where}: over {MOST_NODES} terms once functions are written out")

    def inline(self, node: Expression, bound: Mapping[str, Expression] | None, where: str) -> Expression:
        """The formula with function definitions written in place; `bound` are the arguments inside a body."""
        self.nodes += 1
        self.limit(self.nodes, where)
        match node:
            case Symbol(id) if bound is not None:
                if id not in bound:
                    raise InvalidModel(f"{where}: {id} is not an argument of the function that uses it")
                return bound[id]
            case Call(operator, arguments):
                return Call(operator, tuple(self.inline(a, bound, where) for a in arguments))
            case Invoke(name, arguments):
                function = self.functions.get(name)
                if function is None:
                    raise InvalidModel(f"{where}: there is no function {name}")
                if len(function.arguments) != len(arguments):
                    raise InvalidModel(
                        f"{where}: function {name} takes {len(function.arguments)} arguments, found {len(arguments)}"
                    )
                given = [self.inline(a, bound, where) for a in arguments]
                if function.body is None:
                    return Number(nan)
                with self.defining(name):
                    return self.inline(
                        function.body, dict(zip(function.arguments, given, strict=True)), f"function {name}"
                    )
            case _:
                return node

    def slotted(self, node: Expression, local: Mapping[str, Expression], where: str) -> Expression:
        match node:
            case Symbol(id):
                return local[id] if id in local else self.value_of(id, where)
            case Call("rateOf", (Symbol(id),)):
                return Number(0.0) if id in local else self.rate_of(id, where)
            case Call("rateOf"):
                raise InvalidModel(f"{where}: rateOf needs the name of a quantity")
            case Call("delay", (math, lag)):
                return self.in_the_past(self.slotted(math, local, where), self.slotted(lag, local, where), where)
            case Call(operator, arguments):
                return Call(operator, tuple(self.slotted(a, local, where) for a in arguments))
            case _:
                return node

    def value_of(self, id: str, where: str) -> Expression:
        """What an id means in a formula (section 3.4.3): a concentration is amount / size."""
        if id in self.reactions and id not in self.slots:
            self.slots[id] = self.add_reaction_slot(id)
        if id not in self.slots:
            raise InvalidModel(f"{where}: there is nothing called {id}")
        if self.is_concentration(id):
            return _over(Slot(self.slots[id]), self.size(id))
        return Slot(self.slots[id])

    def add_reaction_slot(self, id: str) -> int:
        slot = self.add(id, "reaction", None)
        self.assigned[slot] = Number(nan)  # taken before its law is placed: the law may name other reactions
        self.assigned[slot] = self.extent(id)
        return slot

    def in_the_past(self, math: Expression, lag: Expression, where: str, source: int = -1) -> Expression:
        """The csymbol delay: what the formula was `lag` ago; `source`: the delay whose rate of change it is, if any."""
        if isinstance(lag, Number) and not lag.value >= 0.0:
            raise InvalidModel(f"{where}: a delay of {lag.value:g}, expected 0 or more")
        if lag == Number(0.0) or (isinstance(math, Number) and source < 0):
            return math
        key = (math, lag, source)
        if key not in self.delayed:
            slot = self.add(f"delay {len(self.delayed) + 1}", "delay", None)
            self.delayed[key] = Delayed(slot, math, lag, math)
        return Slot(self.delayed[key].slot)

    def written_out(self, math: Expression, also: Mapping[int, Expression] | None = None) -> Expression:
        """The formula with assignment rules and named reactions written in place; `also` further slots."""
        known: dict[int, Expression] = {}

        def change(node: Expression) -> Expression:
            if isinstance(node, Slot) and node.index in self.assigned:
                if node.index not in known:
                    with self.defining(self.infos[node.index].id):
                        known[node.index] = rewrite(self.assigned[node.index], change)
                return known[node.index]
            return also.get(node.index, node) if also and isinstance(node, Slot) else node

        found = rewrite(math, change)
        self.limit(_size(found), "algebraic rule or delay")
        return found

    def size(self, species: str) -> Expression:
        return Slot(self.slots[self.species[species].compartment])

    # ---- reactions and rates

    def law(self, id: str) -> Expression:
        """The extent per time of a reaction; without a kinetic law nothing happens."""
        if id not in self.laws:
            law = self.reactions[id].kinetic_law
            if law is None or law.math is None:
                return Number(0.0)
            local = {p.id: Slot(self.slots[f"{id}.{p.id}"]) for p in law.local_parameters}
            with self.defining(id):
                self.laws[id] = self.place(law.math, f"reaction {id}", local)
        return self.laws[id]

    def stoichiometry(self, reaction: str, reference: SpeciesReference) -> Expression:
        """A number where it can be one (a whole number is what exact runs need), else the reference's slot."""
        if reference.id is not None and (self.is_set(reference.id) or reference.id in self.set_by_events):
            return Slot(self.slots[reference.id])
        number = 1.0 if reference.stoichiometry is None else reference.stoichiometry
        if not isfinite(number):
            raise InvalidModel(
                f"reaction {reaction}: the stoichiometry of {reference.species} is {number}, expected a finite number"
            )
        return Number(number)

    def changes(self, reaction: Reaction) -> tuple[Change, ...]:
        """The net effect on every species that reactions may change, one entry per species (section 4.11.7)."""
        net: dict[str, Expression] = {}
        for sign, references in ((-1.0, reaction.reactants), (1.0, reaction.products)):
            for reference in references:
                species = self.species.get(reference.species)
                if species is None:
                    raise InvalidModel(f"reaction {reaction.id}: there is no species {reference.species}")
                if species.boundary_condition or species.constant or self.has_rule(species.id):
                    continue
                part = _times(Number(sign), self.stoichiometry(reaction.id, reference))
                net[species.id] = _plus(net[species.id], part) if species.id in net else part
        return tuple(
            Change(self.slots[id], self.converted(id, coefficient))
            for id, coefficient in net.items()
            if coefficient != Number(0.0)
        )

    def has_rule(self, id: str) -> bool:
        return id in self.rate_rules or id in self.assignment_rules

    def converted(self, species: str, coefficient: Expression) -> Expression:
        """Extent to substance: the species' own conversion factor, else the model's (section 4.11.7)."""
        factor = self.species[species].conversion_factor or self.network.conversion_factor
        if factor is None:
            return coefficient
        return _times(coefficient, self.value_of(factor, f"species {species}, conversion factor"))

    def flux(self, id: str) -> Expression:
        """d(amount)/dt by reactions."""
        if not self.fluxes:
            for reaction in self.network.reactions:
                for change in self.changes(reaction):
                    self.fluxes.setdefault(self.infos[change.slot].id, []).append((reaction.id, change))
        terms = [_times(change.coefficient, self.extent(reaction)) for reaction, change in self.fluxes.get(id, ())]
        return _sum(terms)

    def extent(self, id: str) -> Expression:
        """The extent per time that a reaction has: its law, or of a fast one an unknown."""
        return Slot(self.fast[id]) if id in self.fast else self.law(id)

    def rate_slot(self, slot: int) -> int:
        """The unknown that is the rate of change of another one."""
        if slot not in self.rate_slots:
            self.rate_slots[slot] = self.add(f"rate of {self.infos[slot].id}", "unknown", 0.0)
        return self.rate_slots[slot]

    def slot_rate(self, id: str) -> Expression:
        """d/dt of what the slot of this id holds: for a species always its amount."""
        if id in self.assignment_rules:
            return self.total_derivative(self.rule_math(id))
        if id in self.free:
            return Slot(self.rate_slot(self.slots[id]))
        if id not in self.rate_rules:
            return self.flux(id) if id in self.species else Number(0.0)
        rate = self.place(self.rate_rules[id], f"rate rule of {id}")
        if not self.is_concentration(id):
            return rate
        # The rule is about the concentration c = A / V, so dA/dt = V dc/dt + c dV/dt (section 4.9.3).
        growth = self.slot_rate(self.species[id].compartment)
        concentration = _over(Slot(self.slots[id]), self.size(id))
        return _plus(_times(self.size(id), rate), _times(concentration, growth))

    def rate_of(self, id: str, where: str) -> Expression:
        """The csymbol rateOf: d/dt of what the id means in a formula (L3V2 section 3.4.6)."""
        self.value_of(id, where)
        with self.defining(f"rateOf({id})"):
            if id in self.reactions:
                return self.total_derivative(self.extent(id))
            if not self.is_concentration(id):
                return self.slot_rate(id)
            if id in self.rate_rules:
                return self.place(self.rate_rules[id], f"rate rule of {id}")
            growth = self.slot_rate(self.species[id].compartment)
            concentration = _over(Slot(self.slots[id]), self.size(id))
            return _over(_minus(self.slot_rate(id), _times(concentration, growth)), self.size(id))

    def total_derivative(self, math: Expression) -> Expression:
        """d/dt of a formula along the run, by the chain rule over the slots it names."""
        from senexo.engine.formula.differentiate import derivative

        clock = Slot(-1)
        timed = rewrite(math, lambda node: clock if isinstance(node, Time) else node)
        terms = []
        for slot in sorted({node.index for node in walk(timed) if isinstance(node, Slot)}):
            inner = Number(1.0) if slot == clock.index else self.rate_by_slot(slot)
            if inner != Number(0.0):
                outer = derivative(timed, slot)
                terms.append(_times(rewrite(outer, lambda node: Time() if node == clock else node), inner))
        return _sum(terms)

    def rate_by_slot(self, slot: int) -> Expression:
        info = self.infos[slot]
        if info.kind == "local parameter":
            return Number(0.0)
        if info.kind == "unknown":
            return Slot(self.rate_slot(slot))
        if info.kind == "delay":
            return self.rate_in_the_past(slot)
        with self.defining(info.id):
            return self.total_derivative(self.assigned[slot]) if info.kind == "reaction" else self.slot_rate(info.id)

    def rate_in_the_past(self, slot: int) -> Expression:
        """d/dt of f(t - lag), which is f'(t - lag) (1 - lag')."""
        delayed = next(item for item in self.delayed.values() if item.slot == slot)
        then = self.in_the_past(self.total_derivative(delayed.math), delayed.lag, "delay", slot)
        return _times(then, _minus(Number(1.0), self.total_derivative(delayed.lag)))

    # ---- assignments

    def rule_math(self, id: str) -> Expression:
        return self.as_amount(id, self.place(self.assignment_rules[id], f"assignment rule of {id}"))

    def as_amount(self, id: str, math: Expression) -> Expression:
        return _times(math, self.size(id)) if self.is_concentration(id) else math

    def target(self, id: str, where: str) -> int:
        if id not in self.slots:
            raise InvalidModel(f"{where}: there is nothing called {id} to assign to")
        return self.slots[id]

    def initial(self) -> dict[int, Expression]:
        """What is computed once at the start: initial assignments, and amounts from initial concentrations."""
        found: dict[int, Expression] = {}
        for species in self.network.species:
            concentration = species.initial_concentration
            if concentration is not None and not self.is_point(species) and species.id not in self.assignment_rules:
                found[self.slots[species.id]] = _times(Number(concentration), self.size(species.id))
        for id, math in self.initial_assignments.items():
            slot = self.target(id, f"initial assignment of {id}")
            found[slot] = self.as_amount(id, self.place(math, f"initial assignment of {id}"))
        return found

    # ---- events

    def event(self, event: Event) -> LoweredEvent | None:
        """None for an event without a trigger's formula: it can never fire."""
        if event.trigger.math is None:
            return None
        where = f"event {event.id}"

        def optional(math: Expression | None) -> Expression | None:
            return None if math is None else self.place(math, where)

        return LoweredEvent(
            id=event.id,
            trigger=self.place(event.trigger.math, where),
            initial_value=event.trigger.initial_value,
            persistent=event.trigger.persistent,
            delay=optional(event.delay),
            priority=optional(event.priority),
            use_values_from_trigger_time=event.use_values_from_trigger_time,
            assignments=tuple(self.event_assignment(a, a.math, where) for a in event.assignments if a.math is not None),
        )

    def event_assignment(self, assignment: EventAssignment, math: Expression, where: str) -> Assigned:
        id = assignment.variable
        slot = self.target(id, where)
        value = self.place(math, f"{where}, assignment to {id}")
        if not self.is_concentration(id):
            return Assigned(slot, value)
        if self.varies(self.species[id].compartment):
            return Assigned(slot, value, size=self.infos[slot].compartment)
        return Assigned(slot, _times(value, self.size(id)))

    # ---- the whole

    def lowered(self) -> Lowered:
        network = self.network
        for id in (*self.assignment_rules, *self.rate_rules):
            self.target(id, f"rule of {id}")
        self.assigned |= {self.slots[id]: self.rule_math(id) for id in self.assignment_rules}
        initial = self.initial()
        reactions = tuple(
            LoweredReaction(
                id=reaction.id,
                rate=self.extent(reaction.id),
                changes=self.changes(reaction),
                **self.both_ways(reaction),
                reactants=tuple(
                    (self.slots[r.species], self.stoichiometry(reaction.id, r)) for r in reaction.reactants
                ),
            )
            for reaction in network.reactions
        )
        events = tuple(lowered for event in network.events if (lowered := self.event(event)) is not None)
        ruled = [id for id in self.slots if id in self.rate_rules]
        moved = {change.slot for reaction in reactions for change in reaction.changes}
        rates = [id for id, slot in self.slots.items() if id in self.rate_rules or slot in moved]
        rate_math = {id: self.slot_rate(id) for id in rates}
        bound = self.constraints(initial) if self.network.algebraic_rules or self.fast else None
        initial = {**initial, **self.before_the_start(initial)}
        assignments = self.in_order(self.assigned)
        unknown = set(bound.unknowns if bound else ()) | {item.slot for item in self.delayed.values()}
        return Lowered(
            slots=self.marked({self.slots[id] for id in rates} | unknown),
            values=np.array(self.values, dtype=np.float64),
            initial=self.in_order({**self.assigned, **initial}, wanted=initial),
            assignments=assignments,
            rates=tuple(Assigned(self.slots[id], rate_math[id]) for id in rates),
            rate_rules=tuple(Assigned(self.slots[id], rate_math[id]) for id in ruled),
            reactions=reactions,
            events=events,
            delays=tuple(self.delayed.values()),
            algebra=bound,
        )

    def before_the_start(self, initial: Mapping[int, Expression]) -> dict[int, Expression]:
        """What each delayed formula is before time 0, where all quantities have their initial values.

        Initial assignments that name the time have a value at every time before it too (cases 00938 to 00943 of the
        SBML Test Suite). The formula's value at time 0 is that of the time -lag; that of a rate of change comes from
        the time alone.
        """
        from senexo.engine.formula.differentiate import derivative

        found: dict[int, Expression] = {}
        clock = Slot(-1)
        by_slot = {item.slot: item for item in self.delayed.values()}
        started = {slot: self.written_out(math) for slot, math in initial.items()}
        timed = {slot: math for slot, math in started.items() if any(isinstance(node, Time) for node in walk(math))}
        for key, item in list(self.delayed.items()):
            source = key[2]
            math = self.written_out(by_slot[source].math if source >= 0 else item.math, timed)
            if source >= 0:
                ticking = rewrite(math, lambda node: clock if isinstance(node, Time) else node)
                math = rewrite(derivative(ticking, clock.index), lambda node: Time() if node == clock else node)
            self.delayed[key] = replace(item, before=math)
            then = Call("minus", (Time(), self.written_out(item.lag)))
            found[item.slot] = rewrite(math, lambda node, then=then: then if isinstance(node, Time) else node)  # type: ignore[misc]
        return found

    def both_ways(self, reaction: Reaction) -> dict[str, Expression]:
        """The two parts of the law of a reversible reaction, if it is a difference of them."""
        if not reaction.reversible or reaction.fast:
            return {}
        sides = ([self.slots[r.species] for r in side] for side in (reaction.reactants, reaction.products))
        return both_ways(self.law(reaction.id), *sides)

    def constraints(self, initial: Mapping[int, Expression]) -> Algebra:
        """The equations of algebraic rules and fast reactions, and what follows from them."""
        rules = [self.place(r.math, "algebraic rule") for r in self.network.algebraic_rules if r.math is not None]
        fast = [reaction for reaction in self.network.reactions if reaction.fast]
        structure = Structure(
            [self.written_out(math) for math in (*rules, *(self.law(reaction.id) for reaction in fast))],
            [*(self.slots[id] for id in self.free), *self.fast.values()],
            lambda math: self.written_out(self.total_derivative(math)),
            self.rate_slot,
            self.rate_slots,
        )
        structure.solve()
        starts = {slot: self.written_out(math) for slot, math in initial.items()}
        read = [
            Assigned(slot, math) for slot, math in starts.items() if not slots_of(math).isdisjoint(structure.matched)
        ]
        return algebra(structure, [*((),) * len(rules), *(self.changes(reaction) for reaction in fast)], read)

    def marked(self, moving: set[int]) -> tuple[SlotInfo, ...]:
        by_events = {self.slots[id] for id in self.set_by_events if id in self.slots}
        changing = moving | by_events | set(self.assigned)
        return tuple(replace(info, changes=slot in changing) for slot, info in enumerate(self.infos))

    def in_order(self, maths: Mapping[int, Expression], *, wanted: Iterable[int] | None = None) -> tuple[Assigned, ...]:
        """Each formula after those it reads; with `wanted`, only these and what they stand on."""
        needs = {slot: {n.index for n in walk(math) if isinstance(n, Slot)} for slot, math in maths.items()}
        done: dict[int, Assigned] = {}
        self.open.clear()

        def visit(slot: int) -> None:
            if slot in done or slot not in maths:
                return
            with self.defining(self.infos[slot].id):
                for need in sorted(needs[slot]):
                    visit(need)
            done[slot] = Assigned(slot, maths[slot])

        for slot in sorted(maths if wanted is None else wanted):
            visit(slot)
        return tuple(done.values())


def _size(math: Expression, known: dict[int, int] | None = None) -> int:
    """Terms of a formula as a tree, found without walking twice through what it shares."""
    known = {} if known is None else known
    if id(math) not in known:
        known[id(math)] = 1 + sum(_size(child, known) for child in children(math))
    return known[id(math)]


def _times(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(x), Number(y):
            return Number(x * y)
        case (Number(1.0), other) | (other, Number(1.0)):
            return other
    return Call("times", (a, b))


def _over(a: Expression, b: Expression) -> Expression:
    return Call("divide", (a, b))


def _minus(a: Expression, b: Expression) -> Expression:
    return a if b in (Number(0.0), Number(-0.0)) else Call("minus", (a, b))


def _plus(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(x), Number(y):
            return Number(x + y)
        case (Number(0.0), other) | (other, Number(0.0)):
            return other
    return Call("plus", (a, b))


def _sum(terms: Iterable[Expression]) -> Expression:
    total: Expression = Number(0.0)
    for term in terms:
        total = _plus(total, term)
    return total
