"""What is measured and claimed: read-outs, replicates and their noise, the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from senexo.base.errors import InvalidInput
from senexo.study.actions import either, when
from senexo.study.claims import Vocabulary, parse_claim
from senexo.study.cursor import Cursor
from senexo.study.donors import HERE
from senexo.study.form import measured as form
from senexo.study.form.arms import Interventions
from senexo.study.form.kinds import DEFAULT_GRID_H, MAX_GRID_POINTS
from senexo.study.names import ModelNames
from senexo.study.schema import About, Action, Arm, Claim, Readouts, Replicates
from senexo.study.verbs import VerbReader

# where the default numbers of noise come from; the status of each is "assumed"
SOURCES: Mapping[str, str] = {
    "false_positive": "background staining of growing cells",
    "false_negative": "senescent cells that are overlooked",
    "lysed_cells": "cells whose RNA enters one reaction, losses included",
    "ct_sd": "spread between technical replicates",
    "ct_one_copy": "Ct of a single template; depends on instrument and threshold",
    "ct_cutoff": "cycles run",
    "efficiency": "doubling in every cycle",
    "reference_copies": "order of magnitude per cell, the same in every arm",
}


@dataclass(frozen=True, slots=True)
class Reads:
    """Times and names of a study's read-outs, for the parts that refer to them; None: unknown, for a fault in them."""

    times_h: tuple[float, ...] | None
    names: tuple[str, ...] | None


def read_readouts(
    readouts: form.Readouts | None, place: Cursor, names: ModelNames | None, end_h: float | None
) -> tuple[Readouts | None, Reads]:
    """Times within the culture, the fine grid, and the read-outs by name; all of a model's read-outs by default."""
    written = readouts or form.Readouts()
    times, times_place = either(written, place, "times", "times_h")
    step, step_place = either(written, place, "grid", "grid_h")
    if step is not None and end_h is not None and end_h / step > MAX_GRID_POINTS:
        step_place.fault(f"a grid of at most {MAX_GRID_POINTS} points", found=f"{end_h / step:.0f} points")
    hours = _increasing(times, times_place, end_h) if times else None if end_h is None else [0.0, end_h]
    usual: Sequence[str] | None = names.usual if names else None
    chosen = usual if written.names is None else _names(written.names, place.at("names"), names)
    reads = Reads(
        None if hours is None or times_place.has_fault() else tuple(hours),
        None if chosen is None or place.at("names").has_fault() else tuple(chosen),
    )
    if place.has_fault() or reads.times_h is None or reads.names is None:
        return None, reads
    grid = DEFAULT_GRID_H if step is None else step
    return Readouts(times_h=reads.times_h, grid_h=grid, names=reads.names), reads


def _increasing(times: list[float | None], place: Cursor, end_h: float | None) -> list[float]:
    found: list[float] = []
    for entry, hour in zip(place.elements(), times, strict=True):
        if hour is None:
            continue
        if end_h is not None and hour > end_h:
            entry.fault(f"a time up to the end of the culture ({when(end_h)})")
        elif found and hour <= found[-1]:
            entry.fault("times that increase")
        found.append(hour)
    return found


def _names(written: list[str | None], place: Cursor, names: ModelNames | None) -> list[str]:
    found: list[str] = []
    for entry, name in zip(place.elements(), written, strict=True):
        if name is None or (names is not None and entry.one_of(names.readouts, "read-outs") is None):
            continue
        if name in found:
            entry.fault("each read-out once")
        else:
            found.append(name)
    return found


def read_replicates(replicates: form.Replicates | None, place: Cursor) -> Replicates | None:
    """Technical replicates and measurement noise; every number with its source and status."""
    written = replicates or form.Replicates()
    if place.has_fault():
        return None
    numbers = {name: getattr(written, name) for name in (*form.Noise.model_fields, "n", "cells_counted")}
    return Replicates(**numbers, about={name: _about(name, written) for name in form.Noise.model_fields})


def _about(name: str, written: form.Replicates) -> About:
    """Source and status of a number: as the study states them, else those of the default it left untouched."""
    default = form.Noise.model_fields[name].default
    about = About(source=SOURCES[name] if getattr(written, name) == default else HERE, status="assumed")
    stated = (written.about or {}).get(name)
    words = {key: word for key in ("source", "status") if stated and (word := getattr(stated, key))}
    return about.model_copy(update=words)


def read_claim(
    claim: form.Claim, place: Cursor, arms: Mapping[str, Arm], reads: Reads, types: Sequence[str],
    names: ModelNames | None, host_times_h: Sequence[float] | None = None,
) -> Claim | None:  # fmt: skip
    """A claim: what must hold, of which donors, and the null's cuts; every name in it must exist.

    host_times_h: when mice or patients are read; None without them.
    """
    vocabulary = Vocabulary(
        arms=list(arms) or None,
        times_h=reads.times_h,
        readouts=reads.names,
        cell_types=types or None,
        host_times_h=host_times_h,
    )
    for key in ("holds_when", "given", "possible_when"):
        text = claim.get(key)
        try:
            parse_claim(text, vocabulary, where=place.at(key).where) if text else None
        except InvalidInput as error:
            place.faults.extend(error.faults)
    cuts = None if claim.null is None else read_cuts(claim.null, place.at("null"), names)
    if claim.id is None or claim.holds_when is None or claim.level is None or cuts is None:
        return None
    return Claim(
        id=claim.id, holds_when=claim.holds_when, given=claim.given, possible_when=claim.possible_when,
        level=claim.level, share=claim.share, null=place.at("null").value, cuts=cuts,
    )  # fmt: skip


def read_cuts(written: Interventions, place: Cursor, names: ModelNames | None) -> tuple[Action, ...]:
    """The actions of interventions that act from the start, in every arm: of a claim's null, or of a world."""
    made = VerbReader(names, None).arm("null", written, place)
    if made.schedule and not place.has_fault():
        place.fault("what acts from the start, without a time", found="an action with a time")
    return made.genotype
