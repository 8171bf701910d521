"""Which quantities algebraic rules and fast reactions determine, and which equations do it (index reduction).

A fast reaction is a rule of its own: its law is 0, and its extent is unknown. Rules that hold no unknown of their own
bind the states (a pendulum's length). They are differentiated in time until an unknown appears, by the algorithm of
Pantelides (doi 10.1137/0909014); what was differentiated remains as an invariant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from senexo.base.errors import InvalidModel
from senexo.engine.formula.network import Algebra, Assigned, Change, Invariant
from senexo.model.expression import Expression, Number, Slot, walk
from senexo.model.network import Network

MOST_DERIVATIVES = 5  # of one rule


def free_quantities(network: Network) -> list[str]:
    """Ids that no rule, reaction or constancy determines, those first that only an algebraic rule can be meant for.

    >>> from senexo.model.network import Parameter
    >>> free_quantities(Network("m", parameters=(Parameter("k", 1.0), Parameter("x", 2.0, constant=False))))
    ['x']
    """
    ruled = {rule.variable for rule in network.rules}
    by_events = {item.variable for event in network.events for item in event.assignments}
    references = [r for reaction in network.reactions for r in (*reaction.reactants, *reaction.products)]
    moved = {r.species for r in references}
    candidates: list[tuple[str | None, bool, bool]] = [  # id, whether it is fixed otherwise, whether it has a value
        *(
            (s.id, s.constant or (s.id in moved and not s.boundary_condition),
             s.initial_amount is not None or s.initial_concentration is not None)
            for s in network.species
        ),
        *((c.id, c.constant, c.size is not None) for c in network.compartments),
        *((p.id, p.constant, p.value is not None) for p in network.parameters),
        *((r.id, r.constant, r.stoichiometry is not None) for r in references),
    ]  # fmt: skip
    found = [(id in by_events, valued, id) for id, fixed, valued in candidates if id and not fixed and id not in ruled]
    return [id for *_, id in sorted(found, key=lambda one: one[:2])]


@dataclass
class Structure:
    """Equations 0 = math and the unknowns in them.

    `derive` gives d/dt of an equation, `rate_slot` the unknown that is d/dt of another one; `rate_slots` has them.
    """

    equations: list[Expression]
    unknowns: Sequence[int]
    derive: Callable[[Expression], Expression]
    rate_slot: Callable[[int], int]
    rate_slots: Mapping[int, int]
    matched: dict[int, int] = field(default_factory=dict)  # unknown -> number of its equation
    lifted: set[int] = field(default_factory=set)  # unknowns whose rate of change is an unknown too
    derived: dict[int, int] = field(default_factory=dict)  # equation -> its derivative

    def solve(self) -> None:
        """Give every unknown that appears an equation; raises `InvalidModel` where that is impossible."""
        for number in range(len(self.equations)):
            self._settle(number)
        ahead = list(self.rate_slots)
        while ahead:  # rates of change that formulas name: rateOf of an unknown
            known = set(self.rate_slots)
            for unknown in ahead:
                rate = self.rate_slots[unknown]
                if rate not in self.matched:
                    equation = self.matched.get(unknown)
                    self.equations.append(Slot(rate) if equation is None else self.derive(self.equations[equation]))
                    self.matched[rate] = len(self.equations) - 1
            ahead = [unknown for unknown in self.rate_slots if unknown not in known]

    def _settle(self, number: int) -> None:
        for _ in range(MOST_DERIVATIVES + 1):
            equations: set[int] = set()
            unknowns: dict[int, None] = {}
            if self._augment(number, equations, unknowns):
                return
            for equation in sorted(equations):
                self.equations.append(self.derive(self.equations[equation]))
                self.derived[equation] = len(self.equations) - 1
            for unknown in unknowns:
                self.lifted.add(unknown)
                self.matched[self.rate_slot(unknown)] = self.derived[self.matched[unknown]]
            number = self.derived[number]
        raise InvalidModel(
            "the algebraic rules (or fast reactions) do not determine the model: one of them holds nothing that is free"
            " to follow from it; let a quantity in it be non-constant and without another rule"
        )

    def _augment(self, equation: int, equations: set[int], unknowns: dict[int, None]) -> bool:
        """Match the equation, moving other matches on where needed (augmenting path)."""
        equations.add(equation)
        present = self._present(equation)
        for unknown in present:
            if unknown not in self.matched:
                self.matched[unknown] = equation
                return True
        for unknown in present:
            if unknown not in unknowns:
                unknowns[unknown] = None
                if self._augment(self.matched[unknown], equations, unknowns):
                    self.matched[unknown] = equation
                    return True
        return False

    def _present(self, equation: int) -> list[int]:
        """Unknowns in the equation of which it is not the rate of change that counts."""
        slots = slots_of(self.equations[equation])
        every = [*self.unknowns, *self.rate_slots.values()]
        return [unknown for unknown in every if unknown in slots and unknown not in self.lifted]


def slots_of(math: Expression) -> set[int]:
    return {node.index for node in walk(math) if isinstance(node, Slot)}


def algebra(
    structure: Structure, along: Sequence[tuple[Change, ...]], initial: Iterable[Assigned]
) -> Algebra:  # fmt: skip
    """What `structure` found; `along` are the directions of its first equations, `initial` the initial assignments."""
    unknowns = tuple(structure.matched)
    solving = set(structure.matched.values())
    origin = {number: number for number in range(len(along))}
    for source, derived in structure.derived.items():
        if source in origin:
            origin[derived] = origin[source]
    invariants = tuple(
        Invariant(math, along[origin[number]] if number in origin else ())
        for number, math in enumerate(structure.equations)
        if number not in solving and not isinstance(math, Number)
    )
    equations = tuple(structure.equations[number] for number in structure.matched.values())
    return Algebra(unknowns, equations, invariants, tuple(initial))
