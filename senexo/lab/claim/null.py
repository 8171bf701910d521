"""The null world of a claim: the arms it compares, simulated once more from the same donors with its edges cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.lab.experiment import World
from senexo.study.claims import Clause, observables, parse_claim
from senexo.study.observables import Observable

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment, Get, Unit
    from senexo.study.schema import Claim, Study

Floats = NDArray[np.float64]


class Trees(NamedTuple):
    """The conditions of a claim: what must hold, for which donors (None: all), where it could (None: not known)."""

    holds: Clause
    given: Clause | None
    possible: Clause | None


def trees(claim: Claim) -> Trees:
    """The conditions of a claim, parsed."""
    given, possible = (parse_claim(text) if text else None for text in (claim.given, claim.possible_when))
    return Trees(parse_claim(claim.holds_when), given, possible)


def read_by(claim: Claim) -> list[Observable]:
    """Everything the claim reads, in any of its conditions."""
    return list(dict.fromkeys(found for tree in trees(claim) if tree is not None for found in observables(tree)))


def compared(claim: Claim) -> list[Observable]:
    """What is read in the null too: all but what chooses the donors, and the positive control."""
    return observables(trees(claim).holds)


def arms(study: Study) -> frozenset[str]:
    """The arms that the claim compares, by name: those that are simulated in the null too."""
    return frozenset(found.arm for found in compared(study.claim)) if study.claim else frozenset()


def units(experiment: Experiment) -> list[Unit]:
    """The units of the null, donor by donor; none without a claim."""
    names, chosen = list(experiment.study.arms), arms(experiment.study)
    own = [unit for unit in experiment.units() if unit.world is World.STUDY]
    return [replace(unit, world=World.NULL) for unit in own if names[unit.arm] in chosen]


def check(experiment: Experiment) -> None:
    """Refuse a claim that reads what the experiment's model cannot show.

    Raises
    ------
    InvalidInput
        With one fault for every quantity it lacks.
    """
    claim = experiment.study.claim
    quantities = dict.fromkeys(found.quantity for found in read_by(claim)) if claim else {}
    lacking = [(quantity, needed) for quantity in quantities if (needed := experiment.lacks(quantity))]
    if lacking:
        raise InvalidInput([Fault("claim", f"{quantity.value}(...)", needed) for quantity, needed in lacking])


def read(
    experiment: Experiment, wanted: Sequence[Observable], get: Get, *, world: World = World.STUDY
) -> dict[Observable, Floats]:
    """One number per donor [donors] for every observable, from the stored units of one world."""
    names, n = list(experiment.study.arms), experiment.study.donors.n
    values = {observable: np.full(n, np.nan) for observable in wanted}
    for unit in experiment.units():
        here = [observable for observable in wanted if observable.arm == names[unit.arm]]
        if unit.world is World.STUDY and here:
            own = replace(unit, world=world)
            arrays = get(own.chunk)
            for observable in here:
                values[observable][unit.donor - 1] = experiment.value(observable, own, arrays)
    return values
