"""Patients of a study: the table `[cohort]`, with the numbers of `cohort.csv` and what departs from them.

A row of `cohort.csv` with a class of risk (ELN 2017) in its column `where` holds for that class, and is named
NAME_CLASS in `[cohort.draws]`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from importlib import resources

from senexo.base.errors import Fault
from senexo.base.units import shown
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows
from senexo.study.actions import either, when
from senexo.study.cursor import Cursor, named
from senexo.study.donors import draw_over
from senexo.study.form import cohort as form
from senexo.study.names import ModelNames
from senexo.study.schema import Cohort, Draw

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
    faults: list[Fault] = []
    text = (resources.files("senexo.study") / FILE).read_text(encoding="utf-8")
    found = {}
    for place, row in rows(FILE, text, ("where", *CircuitParameter.__slots__), faults):
        one = parameter(place, {name: row[name] for name in CircuitParameter.__slots__}, faults)
        if one is not None:
            found[f"{one.name}_{row['where']}" if row["where"] else one.name] = one
            faults += range_faults(place, one)
    assert not faults, faults
    return found


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
    given, there = either(cohort, place, "reads", "reads_h")
    reads: list[float] = []
    for entry, hour in zip(there.elements() if given else (), given or (), strict=True):
        if hour is None:
            continue
        if end is not None and hour > end:
            entry.fault(f"a time up to the end of the follow-up ({when(end)})")
        elif reads and hour <= reads[-1]:
            entry.fault("times that increase")
        reads.append(hour)
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
    found = {
        name: Draw(law=one.law, value=one.value, low=one.low, high=one.high, unit=one.unit, source=one.source,  # type: ignore[arg-type]
                   status=one.status)  # type: ignore[arg-type]
        for name, one in numbers().items()
    }  # fmt: skip
    if cohort.draws == "central":
        return {name: draw.model_copy(update={"law": "fixed"}) for name, draw in sorted(found.items())}
    for name, written in (cohort.draws or {}).items():
        entry = place.at(name)
        if name not in found:
            entry.fault(named(name, found, "numbers of a cohort"), found=f"the unknown number {shown(name)}")
        elif written is not None and (draw := draw_over(found[name], written, entry)) is not None:
            found[name] = draw
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
