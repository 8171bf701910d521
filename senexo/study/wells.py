"""What a study says of wells whose cells share a medium: who is in them, whose medium they get, where they branch off.

cells       = { LSC = 200, MSC = 100 }                 # instead of the numbers of [cells]
insert      = { cells = { LSC = 200 }, dose = ... }    # upper half of a Transwell: cells, and any verb done there
medium_from = { arm = "mimic", taken = "2 d", share = "50 %", at = "0 h" }    # conditioned medium
branch      = { arm = "mimic", at = "3 d" }            # as that arm until then
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from senexo.base.units import shown
from senexo.model.cell_types import INSERT
from senexo.study.actions import either, hour_below, in_order, number, refuse_contradictions, when
from senexo.study.cursor import Cursor, named
from senexo.study.form import arms as form
from senexo.study.names import ModelNames
from senexo.study.schema import Action, Arm, Conditioned, Insert
from senexo.study.verbs import UNTREATED

ALONE = "a circuit whose cells share a medium (one with pools, e.g. mir34c-rab27b-cells)"


def coupled(place: Cursor, names: ModelNames | None) -> bool:
    """Whether cells share a medium; a fault at `place` when they do not."""
    if names is not None and not names.shares_a_medium:
        place.fault(ALONE, found="cells that are each alone")
        return False
    return True


def read_numbers(
    cells: dict[str, int | None] | None, place: Cursor, names: ModelNames | None, types: Collection[str]
) -> dict[str, int]:
    """Cells of each type: types of [cells] alone, which states their variation."""
    if cells is None or not coupled(place, names):
        return {}
    for name in cells:
        if types and name not in types:
            place.at(name).fault(named(name, types, "types in [cells]"), found=f"the cell type {shown(name)}")
    return dict(sorted((name, n) for name, n in cells.items() if n is not None))


def types_in(arms: Mapping[str, Arm], types: Iterable[str]) -> list[str]:
    """The types that a study's wells begin with, those in inserts under names of their own."""
    above = {INSERT + name for arm in arms.values() if arm.insert for name in arm.insert.cells}
    return [*types, *sorted(above)]


def read_insert(
    insert: form.Insert | form.ResolvedInsert, place: Cursor, names: ModelNames | None, types: Collection[str],
    above: Arm,
) -> Insert | None:  # fmt: skip
    """The upper half of a Transwell; `above` is what its verbs say."""
    if not coupled(place, names):
        return None
    if names is not None and names.circuit is not None and not names.circuit.transwell:
        place.fault("a circuit that knows a second half (transwell in circuit.toml)", found=names.circuit.name)
    numbers = read_numbers(insert.cells, place.at("cells"), names, types)
    return Insert(cells=numbers, genotype=above.genotype, schedule=above.schedule)


def read_medium_from(
    media: list[form.MediumFrom | None] | None, place: Cursor, names: ModelNames | None, end_h: float | None
) -> tuple[Conditioned, ...]:
    """Conditioned medium, in the order it is poured; its arms are checked when all are known."""
    found: list[Conditioned] = []
    if media is None or not coupled(place, names):
        return ()
    for entry, medium in zip(place.elements(), media, strict=True):
        if medium is None:
            continue
        taken, below = either(medium, entry, "taken", "taken_h")
        if taken is None and not below.has_fault():
            entry.fault("the key taken", found="no taken")
        if taken is not None and end_h is not None and taken > end_h:
            below.fault(f"a time within the culture ({when(end_h)})")
        poured = hour_below(medium, entry, end_h)
        if medium.arm is not None and taken is not None and medium.share is not None:
            found.append(Conditioned(arm=medium.arm, taken_h=taken, share=medium.share, time_h=poured or 0.0))
    return tuple(sorted(found, key=lambda c: (c.time_h, c.arm, c.taken_h, c.share)))


