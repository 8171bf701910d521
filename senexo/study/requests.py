"""What is measured and asked: read-outs, replicates and their noise, assays, the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from senexo.base.errors import InvalidInput
from senexo.base.units import AMOUNT, SHARE, TIME, Kind
from senexo.study.actions import HOURS, when
from senexo.study.claims import MAX_LENGTH, Vocabulary, parse_claim
from senexo.study.donors import HERE, STATUSES
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.schema import About, Action, Arm, Claim, Readouts, Replicates
from senexo.study.verbs import Reader

READOUTS = ("times", "times_h", "grid", "grid_h", "names")
CLAIM = ("id", "holds_when", "given", "level", "share", "null")
NEEDED_OF_CLAIM, NULL = ("id", "holds_when", "null"), ("cut", "connect", "knock_out", "mutate", "set")
ABOUT = ("source", "status")
STEP = Kind("hour", 'a time step from 0.01 h on, e.g. "1 h"', low=0.01, high=TIME.high)
STEP_H = Kind("hour", "hours from 0.01 on, e.g. 1.0", low=0.01, high=TIME.high, bare=True)
CYCLES = Kind("dimensionless", "a number of cycles from 0 to 100, e.g. 38", high=100.0, bare=True)
EFFICIENCY = Kind("dimensionless", "a gain per cycle from 0.1 to 1 (1 = doubling)", low=0.1, high=1.0, bare=True)
LEVEL = Kind("dimensionless", 'a level from 50 to 99.9 %, e.g. "95 %"', low=0.5, high=0.999, bare=True)
CELLS = Kind("dimensionless", "a number of cells above 0, e.g. 100", low=1e-3, high=1e9, bare=True)
DEFAULT_GRID_H = 1.0
MOST_GRID_POINTS = 20_000

# noise of measuring: kind, default value, source; each status is "assumed"
NOISE: Mapping[str, tuple[Kind, float, str]] = {
    "false_positive": (SHARE, 0.02, "background staining of growing cells"),
    "false_negative": (SHARE, 0.05, "senescent cells that are overlooked"),
    "lysed_cells": (CELLS, 100.0, "cells whose RNA enters one reaction, losses included"),
    "ct_sd": (CYCLES, 0.3, "spread between technical replicates"),
    "ct_one_copy": (CYCLES, 38.0, "Ct of a single template; depends on instrument and threshold"),
    "ct_cutoff": (CYCLES, 40.0, "cycles run"),
    "efficiency": (EFFICIENCY, 1.0, "doubling in every cycle"),
}
REFERENCE_COPIES = {"U6": 200_000.0, "GAPDH": 1_000.0}
REFERENCE_SOURCE = "order of magnitude per cell, the same in every arm"
REPLICATES = ("n", "cells_counted", *NOISE, "reference_copies", "about")


def read_readouts(place: Place | None, known: Known | None, end_h: float | None) -> Readouts | None:
    """Times within the culture, the fine grid, and the read-outs by name; all of a model's read-outs by default."""
    times: Sequence[float | None] = (0.0,) if end_h is None else (0.0, end_h)
    grid: float | None = DEFAULT_GRID_H
    names: Sequence[str] = known.usual if known else ()
    if place is not None and place.table(READOUTS):
        times = _times(place, end_h) or times
        step = either(place, ("grid", STEP), ("grid_h", STEP_H))
        grid = step[0].quantity(step[1]) if step else DEFAULT_GRID_H
        if step and grid is not None and end_h is not None and end_h / grid > MOST_GRID_POINTS:
            step[0].fault(f"a grid of at most {MOST_GRID_POINTS} points", found=f"{end_h / grid:.0f} points")
        chosen = place.get("names")
        if chosen is not None:
            names = _names(chosen, known)
    if grid is None or None in times:
        return None
    return Readouts(times_h=tuple(t for t in times if t is not None), grid_h=grid, names=tuple(names))


def either(place: Place, short: tuple[str, Kind], resolved: tuple[str, Kind]) -> tuple[Place, Kind] | None:
    """The place and kind of a quantity that may be written in two ways: with its unit, or resolved to ours."""
    found = [(entry, kind) for key, kind in (short, resolved) if (entry := place.get(key)) is not None]
    if len(found) > 1:
        place.fault(f"either {short[0]} or {resolved[0]}", found="both")
    return found[0] if found else None


def _times(place: Place, end_h: float | None) -> list[float | None]:
    listed = either(place, ("times", TIME), ("times_h", HOURS))
    times: list[float | None] = []
    if listed is None:
        return times
    at, kind = listed
    for entry in at.listed('a list of times, e.g. ["0 d", "1 d", "7 d"]'):
        hour = entry.quantity(kind)
        if hour is not None and end_h is not None and hour > end_h:
            entry.fault(f"a time up to the end of the culture ({when(end_h)})")
        elif hour is not None and times and times[-1] is not None and hour <= times[-1]:
            entry.fault("times that increase")
        times.append(hour)
    return times


