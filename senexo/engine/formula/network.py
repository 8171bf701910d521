"""A network as the kernels have it: expressions over numbered slots, without units and SBML defaults.

`senexo.engine.formula.lower` makes a `Lowered` from a `Network`; everything else in the engine reads one. The value
vector `v` (float64, one entry per slot) is the whole state of one cell or one model: compartment sizes,
species AMOUNTS (never concentrations), parameters, local parameters, species-reference stoichiometries,
reaction rates where a formula names one. Formulas have function definitions written in place, species
concentrations spelled as amount / size, rateOf spelled out, and `Symbol` replaced by `Slot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.model.expression import Expression

SlotKind = Literal[
    "compartment", "species", "parameter", "local parameter", "species reference", "reaction", "delay", "unknown"
]  # "delay": a formula some time ago; "unknown": a rate of change, or the extent of a fast reaction, to be solved for


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """What one slot stands for; only the layers that talk to people read it."""

    id: str  # SBML id; a local parameter is "reaction.parameter"
    kind: SlotKind
    compartment: int = -1  # of a species: slot of its compartment, else -1
    changes: bool = False  # may differ from its initial value during a run


@dataclass(frozen=True, slots=True)
class Assigned:
    """`size` is used by event assignments only: see `LoweredEvent`."""

    slot: int
    math: Expression
    size: int = -1


@dataclass(frozen=True, slots=True)
class Change:
    """One species' part in a reaction: amount changes by `coefficient` (reactants negative, conversion factor in)."""

    slot: int
    coefficient: Expression


@dataclass(frozen=True, slots=True)
class LoweredReaction:
    """`rate` is the kinetic law (extent per time). Boundary and constant species have no `Change`.

    `reactants` lists (species slot, stoichiometry expression) as written, boundary species included. `forward` and
    `backward` are the two parts of a law that is a difference, where the reaction is reversible and has both ways.
    """

    id: str
    rate: Expression
    changes: tuple[Change, ...]
    reactants: tuple[tuple[int, Expression], ...] = ()
    forward: Expression | None = None
    backward: Expression | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """`slot` holds the value that `math` had `lag` ago, and before the start that of `before` (of the time then)."""

    slot: int
    math: Expression
    lag: Expression
    before: Expression


@dataclass(frozen=True, slots=True)
class Invariant:
    """`math` is 0 at all times, and holds no unknown of its own: it binds the states.

    `along`: the directions in which states are corrected to it, each as changes of slots; without any, by the least.
    """

    math: Expression
    along: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Algebra:
    """Equations 0 = `equations` that determine the slots `unknowns`, as many as there are, and the `invariants`.

    `initial`: initial assignments that read an unknown, in their order. Assignment rules are written in place.
    """

    unknowns: tuple[int, ...]
    equations: tuple[Expression, ...]
    invariants: tuple[Invariant, ...]
    initial: tuple[Assigned, ...] = ()


@dataclass(frozen=True, slots=True)
class LoweredEvent:
    """Assignments are to amounts: one to a species with concentration meaning is already multiplied by the size.

    Only where that size changes during the run is it left out, and `Assigned.size` names its slot: the value found
    by `math` (perhaps at the trigger's time) is then multiplied by the size as it is just before the event executes,
    whatever the event assigns to the compartment (cases 01779 and 01780 of the SBML Test Suite).
    """

    id: str
    trigger: Expression
    initial_value: bool
    persistent: bool
    delay: Expression | None
    priority: Expression | None
    use_values_from_trigger_time: bool
    assignments: tuple[Assigned, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A network ready to run.

    `values` are the numbers written in the model (nan where none is). At the start of a run they are
    copied, overridden by the caller, and `initial` is evaluated in order. `assignments` (assignment
    rules, in dependency order) are evaluated whenever time or any value has changed. `rates` is the full
    right-hand side for the deterministic reading: reactions and rate rules together, one entry per
    changing slot. `rate_rules` is the part of it that does not come from reactions (for stochastic runs). `delays` and
    `algebra` are for deterministic runs of one model alone (`refuse_constraints`).
    """

    slots: tuple[SlotInfo, ...]
    values: NDArray[np.float64]
    initial: tuple[Assigned, ...]
    assignments: tuple[Assigned, ...]
    rates: tuple[Assigned, ...]
    rate_rules: tuple[Assigned, ...]
    reactions: tuple[LoweredReaction, ...]
    events: tuple[LoweredEvent, ...]
    delays: tuple[Delayed, ...] = ()
    algebra: Algebra | None = None

    def slot(self, id: str) -> int:
        """The slot of an SBML id; KeyError when there is none."""
        for index, info in enumerate(self.slots):
            if info.id == id:
                return index
        raise KeyError(id)


def refuse_constraints(lowered: Lowered, where: str) -> None:
    """Raise `UnsupportedFeature` for delays, algebraic rules and fast reactions; `where` is what lacks them.

    >>> import numpy as np
    >>> refuse_constraints(Lowered((), np.empty(0), (), (), (), (), (), ()), "a batch")
    """
    if lowered.delays:
        raise UnsupportedFeature("delay()", f"{where}; method='ode' of senexo.simulate has it")
    if lowered.algebra is not None:
        fast = any(invariant.along for invariant in lowered.algebra.invariants)
        feature = "fast reaction" if fast else "algebraic rule"
        raise UnsupportedFeature(feature, f"{where}; method='ode' of senexo.simulate has it")
