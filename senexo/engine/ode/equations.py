"""The ODEs of one network as programs for the table machine, with their switches as cells of their own.

A comparison, a floor or a quotient makes the right-hand side jump. Solvers want it smooth, so the programs for
the derivative read the outcome of every such switch from a cell (its mode) that stays as it is during a step,
and `look` finds what the outcomes are now. The integration restarts where they change.

A state may be pressed against a switch from both sides, so that it never leaves it. Such a comparison can be softened:
within a narrow band the derivative is then the mixture of those on either side, in which the state finds the share
that holds it there (Filippov's sliding motion, doi 10.1007/978-94-015-7793-9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.graph import COMPARISONS, Graph, Node
from senexo.engine.formula.gross import gross
from senexo.engine.formula.machine import run
from senexo.engine.formula.network import Assigned, Lowered
from senexo.engine.ode.bdf_places import N_COUNTS, N_PLACES
from senexo.engine.ode.constraints import Constraints
from senexo.engine.ode.history import NODES
from senexo.engine.ode.past import Past
from senexo.engine.ode.step_programs import step_programs, written_out
from senexo.model.expression import Expression, Slot, walk

_STEPS = frozenset({"floor", "ceiling", "quotient"})
MOST_SOFT = 8  # softened comparisons at a time: the mixture has up to 2^8 parts


class EventPrograms:
    """Where one event's formulas are computed; a span is None where the event has no such formula."""

    def __init__(self, assembler: Assembler, delay: Expression | None, priority: Expression | None,
                 assignments: tuple[Assigned, ...]) -> None:  # fmt: skip
        self.cell = assembler.cells(1)
        self.delay = None if delay is None else assembler.program([(self.cell, delay)])
        self.priority = None if priority is None else assembler.program([(self.cell, priority)])
        self.values = range(assembler.cells(len(assignments)), assembler.n_cells)
        self.assign = assembler.program(zip(self.values, (a.math for a in assignments), strict=True))


