"""Patients of a study: the table `[cohort]`, with the numbers of `cohort.csv` and what departs from them.

A row of `cohort.csv` with a class of risk (ELN 2017) in its column `where` holds for that class, and is named
NAME_CLASS in `[cohort.draws]`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping

from senexo.model.circuit_table import CircuitParameter
from senexo.study.actions import either, rising_times
from senexo.study.cursor import Cursor
from senexo.study.donors import draws_over
from senexo.study.form import cohort as form
from senexo.study.names import ModelNames, draw_of
from senexo.study.schema import Cohort, Draw
from senexo.study.shipped_numbers import shipped_numbers

FILE = "cohort.csv"
CLASSES = ("favourable", "intermediate", "adverse")
COVARIATES = ("age", "wbc", "blasts")
PERCENTS = (5, 25, 50, 75, 95)
ABOVE_ONE = ("stemness", "sensitivity", "doubling_sd", "damage_p53", "early_neutropenia", "bulk_reads")  # of unit 1
SIGNED = (
    "rank_age_wbc",
    "rank_wbc_blasts",
    "rank_age_blasts",
    "early_age",
    "early_wbc",
    "sensitivity_age",
    "salvage_age",
)
NEEDED = (("miR-34c-5p", "express"), ("p53", "knock_out"))  # verbs of the circuit that patients differ by


@functools.cache
def numbers() -> Mapping[str, CircuitParameter]:
    """Name (NAME_CLASS of a class) -> what is known of the number, with range, source and status."""
    known = shipped_numbers(FILE, "where").items()
    return {f"{name}_{where}" if where else name: one for (where, name), one in known}


def read_cohort(
    cohort: form.Cohort | None, place: Cursor, names: ModelNames | None, *, has_mice: bool
) -> Cohort | None:
    """The patients of a study; None without them, or after a fault."""
    if cohort is None:
        return None
    if has_mice:
        place.fault("mice or patients, not both", found="[mouse] and [cohort]")
    if names is not None and not _fits(names):
        verbs = ", ".join(f"{verb} of {name}" for name, verb in NEEDED)
        place.fault(f"a circuit of cells that are each alone, with {verbs}, e.g. mir34c-rab27b", found="patients")
    end, _ = either(cohort, place, "follow_up", "follow_up_h")
    if end is None and not place.has_fault():
        place.fault('the key follow_up, e.g. "1825 d"', found="no follow_up")
    reads = rising_times(cohort, place, "reads", end, "the end of the follow-up")
    draws = _draws(cohort, place.at("draws"))
    if place.has_fault() or end is None or cohort.patients is None or cohort.consolidations is None:
        return None
    return Cohort(
        patients=cohort.patients, follow_up_h=end, reads_h=tuple(dict.fromkeys([*reads, end])),
        consolidations=cohort.consolidations, stem_kinetics=cohort.stem_kinetics or "own",  # type: ignore[arg-type]
        apl=cohort.apl or "left out", draws=draws,  # type: ignore[arg-type]
    )  # fmt: skip


def _fits(names: ModelNames) -> bool:
    """Whether cells are each alone, and level of miR-34c-5p and p53 can be set."""
    if names.circuit is None or names.shares_a_medium:
        return False
    known = {(one.name, one.verb) for one in names.circuit.handles}
    return set(NEEDED) <= known


def _draws(cohort: form.Cohort, place: Cursor) -> dict[str, Draw]:
    """The numbers of the table with what the study says put over them; checked together."""
    table = {name: draw_of(one) for name, one in numbers().items()}
    found = draws_over(table, cohort.draws, place, "numbers of a cohort")
    _check(found, place)
    return dict(sorted(found.items()))


def _check(draws: Mapping[str, Draw], place: Cursor) -> None:
    """Faults of numbers that cannot be, alone or together."""
    ends = {n: (d.value, d.value) if d.law == "fixed" else (d.low, d.high) for n, d in draws.items()}
    for name, (low, high) in ends.items():
        if name in SIGNED:
            within, expected = low >= -1.0 and high <= 1.0, "-1 to 1"
        elif draws[name].unit == "1" and not name.startswith(ABOVE_ONE) and not name.endswith("_sd"):
            within, expected = low >= 0.0 and high <= 1.0, "a share from 0 to 1"
        else:
            within, expected = low >= 0.0, "0 or more"
        if not within:
            place.at(name).fault(expected, found=f"{low:g} to {high:g}")
    for what in COVARIATES:
        for where in CLASSES:
            quantiles = [ends[f"{what}_p{percent}_{where}"] for percent in PERCENTS]
            if any(high >= low for (_, high), (low, _) in itertools.pairwise(quantiles)):
                place.at(f"{what}_p50_{where}").fault("quantiles that increase", found=f"{what}_p5 to p95 of {where}")