def _names(place: Place, known: Known | None) -> list[str]:
    names: list[str] = []
    for entry in place.listed("a list of read-outs"):
        name = entry.text() if known is None else entry.one_of(known.readouts, "read-outs")
        if name is not None and name in names:
            entry.fault("each read-out once")
        elif name is not None:
            names.append(name)
    return names


def read_replicates(place: Place | None) -> Replicates | None:
    """Technical replicates and measurement noise; every number with its source and status."""
    if place is None:
        place = Place({}, "replicates", "", [])
    elif not place.table(REPLICATES):
        return None
    n, counted = place.get("n"), place.get("cells_counted")
    numbers: dict[str, Any] = {
        "n": 3 if n is None else n.whole(1, 100, 3),
        "cells_counted": 200 if counted is None else counted.whole(1, 100_000, 200),
    }
    for name, (kind, default, _) in NOISE.items():
        entry = place.get(name)
        numbers[name] = default if entry is None else entry.quantity(kind)
    references = place.get("reference_copies")
    copies: dict[str, float | None] = dict(REFERENCE_COPIES)
    if references is not None and references.table(expected="a table of RNAs, e.g. { U6 = 200000 }"):
        copies = {name: entry.quantity(AMOUNT) for name, entry in references.items()}
    about = _about(place, {**numbers, "reference_copies": copies})
    known = {name: amount for name, amount in copies.items() if amount is not None}
    if None in numbers.values() or len(known) < len(copies):
        return None
    return Replicates(**numbers, reference_copies=known, about=about)


def _about(place: Place, numbers: Mapping[str, Any]) -> dict[str, About]:
    """Source and status of each noise number: as the study tells, else those of the default it left untouched."""
    told = place.get("about")
    if told is not None:
        told.table((*NOISE, "reference_copies"))
    about = {}
    defaults: dict[str, tuple[object, About]] = {
        name: (value, About(source=source, status="assumed")) for name, (_, value, source) in NOISE.items()
    }
    defaults["reference_copies"] = REFERENCE_COPIES, About(source=REFERENCE_SOURCE, status="assumed")
    for name, (default, known) in defaults.items():
        about[name] = known if numbers[name] == default else About(source=HERE, status="assumed")
        entry = told.get(name) if told is not None else None
        if entry is not None and entry.table(ABOUT):
            source, status = entry.get("source"), entry.get("status")
            words = {"source": source and source.text(), "status": status and status.one_of(STATUSES, "statuses")}
            about[name] = about[name].model_copy(update={key: word for key, word in words.items() if word})
    return about


def read_claim(
    place: Place | None,
    arms: Mapping[str, Arm],
    readouts: Readouts | None,
    cells: Sequence[str],
    known: Known | None,
) -> Claim | None:
    """A claim: what must hold, of which donors, and the null's cuts; every name in it must exist."""
    if place is None or not place.table(CLAIM):
        return None
    for key in NEEDED_OF_CLAIM:
        if place.get(key) is None:
            place.fault(f"the key {key}", found=f"no {key}")
    vocabulary = Vocabulary(
        arms=list(arms) or None,
        times_h=readouts.times_h if readouts else None,
        readouts=readouts.names if readouts else None,
        cell_types=cells or None,
    )
    told = {key: entry for key in ("holds_when", "given") if (entry := place.get(key)) is not None}
    words = {key: entry.text(most=MAX_LENGTH) for key, entry in told.items()}
    for key, text in words.items():
        try:
            parse_claim(text or "", vocabulary, where=f"{told[key].file}: {told[key].path}") if text else None
        except InvalidInput as error:
            place.faults.extend(error.faults)
    name, level, share, null = place.get("id"), place.get("level"), place.get("share"), place.get("null")
    numbers = (0.95 if level is None else level.quantity(LEVEL), None if share is None else share.quantity(SHARE))
    cuts = _cuts(null, known)
    label = name and name.text()
    if label is None or words.get("holds_when") is None or None in words.values() or cuts is None or not numbers[0]:
        return None
    return Claim(id=label, **words, level=numbers[0], share=numbers[1], null=null.value, cuts=cuts)  # type: ignore


def _cuts(place: Place | None, known: Known | None) -> tuple[Action, ...] | None:
    """The null's actions; they act from the start, in every arm."""
    faults = len(place.faults) if place else 0
    if place is None or not place.table(NULL, expected='a table, e.g. { cut = ["miR-34c-5p -| *"] }'):
        return None
    if not place.value:
        place.fault(f"at least one of {', '.join(NULL)}", found="nothing cut")
    null = Reader(known, None).arm("null", place)
    if null.schedule and len(place.faults) == faults:
        place.fault("what acts from the start, without a time", found="an action with a time")
    return null.genotype if len(place.faults) == faults else None