class Equations:
    """Programs and cells for one run; `memory[:n_slots]` is the value vector. `anew` gives another run's.

    `states` are the slots with a rate, `n_modes` the number of switches the right-hand side has, `watched` what
    `look` reports: the modes' present outcomes, the triggers' own switches, the triggers. `by`: slots that stay the
    same, by which `stepping` differentiates the rates too (for sensitivities).
    """

    def __init__(self, lowered: Lowered, by: Sequence[int] = ()) -> None:
        self.lowered, self.by = lowered, tuple(by)
        self.n_slots = len(lowered.slots)
        self.states = np.array([rate.slot for rate in lowered.rates], dtype=np.int64)
        self._assemble(Graph())

    def _assemble(self, graph: Graph) -> None:
        lowered = self.lowered
        assembler = Assembler(self.n_slots)
        rates = [graph.add(rate.math) for rate in lowered.rates]
        triggers = [_truth(graph, graph.add(event.trigger)) for event in lowered.events]
        for_rates = self._feeding(rate.math for rate in lowered.rates)
        for_triggers = self._feeding(event.trigger for event in lowered.events)
        rules = [(a.slot, graph.add(a.math)) for a in lowered.assignments]
        bound = lowered.algebra
        equations = [] if bound is None else [*bound.equations, *(item.math for item in bound.invariants)]
        in_algebra = [graph.add(math) for math in equations]

        modes = _switches(graph, [*rates, *(node for slot, node in rules if slot in for_rates)])
        others = _switches(graph, [*triggers, *in_algebra, *(node for slot, node in rules if slot in for_triggers)])
        others = [node for node in others if node not in set(modes)]
        signs = [_sign(graph, *graph.arguments(n)) for n in [*modes, *others] if graph.operator(n) in ("eq", "neq")]
        compared = [node for node in [*modes, *others] if graph.operator(node) in COMPARISONS]
        gaps = [graph.node("minus", *graph.arguments(node)) for node in compared]
        self._gap_of = {k: compared.index(n) for k, n in enumerate(modes) if graph.operator(n) in ("lt", "leq")}
        self.soft: dict[int, float] = {}  # softened modes, and the width of their bands
        self.flipped = np.zeros(len(modes), dtype=bool)  # modes adopted with another outcome than before
        self.n_modes = len(modes)
        self._modes = assembler.cells(len(modes))
        watched = [*modes, *others, *signs, *triggers]
        self._watched = slice(assembler.cells(len(watched)), assembler.n_cells)
        self._triggers = slice(assembler.n_cells - len(triggers), assembler.n_cells)
        self._gaps = slice(assembler.cells(len(gaps)), assembler.n_cells)
        self._slopes = slice(assembler.cells(len(rates)), assembler.n_cells)

        frozen = {node: self._modes + k for k, node in enumerate(modes)}
        self._flow = assembler.assemble(
            graph,
            [*((slot, node) for slot, node in rules if slot in for_rates), *_into(self._slopes, rates)],
            frozen,
        )
        self._look = assembler.assemble(graph, [*rules, *_into(self._watched, watched), *_into(self._gaps, gaps)])
        inlined: dict[int, Node] = {}
        for item in lowered.assignments:
            inlined[item.slot] = graph.add(item.math, inlined)
        in_full = [graph.add(rate.math, inlined) for rate in lowered.rates]
        terms = gross(graph, in_full)
        self._terms = slice(assembler.cells(len(rates)), assembler.n_cells)
        self._add_terms = assembler.assemble(graph, _into(self._terms, [terms[node] for node in in_full]))
        laws = [graph.add(reaction.rate) for reaction in lowered.reactions]
        self._laws = slice(assembler.cells(len(laws)), assembler.n_cells)
        self._add_laws = assembler.assemble(graph, _into(self._laws, laws))
        self.stepping = None
        if bound is None and not lowered.delays:
            nodes = written_out(graph, [*rates, *modes], inlined)
            frozen_in_full = {nodes[node]: cell for node, cell in frozen.items()}
            self.stepping = step_programs(
                assembler, graph, [nodes[node] for node in rates], self.states, frozen_in_full, self.by
            )
        self.constraints = None if bound is None else Constraints(lowered, bound, assembler, self.states)
        self.past = Past(lowered, assembler, graph, inlined) if lowered.delays else None
        self.events = [EventPrograms(assembler, e.delay, e.priority, e.assignments) for e in lowered.events]
        tables = assembler.finish()
        self.memory, self.code, self._time = tables.memory.copy(), tables.code, tables.time
        self.places = self._places()

    def _places(self) -> NDArray[np.int64]:
        """Where programs and cells are, as `senexo.engine.ode.bdf` reads it."""
        s = self.stepping
        if s is None:
            return np.empty(0, dtype=np.int64)
        spans = (s.derive, s.rates, s.slopes, self._look, self._add_laws, self._add_terms)
        cells = (s.rate_cell, s.slope_cell, self._terms.start)
        watched = (self._watched.start, self._watched.stop, self._gaps.start, self._gaps.stop)
        numbers = (len(self.states), self.n_slots, self._time, *(k for span in spans for k in span), *cells, *watched,
                   self._laws.start, self._laws.stop - self._laws.start)  # fmt: skip
        parts = (self.states, np.zeros(N_COUNTS, dtype=np.int64), s.diagonal, s.entries.ravel(), s.factor, s.solve,
                 s.begins, np.zeros(s.n_dense, dtype=np.int64))  # fmt: skip
        begins = np.cumsum([N_PLACES, *(len(part) for part in parts[:-1])])
        return np.concatenate((np.array(numbers, dtype=np.int64), begins, [s.guarded], *parts))

    def anew(self) -> Equations:
        """The same programs with cells of their own. Call it on equations that were never run themselves."""
        other = object.__new__(Equations)  # `copy.copy` takes longer than all the rest
        other.__dict__.update(self.__dict__)
        other.memory, other.soft, other.flipped = self.memory.copy(), dict(self.soft), self.flipped.copy()
        other.past = None if self.past is None else self.past.anew()
        return other

    def _feeding(self, formulas: Iterable[Expression]) -> set[int]:
        """The slots that the formulas read, directly or through assignment rules."""
        found: set[int] = set()
        rules = {a.slot: a.math for a in self.lowered.assignments}
        open_formulas = list(formulas)
        while open_formulas:
            read = {node.index for node in walk(open_formulas.pop()) if isinstance(node, Slot)} - found
            found |= read
            open_formulas.extend(rules[slot] for slot in read if slot in rules)
        return found

    # ---- running

    def compute(self, span: Span) -> None:
        run(self.code, span.first, span.last, self.memory)

    def put(self, time: float, y: NDArray[np.float64]) -> None:
        self.memory[self.states] = y
        self.memory[self._time] = time
        self.refresh()

    def begin(self, values: NDArray[np.float64]) -> None:
        """Take the values at time 0, made consistent with the constraints."""
        self.memory[: self.n_slots] = values
        self.memory[self._time] = 0.0
        if self.constraints is not None:
            self.constraints.begin(self.memory, self.compute)
        if self.past is not None:
            self.past.begin(self.memory, self.compute)
            self.refresh()
            self.past.begin(self.memory, self.compute)

    def refresh(self) -> None:
        """Bring what is delayed, what is unknown and what is bound by constraints to the present time and state."""
        if self.past is not None:
            self.past.refresh(self.memory, self.compute)
        if self.constraints is not None:
            self.constraints.settle(self.memory, self.compute)
            if self.past is not None:  # how long ago may be an unknown
                self.past.refresh(self.memory, self.compute)

    def remember(self, begin: float, end: float, interpolate: Callable[[float], NDArray[np.float64]]) -> None:
        """Keep the course of a finished step, if anything is delayed."""
        if self.past is None or not end > begin:
            return
        columns = []
        for time in begin + (end - begin) * NODES:
            self.put(float(time), interpolate(float(time)))
            columns.append(self.past.present(self.memory, self.compute))
        self.past.history.note(begin, end, np.column_stack(columns))

    def state(self) -> NDArray[np.float64]:
        return self.memory[self.states]

    def slope(self, time: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """dy/dt with the switches as they were last adopted."""
        self.put(time, y)
        self.compute(self._flow)
        return self.memory[self._slopes].copy()

    def terms(self, time: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How large the terms are that dy/dt adds up, which may cancel; assignment rules are not brought up to date."""
        self.put(time, y)
        self.compute(self._add_terms)
        return self.memory[self._terms]

    def laws(self) -> NDArray[np.float64]:
        """Rates of the reactions, from values with assignment rules up to date."""
        self.compute(self._add_laws)
        return self.memory[self._laws]

    def soften(self, span: float) -> None:
        """Give each comparison that has flipped a band, so wide that the state would cross it within `span`."""
        time, y = float(self.memory[self._time]), self.state()
        modes = self.memory[self._modes : self._modes + self.n_modes]
        adopted = modes.copy()
        for mode, gap in self._gap_of.items():
            if self.flipped[mode] and mode not in self.soft and len(self.soft) < MOST_SOFT:
                width = 0.0
                for outcome in (0.0, 1.0):
                    modes[:] = adopted
                    modes[mode] = outcome
                    ahead = y + span * self.slope(time, y)
                    width += abs(self._gap(gap, time + span, ahead) - self._gap(gap, time, y))
                if width > 0.0:
                    self.soft[mode] = width
        modes[:] = adopted
        self.put(time, y)
        self.look()

    def _gap(self, gap: int, time: float, y: NDArray[np.float64]) -> float:
        self.put(time, y)
        self.compute(self._look)
        return float(self.gaps[gap])

    def soft_slope(self, time: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """dy/dt as `slope`, mixed over the outcomes of the softened comparisons."""
        self.put(time, y)
        self.compute(self._look)
        true = [np.clip(0.5 - self.gaps[self._gap_of[mode]] / width, 0.0, 1.0) for mode, width in self.soft.items()]
        total = np.zeros(len(y))
        for outcomes in product((0.0, 1.0), repeat=len(true)):
            weight = prod(w if outcome else 1.0 - w for w, outcome in zip(true, outcomes, strict=True))
            if weight > 0.0:
                for mode, outcome in zip(self.soft, outcomes, strict=True):
                    self.memory[self._modes + mode] = outcome
                total += weight * self.slope(time, y)
        return total

    def look(self) -> bytes:
        """Bring assignment rules up to date and read all switches and triggers; equal bytes, equal outcomes."""
        self.compute(self._look)
        for mode in self.soft:
            self.memory[self._watched.start + mode] = self.gaps[self._gap_of[mode]] = 0.0
        return self.memory[self._watched].tobytes()

    def adopt(self) -> bool:
        """Take the outcomes last seen as the modes of the right-hand side; True if any differs."""
        first = self._watched.start
        seen = self.memory[first : first + self.n_modes]
        modes = self.memory[self._modes : self._modes + self.n_modes]
        flipped = seen != modes
        self.flipped |= flipped
        modes[:] = seen
        return bool(flipped.any())

    @property
    def watched(self) -> NDArray[np.float64]:
        """All switches and triggers, as last looked at."""
        return self.memory[self._watched]

    @property
    def triggers(self) -> NDArray[np.float64]:
        """1 or 0 for every event, as last looked at."""
        return self.memory[self._triggers]

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Left minus right side of every watched comparison, as last looked at."""
        return self.memory[self._gaps]

    @property
    def has_switches(self) -> bool:
        return self._watched.stop > self._watched.start


def _truth(graph: Graph, node: Node) -> Node:
    return node if graph.is_truth(node) else graph.node("neq", node, graph.number(0.0))


def _sign(graph: Graph, a: Node, b: Node) -> Node:
    """An equality holds at one instant only; the sign of the difference shows on which side of it we are."""
    one, zero, minus = graph.number(1.0), graph.number(0.0), graph.number(-1.0)
    below = graph.node("lt", a, b)
    return graph.node("select", below, minus, graph.node("select", graph.node("lt", b, a), one, zero))


def _switches(graph: Graph, roots: list[Node]) -> list[Node]:
    """Comparisons and steps among the nodes; of a remainder, the quotient that makes it jump."""
    found: dict[Node, None] = {}
    for node in graph.reachable(roots):
        operator = graph.operator(node)
        if operator in COMPARISONS or operator in _STEPS:
            found[node] = None
        elif operator == "rem":
            found[graph.node("quotient", *graph.arguments(node))] = None
    return list(found)


def _into(cells: slice, nodes: list[Node]) -> list[tuple[int, Node]]:
    return list(zip(range(cells.start, cells.stop), nodes, strict=True))
