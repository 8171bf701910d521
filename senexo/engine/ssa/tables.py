"""A network as tables for the exact stochastic kernel: what to recompute after each reaction, when time cuts in.

Raises `UnsupportedFeature` for what can be seen to have no stochastic meaning before a run is begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.clock import Clock
from senexo.engine.formula.graph import COMPARISONS, Node
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.model.expression import Expression, Number, Slot, walk

Ints = NDArray[np.int64]
WHEN, GAP, STEP = 0, 1, 2  # what gives a switch's next turn: the time itself, a difference to 0, a value to a whole


class Core(NamedTuple):
    """What every run reads. Spans are rows [first, last) of `code`, cells places in memory.

    Few arrays in all: each one more costs compilation time wherever they are handed on.
    """

    code: NDArray[np.int32]
    time: int
    everything: Ints  # span: all assignment rules, propensities, coefficients, triggers
    n_reactions: int
    block: int  # propensities are summed in blocks of this many
    rate: int  # cell of the first propensity; those of the others follow
    trigger: int  # cell of the first trigger
    reactions: Ints  # [n_reactions + 1, 6]: see below
    stale: Ints  # reactions whose propensity is another after a reaction, ascending
    changes: Ints  # [n, 2]: slot, and cell of the coefficient
    counted: Ints  # slots that must hold whole numbers


# Columns of `reactions`: what to run after it (span), the firsts of its rows in `stale` and `changes`, whether it may
# turn a trigger, whether it may change when a switch turns.
AFTER, AFTER_END, STALE, CHANGES, WATCHED, MOVES_CUT = range(6)


class Events(NamedTuple):
    """What runs with events and moving rates read besides."""

    initial: NDArray[np.bool_]  # of each event: the trigger's value before the run
    persistent: NDArray[np.bool_]
    early: NDArray[np.bool_]  # uses the values of the trigger's time
    delay: Ints  # [n_events, 2] spans, empty where there is none
    priority: Ints
    assign: Ints
    scratch: int  # cell of the first event's delay or priority
    value_first: Ints  # [n_events + 1] into `values`; the cells are value_cell + these
    value_cell: int
    values: Ints  # [n, 2]: slot, and the slot of the size to multiply with, or -1


class Motion(NamedTuple):
    """What moves in time: switches with a known next turn, and what flows."""

    cuts: Ints  # span that computes the cells below
    cut: Ints  # [n, 2]: kind, and cell of the time or value; for GAP and STEP the slope is in the next cell
    flow: Ints  # span: moving rules, moving propensities and the slopes of rate rules
    flow_slot: Ints
    flow_cell: int
    marks: NDArray[np.float64]  # times that no step of the integration passes, ascending


class Model(NamedTuple):
    """Everything about a network; `flows`: hazards must be integrated, as propensities or quantities move smoothly."""

    core: Core
    events: Events
    motion: Motion
    flows: bool


class Start(NamedTuple):
    """What runs begin with: values [n_slots], the key of all their streams, the number of the first."""

    values: NDArray[np.float64]
    key: NDArray[np.uint64]
    first_run: int


class Request(NamedTuple):
    """The outputs and limits of every run.

    times: of the outputs, ascending; most: reactions; trace [events, 2]: takes (time, reaction) of the first reactions
    of each run in turn, [0, 2] for none; stop [1]: a sign by which another thread ends the work.
    """

    times: NDArray[np.float64]
    most: int
    trace: NDArray[np.float64]
    stop: NDArray[np.bool_]


class Work(NamedTuple):
    """What one run writes, beside its outputs."""

    memory: NDArray[np.float64]  # slots, time, propensities, constants and temporaries
    key: NDArray[np.uint64]  # [2]
    state: NDArray[np.float64]  # [4]: time, what is left of the exponential, choice, total propensity
    done: Ints  # [2]: outputs written, reactions fired
    within: NDArray[np.float64]  # running sums of propensities inside each block
    before: NDArray[np.float64]  # [n_blocks + 1]: of all blocks before


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one network: `model` for the kernels, `memory` as a run begins with it.

    plain: propensities change at reactions alone.
    """

    model: Model
    memory: NDArray[np.float64]
    plain: bool

    def work(self) -> Work:
        """Room for one run."""
        core = self.model.core
        filled = blocked(core.n_reactions)
        return Work(
            memory=self.memory.copy(),
            key=np.zeros(2, dtype=np.uint64),
            state=np.zeros(4),
            done=np.zeros(2, dtype=np.int64),
            within=np.zeros(filled),
            before=np.zeros(filled // core.block + 1),
        )


def block_size(n_reactions: int) -> int:
    """Propensities per block. Work goes with their number and size, so about the root; half more was fastest."""
    return max(1, ceil(1.5 * sqrt(n_reactions)))


def blocked(n_reactions: int) -> int:
    """Propensities once the last block is filled up."""
    size = block_size(n_reactions)
    return size * ceil(n_reactions / size)


def fixed_coefficients(lowered: Lowered) -> bool:
    """Are all stoichiometries the same throughout a run?"""
    return not any(
        isinstance(node, Slot) and lowered.slots[node.index].changes
        for reaction in lowered.reactions
        for change in reaction.changes
        for node in walk(change.coefficient)
    )


def tables(lowered: Lowered) -> Tables:
    """The tables of one network, with room for one run's cells."""
    return _Tables(lowered).finish()


class _Tables:
    """The tables while they are put together."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.clock = Clock(lowered)
        self.assembler = Assembler(len(lowered.slots))
        self.rules = {a.slot: a.math for a in lowered.assignments}
        reactions, cells = lowered.reactions, self.assembler.cells
        self.rate = cells(blocked(len(reactions)))
        changes = [change for reaction in reactions for change in reaction.changes]
        self.coefficient = cells(len(changes))
        self.trigger = cells(len(lowered.events))
        self.scratch = cells(len(lowered.events))
        self.values = cells(sum(len(event.assignments) for event in lowered.events))
        for change in changes:
            self.check_coefficient(change.coefficient, change.slot)
        self.targets: list[tuple[int, Expression]] = [
            *((self.rate + k, reaction.rate) for k, reaction in enumerate(reactions)),
            *((self.coefficient + k, change.coefficient) for k, change in enumerate(changes)),
            *((self.trigger + k, event.trigger) for k, event in enumerate(lowered.events)),
        ]
        self.reads = {cell: self.all_reads(math) for cell, math in self.targets}

    def check_coefficient(self, coefficient: Expression, slot: int) -> None:
        name = self.lowered.slots[slot].id
        if self.clock.flows(self.clock.add(coefficient)):
            raise UnsupportedFeature("a stoichiometry that changes in time", f"of species {name}")
        if isinstance(coefficient, Number) and coefficient.value != round(coefficient.value):
            raise UnsupportedFeature(
                "a stoichiometry that is not whole", f"{coefficient.value:g} of species {name} in a stochastic run"
            )

    def all_reads(self, math: Expression) -> set[int]:
        """The slots a formula stands on, through assignment rules too."""
        found: set[int] = set()
        ahead = [math]
        while ahead:
            new = {node.index for node in walk(ahead.pop()) if isinstance(node, Slot)} - found
            found |= new
            ahead.extend(self.rules[slot] for slot in new if slot in self.rules)
        return found

    # ---- programs

    def rules_for(self, changed: set[int] | None) -> list[tuple[int, Expression]]:
        """The assignment rules that a change of these slots makes stale; all of them for None."""
        items: list[tuple[int, Expression]] = []
        stale = set() if changed is None else set(changed)
        for rule in self.lowered.assignments:
            if changed is None or any(isinstance(node, Slot) and node.index in stale for node in walk(rule.math)):
                items.append((rule.slot, rule.math))
                stale.add(rule.slot)
        return items

    def after(self, reaction: LoweredReaction) -> tuple[Span, list[int], tuple[int, int]]:
        changed = {change.slot for change in reaction.changes}
        cells = [(cell, math) for cell, math in self.targets if self.reads[cell] & changed]
        span = self.assembler.program([*self.rules_for(changed), *cells])
        stale = [cell - self.rate for cell, _ in cells if cell < self.coefficient]
        watched = any(cell >= self.trigger for cell, _ in cells)
        return span, stale, (int(watched), int(bool(changed & self.cut_reads)))

    def events(self) -> Events:
        lowered, program = self.lowered, self.assembler.program
        cell = self.values
        spans: dict[str, list[Span]] = {"delay": [], "priority": [], "assign": []}
        for index, event in enumerate(lowered.events):
            for name, math in (("delay", event.delay), ("priority", event.priority)):
                spans[name].append(program([] if math is None else [(self.scratch + index, math)]))
            spans["assign"].append(program((cell + k, item.math) for k, item in enumerate(event.assignments)))
            cell += len(event.assignments)
        return Events(
            initial=np.array([event.initial_value for event in lowered.events], dtype=np.bool_),
            persistent=np.array([event.persistent for event in lowered.events], dtype=np.bool_),
            early=np.array([event.use_values_from_trigger_time for event in lowered.events], dtype=np.bool_),
            delay=_rows(spans["delay"]),
            priority=_rows(spans["priority"]),
            assign=_rows(spans["assign"]),
            scratch=self.scratch,
            value_first=_first(event.assignments for event in lowered.events),
            value_cell=self.values,
            values=_rows((item.slot, item.size) for event in lowered.events for item in event.assignments),
        )

    def motion(self) -> Motion:
        """Programs for the moments at which the moving switches turn; others are left to `flow`."""
        lowered, clock, graph = self.lowered, self.clock, self.clock.graph
        roots = [clock.add(math) for _, math in self.targets]
        roots += [clock.add(rule.math) for rule in lowered.rate_rules]
        cuts: list[tuple[int, int]] = []
        items: list[tuple[int, Node]] = []
        untold = False  # is there a switch whose turn has to be looked for?
        for switch in clock.switches(roots):
            kind, value = _turn(clock, switch)
            slope = clock.slope(value)
            if slope is None:
                untold = True
                continue
            cell = self.assembler.cells(2)
            cuts.append((kind, cell))
            items += [(cell, value), (cell + 1, slope)]
        read = [
            graph.keys[node][1] for node in graph.reachable([n for _, n in items]) if graph.operator(node) == "slot"
        ]
        self.cut_reads = set().union(*(self.all_reads(Slot(int(slot))) for slot in read))

        rates = [(cell, math) for cell, math in self.targets if cell < self.coefficient]
        moving = [(cell, math) for cell, math in rates if clock.moves(clock.add(math))]
        triggers = [(cell, math) for cell, math in self.targets if cell >= self.trigger]
        rules = [(rule.slot, rule.math) for rule in lowered.assignments if rule.slot in clock.moved]
        first = self.assembler.cells(len(lowered.rate_rules))
        slopes = [(first + k, rule.math) for k, rule in enumerate(lowered.rate_rules)]
        self.flows = bool(lowered.rate_rules) or untold or any(clock.flows(clock.add(math)) for _, math in moving)
        return Motion(
            cuts=np.array(self.assembler.assemble(graph, items), dtype=np.int64),
            cut=_rows(cuts),
            flow=np.array(self.assembler.program([*rules, *moving, *triggers, *slopes]), dtype=np.int64),
            flow_slot=np.array([rule.slot for rule in lowered.rate_rules], dtype=np.int64),
            flow_cell=first,
            marks=np.empty(0),
        )

    def finish(self) -> Tables:
        reactions = self.lowered.reactions
        motion, events = self.motion(), self.events()
        after = [self.after(reaction) for reaction in reactions]
        everything = self.assembler.program([*self.rules_for(None), *self.targets])
        changes = [change for reaction in reactions for change in reaction.changes]
        built = self.assembler.finish()
        rows = np.column_stack((
            _rows([*(span for span, *_ in after), (0, 0)]),
            _first(stale for _, stale, *_ in after),
            _first(reaction.changes for reaction in reactions),
            _rows([*(flags for *_, flags in after), (0, 0)]),
        ))  # fmt: skip
        core = Core(
            code=built.code,
            time=built.time,
            everything=np.array(everything, dtype=np.int64),
            n_reactions=len(reactions),
            block=block_size(len(reactions)),
            rate=self.rate,
            trigger=self.trigger,
            reactions=np.ascontiguousarray(rows),
            stale=np.array([k for _, stale, *_ in after for k in stale], dtype=np.int64),
            changes=_rows((change.slot, self.coefficient + k) for k, change in enumerate(changes)),
            counted=np.array(sorted({change.slot for change in changes}), dtype=np.int64),
        )
        plain = not self.lowered.events and not len(motion.cut) and not self.flows
        return Tables(Model(core, events, motion, self.flows), built.memory, plain)


def _turn(clock: Clock, switch: Node) -> tuple[int, Node]:
    """Which of `WHEN`, `GAP` and `STEP` gives a switch's next turn, and the node that holds the time or the value."""
    graph = clock.graph
    operator, arguments = graph.operator(switch), graph.arguments(switch)
    if operator in COMPARISONS:
        for one, other in (arguments, arguments[::-1]):
            if graph.operator(one) == "time" and not clock.flows(other):
                return WHEN, other
        return GAP, graph.node("minus", *arguments)
    if operator == "quotient":
        return STEP, graph.node("divide", *arguments)
    return STEP, arguments[0]


def _rows(items: Iterable[tuple[int, int]]) -> Ints:
    return np.array(list(items), dtype=np.int64).reshape(-1, 2)


def _first(groups: Iterable[Sequence[object]]) -> Ints:
    """Where each group begins when all are written in a row, and the end of the last."""
    return np.cumsum([0, *(len(group) for group in groups)]).astype(np.int64)
