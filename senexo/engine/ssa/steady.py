"""Networks whose propensities change at reactions alone, in the form that generated kernels are printed from.

No events, nothing that moves in time, fixed stoichiometries; anything else is run by the table kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.clock import Clock
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.laws import never_negative, vanishes
from senexo.engine.formula.network import Lowered
from senexo.engine.ssa.tables import block_size, fixed_coefficients
from senexo.engine.status import LARGEST

MOST_AT_ONCE = 2.0**20  # molecules of one reaction: from half of `LARGEST` it takes 4e9 reactions to the whole of it
MOST_UNWATCHED = 2**32  # reactions

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steady:
    """Reactions over whole numbers of molecules, with the assignment rules written in place."""

    graph: Graph
    rates: list[Node]
    counted: list[int]  # slots that reactions change; state number k is counted[k]
    constants: list[int]  # other slots that the laws read
    changes: list[list[tuple[int, float]]]  # of each reaction: (state number, whole number)
    may_be_negative: list[bool]  # of each reaction: its law
    may_run_out: list[bool]  # of each state: can a law fire without enough of it?
    reads: list[set[int]]  # of each reaction: the slots its law reads

    @property
    def block(self) -> int:
        return block_size(len(self.rates))

    @property
    def n_blocks(self) -> int:
        return -(-len(self.rates) // self.block)

    def stale(self, reaction: int) -> list[int]:
        """The reactions whose propensity this one changes."""
        changed = {self.counted[state] for state, _ in self.changes[reaction]}
        return [k for k, read in enumerate(self.reads) if changed & read]


@dataclass(frozen=True, slots=True)
class Form:
    """What of a network in this form is the same for all values at the start."""

    lowered: Lowered
    graph: Graph
    rates: list[Node]
    counted: list[int]
    reads: list[set[int]]
    constants: list[int]
    vanishing: list[list[bool]]  # of each reaction, for each of its changes: is its law 0 without the species?

    def at(self, v0: Values) -> Steady | None:
        """The network from these values [n_slots]; None where only the table kernel can say what is wrong.

        What does not change is a number that may be relied on for its sign.
        """
        counted, reactions = self.counted, self.lowered.reactions
        state = {slot: number for number, slot in enumerate(counted)}
        changes = [
            [(state[change.slot], float(evaluate(change.coefficient, v0, 0.0))) for change in reaction.changes]
            for reaction in reactions
        ]
        amounts = np.array([amount for group in changes for _, amount in group])
        if not (np.all(amounts == np.rint(amounts)) and np.all(v0[counted] == np.rint(v0[counted]))):
            return None
        if not np.all((v0[counted] >= 0.0) & (v0[counted] < LARGEST / 2)) or np.any(np.abs(amounts) > MOST_AT_ONCE):
            return None  # generated kernels do not look for counts that are too large
        positive = never_negative(self.graph, self.rates, v0, set(counted))
        runs_out = [False] * len(counted)
        for group, vanishing in zip(changes, self.vanishing, strict=True):
            for (number, amount), vanishes_there in zip(group, vanishing, strict=True):
                if amount < -1.0 or (amount == -1.0 and not vanishes_there):
                    runs_out[number] = True
        return Steady(
            graph=self.graph,
            rates=self.rates,
            counted=counted,
            constants=self.constants,
            changes=changes,
            may_be_negative=[not positive[rate] for rate in self.rates],
            may_run_out=runs_out,
            reads=self.reads,
        )


def form(lowered: Lowered) -> Form | None:
    """The network in this form; None where it has none."""
    if lowered.events or lowered.rate_rules or not lowered.reactions or not fixed_coefficients(lowered):
        return None
    clock = Clock(lowered)
    graph = clock.graph
    inlined: dict[int, Node] = {}
    for item in lowered.assignments:
        inlined[item.slot] = graph.add(item.math, inlined)
    rates = [graph.add(reaction.rate, inlined) for reaction in lowered.reactions]
    if any(clock.moves(rate) for rate in rates):
        return None
    counted = sorted({change.slot for reaction in lowered.reactions for change in reaction.changes})
    if not counted:
        return None
    vanishing = [
        [vanishes(graph, rate, graph.slot(change.slot)) for change in reaction.changes]
        for rate, reaction in zip(rates, lowered.reactions, strict=True)
    ]
    return Form(
        lowered=lowered,
        graph=graph,
        rates=rates,
        counted=counted,
        reads=[_slots(graph, [rate]) for rate in rates],
        constants=sorted(_slots(graph, rates) - set(counted)),
        vanishing=vanishing,
    )


def _slots(graph: Graph, roots: list[Node]) -> set[int]:
    return {int(graph.keys[node][1]) for node in graph.reachable(roots) if graph.operator(node) == "slot"}