def with_well(
    arm: Arm, written: form.ArmTable | form.ResolvedArm, place: Cursor, names: ModelNames | None, end_h: float | None,
    types: Collection[str], upper: Arm | None,
) -> Arm:  # fmt: skip
    """An arm with who is in its well, what is above it, and whose medium it gets."""
    numbers = read_numbers(written.cells, place.at("cells"), names, types)
    above = None
    if written.insert is not None and upper is not None:
        above = read_insert(written.insert, place.at("insert"), names, types, upper)
    media = read_medium_from(written.medium_from, place.at("medium_from"), names, end_h)
    words = [] if arm.summary == UNTREATED else [arm.summary]
    if numbers:
        words.insert(0, _listed(numbers))
    words += [
        f"{number(100 * m.share)} % of the medium of {m.arm} at {when(m.taken_h)} poured in at {when(m.time_h)}"
        for m in media
    ]
    if above is not None and upper is not None:
        done = "" if upper.summary == UNTREATED else f" ({upper.summary})"
        words.append(f"in the insert {_listed(above.cells)}{done}")
    labels = {} if upper is None or arm.agent else {key: getattr(upper, key) for key in ("agent", "dose_copies")}
    if upper is not None and not arm.dose_label:
        labels["dose_label"] = upper.dose_label
    return arm.model_copy(
        update={
            "cells": numbers, "insert": above, "medium_from": media, "summary": "; ".join(words) or UNTREATED, **labels
        }
    )  # fmt: skip


def branched(
    arms: Mapping[str, Arm], branches: Mapping[str, form.Branch], places: Mapping[str, Cursor], end_h: float | None
) -> dict[str, Arm]:
    """Every arm that branches off another one with that one's past put before its own interventions."""
    made = {name: arm for name, arm in arms.items() if name not in branches}
    waiting = dict(branches)
    while waiting:
        ready = [name for name, branch in waiting.items() if branch.arm in made or branch.arm not in arms]
        for name in ready or waiting:
            place = places[name].at("branch")
            if not ready:
                place.fault("an arm that does not branch off this one in turn", found="a circle of branches")
            made[name] = _branch(arms[name], waiting[name], place, made, list(arms), end_h)
        waiting = {name: branch for name, branch in waiting.items() if name not in made}
    return {name: made[name] for name in arms}


def check_media(arms: Mapping[str, Arm], places: Mapping[str, Cursor]) -> None:
    """Every arm that gives medium must be there, and no well may wait for its own."""
    for name, arm in arms.items():
        place = places[name]
        entry = place.get("medium_from") or place
        for medium in arm.medium_from:
            if medium.arm not in arms:
                entry.fault(named(medium.arm, arms, "arms"), found=f"medium of the arm {shown(medium.arm)}")
        before, ahead = set[str](), [m.arm for m in arm.medium_from]
        while ahead:
            giver = ahead.pop()
            if giver not in before and giver in arms:
                before.add(giver)
                ahead += [m.arm for m in arms[giver].medium_from]
        if name in before:
            entry.fault("medium of an arm that does not wait for this one", found="a circle of media")


def _branch(
    arm: Arm, branch: form.Branch, place: Cursor, made: Mapping[str, Arm], names: list[str], end_h: float | None
) -> Arm:
    hour = hour_below(branch, place, end_h)
    if hour is None and not place.has_fault():
        place.fault("the key at", found="no at")
    if branch.arm is not None and branch.arm not in names:
        place.at("arm").fault(named(branch.arm, names, "arms"))
    if hour is None or branch.arm is None or branch.arm not in made:
        return arm
    past = made[branch.arm]
    upper = arm.insert
    early = [a for a in (*arm.genotype, *arm.schedule) if a.time_h is None or a.time_h < hour]
    if early or arm.cells or upper is not None or any(m.time_h < hour for m in arm.medium_from):
        found = f"{early[0].verb} {early[0].of} before {when(hour)}" if early else "what is older than the branch"
        place.fault(f"interventions from {when(hour)} on: until then this arm is {branch.arm}", found=found)
        return arm
    actions = [*_until(past.schedule, hour), *arm.schedule]
    refuse_contradictions(place, actions)
    above = past.insert
    return arm.model_copy(
        update={
            "cells": past.cells,
            "genotype": past.genotype,
            "schedule": in_order(actions)[1],
            "insert": above and above.model_copy(update={"schedule": tuple(_until(above.schedule, hour))}),
            "medium_from": (*(m for m in past.medium_from if m.time_h < hour), *arm.medium_from),
            "agent": arm.agent or past.agent,
            "dose_copies": past.dose_copies if arm.dose_copies is None else arm.dose_copies,
            "dose_label": arm.dose_label or past.dose_label,
            "summary": f"as {branch.arm} until {when(hour)}, then {arm.summary}",
        }
    )


def _until(actions: Collection[Action], hour: float) -> list[Action]:
    return [a for a in actions if a.time_h is not None and a.time_h < hour]


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in numbers.items())
