"""The null world of a claim: the arms it reads, grown once more from the same donors with the null's edges cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.lab import protocol
from senexo.lab.coupled import halving
from senexo.lab.coupled.community import Community
from senexo.lab.lone import dish
from senexo.lab.lone.culture import Culture
from senexo.lab.lone.dish import Get, Unit
from senexo.study.claims import Clause, observables, parse_claim
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    from senexo.study.schema import Arm, Claim, Study

Floats = NDArray[np.float64]
WORLD = "null-"
NEEDS = {Quantity.SENESCENCE: "the fate commitment", Quantity.ARRESTED: "a switch that arrests"}


def trees(claim: Claim) -> tuple[Clause, Clause | None]:
    """What must hold, and of which donors it is asked (None: all)."""
    return parse_claim(claim.holds_when), parse_claim(claim.given) if claim.given else None


def asked(claim: Claim) -> list[Observable]:
    """Everything the claim reads, in either tree."""
    holds, given = trees(claim)
    return list(dict.fromkeys([*observables(holds), *(observables(given) if given else ())]))


def compared(claim: Claim) -> list[Observable]:
    """What is read in the null too: all but what chooses the donors."""
    return observables(trees(claim)[0])


def arms(study: Study) -> dict[str, Arm]:
    """The arms that the claim compares, as they are in its null: what it cuts is cut last, whatever they are."""
    claim = study.claim
    if claim is None:
        return {}
    read_here = {reading.arm for reading in compared(claim)}
    return {name: protocol.cut(arm, claim.cuts) for name, arm in study.arms.items() if name in read_here}


def units(study: Study) -> list[Unit]:
    """What is to be grown for the null, donor by donor; nothing without a claim."""
    cut = arms(study)
    chosen = [number for number, name in enumerate(study.arms) if name in cut]
    return [Unit(arm, donor, "", 0, WORLD) for donor in range(1, study.donors.n + 1) for arm in chosen]


def check(culture: Culture | Community) -> None:
    """Refuse a claim that reads what this model cannot show."""
    claim, fates = culture.study.claim, {fate.name for fate in culture.fates}
    there = {Quantity.SENESCENCE: "commitment" in fates, Quantity.ARRESTED: culture.arrest is not None}
    lacking = [f for f in dict.fromkeys(r.quantity for r in asked(claim)) if not there.get(f, True)] if claim else []
    if lacking:
        raise InvalidInput([Fault("claim", f"{q.value}(...)", f"a model with {NEEDS[q]}") for q in lacking])


def fill(
    culture: Culture, arm: Arm, unit: Unit, cancelled: Callable[[], bool] = lambda: False
) -> dict[str, NDArray[Any]]:
    """Grow one unit of the null: `course`, `shares` and `arrest` as in `dish.fill`, at the read-out times alone."""
    (kind,) = culture.study.cells.values()
    growth = culture.grow(arm, unit.donor, range(1, kind.n + 1), cancelled=cancelled)
    return dish.means(culture, growth, culture.readout_times)


def filler(culture: Culture | Community) -> Callable[[Unit, Callable[[], bool]], dict[str, NDArray[Any]]]:
    """The work on one unit, be it of the study, of its claim's null or of its halving check."""
    names, treated, cut = list(culture.study.arms), list(culture.study.arms.values()), arms(culture.study)

    def work(unit: Unit, cancelled: Callable[[], bool]) -> dict[str, NDArray[Any]]:
        if isinstance(culture, Community):
            if unit.world == halving.WORLD:
                return halving.fill(culture, unit, cancelled)
            return culture.fill(cut[names[unit.arm]] if unit.world else treated[unit.arm], unit, cancelled)
        if not unit.world:
            return dish.fill(culture, unit, cancelled)
        return fill(culture, cut[names[unit.arm]], unit, cancelled)

    return work


def read(
    culture: Culture | Community, wanted: Sequence[Observable], get: Get, *, world: str = ""
) -> dict[Observable, Floats]:
    """One number per donor [donors] for everything a claim reads, from the stored units of one world."""
    study, values = culture.study, {reading: np.empty(culture.study.donors.n) for reading in wanted}
    for number, name in enumerate(study.arms):
        here = [reading for reading in wanted if reading.arm == name]
        for donor in range(1, study.donors.n + 1) if here else ():
            arrays = get(Unit(number, donor, "", 0, world).chunk)
            for reading in here:
                values[reading][donor - 1] = (
                    culture.value(reading, arrays)
                    if isinstance(culture, Community)
                    else _value(culture, reading, arrays, of_null=bool(world))
                )
    return values


def _value(culture: Culture, reading: Observable, arrays: Mapping[str, NDArray[Any]], *, of_null: bool) -> float:
    """What one unit shows; nan where no cell is alive to show it."""
    (kind,) = culture.study.cells.values()
    at = np.searchsorted(culture.readout_times if of_null else culture.curve_times, reading.time_h)
    alive, _, senescent = arrays["shares"][at]
    stopped, living = arrays["arrest"][np.searchsorted(culture.readout_times, reading.time_h)]
    if reading.readout is not None:
        return float(arrays["course"][at, culture.study.readouts.names.index(reading.readout)])
    arrested = stopped / living if living else np.nan
    return float(
        {"alive": alive, "cells": alive * kind.n, "senescence": senescent, "arrested": arrested}[reading.quantity.value]
    )
