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

from senexo.model.expression import Expression

SlotKind = Literal["compartment", "species", "parameter", "local parameter", "species reference", "reaction"]


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

    `reactants` lists (species slot, stoichiometry expression) as written, boundary species included.
    """

    id: str
    rate: Expression
    changes: tuple[Change, ...]
    reactants: tuple[tuple[int, Expression], ...] = ()


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
    changing slot. `rate_rules` is the part of it that does not come from reactions (for stochastic runs).
    """

    slots: tuple[SlotInfo, ...]
    values: NDArray[np.float64]
    initial: tuple[Assigned, ...]
    assignments: tuple[Assigned, ...]
    rates: tuple[Assigned, ...]
    rate_rules: tuple[Assigned, ...]
    reactions: tuple[LoweredReaction, ...]
    events: tuple[LoweredEvent, ...]

    def slot(self, id: str) -> int:
        """The slot of an SBML id; KeyError when there is none."""
        for index, info in enumerate(self.slots):
            if info.id == id:
                return index
        raise KeyError(id)
