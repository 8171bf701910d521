"""The arms of a study: verbs resolved to actions, lists spelled out.

A list in place of one quantity is a ladder: one arm for each of its rungs, named ``family[rung]``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from senexo.base.units import shown
from senexo.study.actions import in_order, read_action, refuse_contradictions
from senexo.study.body_doses import read_resolved
from senexo.study.cursor import Cursor
from senexo.study.form import arms as form
from senexo.study.names import ModelNames
from senexo.study.schema import Action, Arm
from senexo.study.verbs import CULTURE, UNTREATED, Into, VerbReader
from senexo.study.wells import branched, check_media, with_well

LADDERS = ("knock_down", "inhibit", "express", "set")  # besides the amount of a dose
MAX_ARMS = 500

Written = form.ArmTable | form.ResolvedArm


def read_arms(
    written: Mapping[str, Written | None], place: Cursor, names: ModelNames | None, end_h: float | None,
    types: Collection[str] = (), into: Into = CULTURE,
) -> dict[str, Arm]:  # fmt: skip
    """All arms by name, ladders spelled out, in the file's order.

    end_h: the hour by which all must be done; types: the types of cells that may be in a well; into: what doses are
    given to.
    """
    arms: dict[str, Arm] = {}
    places: dict[str, Cursor] = {}
    branches: dict[str, form.Branch] = {}
    for name, one in written.items():
        entry = place.at(name)
        if one is None:  # it has a fault, yet other parts of the file may name it
            arms[name], places[name] = Arm(family=name, dose_label="", summary=UNTREATED), entry
            continue
        for rung, made in _read_arm(name, one, entry, names, end_h, types, into):
            if rung in arms:
                entry.fault("a name of its own", found=f"a second arm called {shown(rung)}")
            arms[rung], places[rung] = made, entry
            if isinstance(one, form.ArmTable) and one.branch is not None:
                branches[rung] = one.branch
        if len(arms) > MAX_ARMS:
            place.fault(f"at most {MAX_ARMS} arms, ladders spelled out", found=f"{len(arms)} or more")
            break
    arms = branched(arms, branches, places, end_h)
    check_media(arms, places)
    return arms


def _read_arm(
    name: str, written: Written, place: Cursor, names: ModelNames | None, end_h: float | None, types: Collection[str],
    into: Into,
) -> Iterator[tuple[str, Arm]]:  # fmt: skip
    if isinstance(written, form.ResolvedArm):
        yield name, _resolved_arm(name, written, place, names, end_h, types, into)
        return
    ladders = [quantity for quantity in _quantities(place) if isinstance(quantity.value, list)]
    for extra in ladders[1:]:
        extra.fault(f"one list in an arm; {ladders[0].path} is one already", found="a second list")

    def read(rung: int = 0) -> tuple[str, Arm]:
        reader = VerbReader(names, end_h, rung, into=into)
        arm, upper, label = reader.arm(name, written, place), None, reader.label
        if written.insert is not None:
            above = VerbReader(names, end_h, rung)
            upper = above.arm(name, written.insert, place.at("insert"))
            label = label or above.label
        return label, with_well(arm, written, place, names, end_h, types, upper)

    if not ladders or not ladders[0].value:
        yield name, read()[1]
        return
    ladder = ladders[0]
    if "[" in name:
        ladder.fault("one value, since the arm is named as a rung", found="a list")
    labels: set[str] = set()
    for rung in range(len(ladder.value)):
        if rung >= MAX_ARMS:
            ladder.fault(f"at most {MAX_ARMS} rungs", found=f"{len(ladder.value)} values")
            return
        label, arm = read(rung)
        if not label:  # the value has a fault
            continue
        if label in labels:
            ladder.at(rung).fault("each value once")
        else:
            labels.add(label)
            yield f"{name}[{label}]", arm
    if not labels:
        yield name, read()[1]


def _quantities(place: Cursor) -> Iterator[Cursor]:
    """Every place of an arm, and of its insert, where a list would be a ladder."""
    insert, dose = place.get("insert"), place.get("dose")
    if insert is not None:
        yield from _quantities(insert)
    for entry in dose.elements() if dose else ():
        amount = entry.get("amount")
        if amount is not None:
            yield amount
    for verb in LADDERS:
        table = place.get(verb)
        for _, entry in table.items() if table else ():
            yield entry.get("value") or entry


def _resolved_arm(
    name: str, written: form.ResolvedArm, place: Cursor, names: ModelNames | None, end_h: float | None,
    types: Collection[str], into: Into,
) -> Arm:  # fmt: skip
    """An arm that is written as its actions already."""
    genotype, schedule = _resolved_actions(written, place, names, end_h)
    arm = Arm(
        family=written.family or name,
        agent=written.agent,
        dose_copies=written.dose_copies,
        dose_label=written.dose_label or "",
        summary=written.summary or UNTREATED,
        genotype=genotype,
        schedule=schedule,
        body_doses=read_resolved(written.body_doses or (), place.at("body_doses"), names, into.body),
    )
    upper = None
    if written.insert is not None:
        above = _resolved_actions(written.insert, place.at("insert"), names, end_h)
        upper = arm.model_copy(update={"genotype": above[0], "schedule": above[1]})
    found = with_well(arm, written, place, names, end_h, types, upper)
    return found.model_copy(update={"summary": arm.summary})


def _resolved_actions(
    written: form.ResolvedArm | form.ResolvedInsert, place: Cursor, names: ModelNames | None, end_h: float | None
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Genotype and schedule of a place that has them as lists of actions."""
    actions: list[Action] = []
    for key, timed in (("genotype", False), ("schedule", True)):
        listed = written.get(key) or []
        for entry, one in zip(place.at(key).elements() if listed else (), listed, strict=True):
            action = None if one is None else read_action(one, entry, names, end_h)
            if action is not None and (action.time_h is not None) != timed:
                have, want = (
                    ("no time", "a time (at or time_h)") if timed else ("a time", "none: it acts from the start")
                )
                entry.fault(want, found=have)
            elif action is not None:
                actions.append(action)
    refuse_contradictions(place, actions)
    return in_order(actions)
