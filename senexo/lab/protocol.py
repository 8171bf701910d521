"""Interventions and their times: the resolved actions of an arm, and the stretches of undisturbed time between them.

Nothing here knows an arm's name. An action names a quantity of the network by its SBML id, an operation and a
number; a dose, a knock-out, a cut edge and fresh medium are the same thing with other numbers. Every kind of experiment
has the same timeline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.network import Lowered

if TYPE_CHECKING:
    from senexo.study.schema import Action, Arm, Study

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Do `actions` at `times[0]`, then run undisturbed; `kept` marks the times that are read."""

    times: Floats
    actions: tuple[Action, ...]
    kept: NDArray[np.bool_]


def stretches(grid: Floats, schedule: Sequence[Action]) -> list[Stretch]:
    """The time from grid[0] to grid[-1] cut at every action; each grid time but the first is kept exactly once.

    A grid time with an intervention is kept in the stretch that ends there: the sample is taken, then the action done.
    """
    cuts = sorted({float(grid[0])} | {a.time_h for a in schedule if a.time_h is not None and a.time_h < grid[-1]})
    out = []
    for start, end in zip(cuts, [*cuts[1:], float(grid[-1])], strict=True):
        kept = grid[(grid > start) & (grid <= end)]
        times = np.unique(np.concatenate([[start], kept, [end]]))
        out.append(Stretch(times, tuple(a for a in schedule if a.time_h == start), np.isin(times, kept)))
    return out


def act(v: Floats, actions: Iterable[Action], slot: Mapping[str, int]) -> None:
    """Do the actions, in their order, to the states `v` [cells, slots] in place."""
    for action in actions:
        at = slot[action.target]
        if action.operation == "set":
            v[:, at] = action.value
        elif action.operation == "multiply":
            v[:, at] *= action.value
        else:
            v[:, at] += action.value


def check(study: Study, lowered: Lowered, fates: Collection[str]) -> None:
    """Refuse what would be lost or without meaning.

    That is an action on what is not there, or on what a rule sets anew at once; and a stain for senescent cells in
    a model whose cells never commit.

    Raises
    ------
    InvalidInput
        With all such faults of the study.
    """
    known = {info.id for info in lowered.slots}
    ruled = {lowered.slots[rule.slot].id for rule in lowered.assignments}
    faults = []
    for name, arm in study.arms.items():
        above = (*arm.insert.genotype, *arm.insert.schedule) if arm.insert else ()
        for action in (*arm.genotype, *arm.schedule, *above):
            if action.target not in known:
                faults.append(Fault(f"arms.{name}", f"an action on {action.target!r}", "a quantity of the model"))
            elif action.target in ruled:
                faults.append(
                    Fault(f"arms.{name}", f"an action on {action.target!r}", "a quantity that no assignment rule sets")
                )
    if "commitment" not in fates and any(request.name == "senescence" for request in study.assays):
        faults.append(Fault("assays", "senescence", "a model with the fate commitment (see docs/circuit.md)"))
    if faults:
        raise InvalidInput(faults)


def effects(actions: Sequence[Action]) -> tuple[tuple[float | None, str, str, float], ...]:
    """What actions do, without their labels: time (h), target, operation, value."""
    return tuple((a.time_h, a.target, a.operation, a.value) for a in actions)


def _treatment(arms: Mapping[str, Arm], name: str) -> tuple[object, ...]:
    """All interventions in an arm's well, without labels; another arm's medium by the interventions there."""
    arm = arms[name]
    above = arm.insert and (
        sorted(arm.insert.cells.items()),
        effects(arm.insert.genotype),
        effects(arm.insert.schedule),
    )
    media = tuple((_treatment(arms, m.arm), m.taken_h, m.share, m.time_h) for m in arm.medium_from)
    plain = (effects(arm.genotype), effects(arm.schedule))
    more = (sorted(arm.cells.items()), above, media)
    given = tuple(tuple(one.model_dump().items()) for one in arm.body_doses)
    return (*plain, *(more if any(more) else ()), *((("body doses", given),) if given else ()))


def occurrences(arms: Mapping[str, Arm]) -> list[tuple[str, int]]:
    """For each arm a SHA-256 of its interventions, and how many arms before it have exactly the same.

    Names, families and the order of arms do not count: this, not the name, keys the random numbers of an arm's wells.
    """
    seen: dict[str, int] = {}
    out = []
    for name in arms:
        digest = hashlib.sha256(repr(_treatment(arms, name)).encode()).hexdigest()
        out.append((digest, seen.get(digest, 0)))
        seen[digest] = seen.get(digest, 0) + 1
    return out
