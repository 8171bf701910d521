"""Mice of a study: the tables `[mouse]` and `[secondary]`, with the numbers of `mouse.csv` and what departs from them.

Rows of `mouse.csv` hold for the strain, route or class of growth of their column `where`, and for all where it is
empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from senexo.base.units import shown
from senexo.model.circuit_table import CircuitParameter
from senexo.study.actions import either, rising_times, when
from senexo.study.agents import CHEMOTHERAPY
from senexo.study.agents import of as agents_of
from senexo.study.cursor import Cursor, named
from senexo.study.donors import draws_over
from senexo.study.form import mouse as form
from senexo.study.names import ModelNames, draw_of
from senexo.study.schema import Arm, Draw, Mouse, Secondary
from senexo.study.shipped_numbers import shipped_numbers

FILE = "mouse.csv"
READ_AFTER_H = 12 * 7 * 24.0  # of a secondary mouse


def numbers() -> Mapping[tuple[str, ...], CircuitParameter]:
    """(strain, route or class of growth, name) -> what is known of the number, with range, source and status."""
    return shipped_numbers(FILE, "where")


def table_of(strain: str, route: str, kinetics: str) -> dict[str, Draw]:
    """The numbers of a mouse of this strain, injected by this route, with stem cells of this class."""
    fitting = ("", strain, route, kinetics)
    return {name: draw_of(one) for (where, name), one in numbers().items() if where in fitting}


def read_mouse(
    mouse: form.Mouse | None, place: Cursor, arms: Mapping[str, Arm], culture_h: float | None, names: ModelNames | None
) -> Mouse | None:
    """The mice of a study; None without them, or after a fault."""
    if mouse is None:
        return None
    if names is not None and (names.circuit is None or names.shares_a_medium):
        expected = "a circuit of cells that are each alone, e.g. mir34c-rab27b (it gives the hazards of stem cells)"
        place.fault(expected, found="mice")
    end, _ = either(mouse, place, "end", "end_h")
    if end is None and not place.has_fault():
        place.fault('the key end, e.g. "16 weeks"', found="no end")
    injected, injected_place = either(mouse, place, "injected_at", "injected_at_h")
    treated, treated_place = either(mouse, place, "treated_from", "treated_from_h")
    if injected is not None and treated is not None:
        treated_place.fault("injected_at (ex vivo) or treated_from (in the mouse), not both", found="both")
    if injected is not None and culture_h is not None and injected > culture_h:
        injected_place.fault(f"a time up to the end of the culture ({when(culture_h)})")
    if treated is not None and end is not None and treated >= end:
        treated_place.fault(f"a time before the end ({when(end)})")
    bleeds, marrow = (rising_times(mouse, place, what, end, "the end") for what in ("bleeds", "marrow"))
    for name, like in (mouse.viability_matched or {}).items():
        for one in (name, like):
            if one is not None and arms and one not in arms:
                place.at("viability_matched").fault(named(one, arms, "arms"), found=shown(one))
        if name == like:
            place.at("viability_matched").at(name).fault("another arm")
    for name in mouse.chemotherapy or {}:
        if arms and name not in arms:
            place.at("chemotherapy").fault(named(name, arms, "arms"), found=shown(name))
    if mouse.chemotherapy and treated is None and not place.has_fault():
        place.at("chemotherapy").fault("mice that are treated (the key treated_from)", found="ex vivo treatment")
    draws = _draws(mouse, place, oligos=any(arm.body_doses for arm in arms.values()))
    if place.has_fault() or end is None or mouse.cells is None or mouse.mice is None or mouse.threshold is None:
        return None
    if injected is None and treated is None:
        injected = 0.0
    return Mouse(
        strain=mouse.strain or "", route=mouse.route or "", kinetics=mouse.kinetics or "", cells=mouse.cells,
        mice=mouse.mice, injected_at_h=injected, treated_from_h=treated, bleeds_h=bleeds,
        marrow_h=tuple(dict.fromkeys([*marrow, end])), end_h=end, threshold=mouse.threshold,
        splitting=mouse.splitting or 0,
        viability_matched={name: like for name, like in (mouse.viability_matched or {}).items() if like is not None},
        chemotherapy={name: regimen for name, regimen in (mouse.chemotherapy or {}).items() if regimen is not None},
        draws=draws,
    )  # fmt: skip


def read_secondary(
    secondary: form.Secondary | None, place: Cursor, mouse: Mouse | None, arms: Sequence[str], *, has_mice: bool
) -> Secondary | None:
    """The secondary transplantation of a study; None without it, or after a fault."""
    if secondary is None:
        return None
    if not has_mice:
        place.fault("a table [mouse], whose marrow is transplanted", found="secondary mice without primary ones")
    for entry, name in zip(place.at("arms").elements() if secondary.arms else (), secondary.arms or (), strict=True):
        if name is not None and arms:
            entry.one_of(arms, "arms")
    at, at_place = either(secondary, place, "at", "at_h")
    if at is not None and mouse is not None and at > mouse.end_h:
        at_place.fault(f"a time up to the end of the mice ({when(mouse.end_h)})")
    cells = [dose for dose in secondary.cells or () if dose is not None]
    if len(set(cells)) < len(cells):
        place.at("cells").fault("each dose once")
    read, _ = either(secondary, place, "read", "read_h")
    if place.has_fault() or mouse is None or secondary.mice is None:
        return None
    return Secondary(
        arms=tuple(secondary.arms or arms),  # type: ignore[arg-type]
        at_h=mouse.end_h if at is None else at, cells=tuple(cells), mice=secondary.mice,
        read_h=READ_AFTER_H if read is None else read,
        threshold=mouse.threshold if secondary.threshold is None else secondary.threshold,
    )  # fmt: skip


def _draws(mouse: form.Mouse, place: Cursor, *, oligos: bool) -> dict[str, Draw]:
    """The numbers of the strain, route and class, with what the study says put over them; checked together.

    oligos: whether mice get doses of an oligo.
    """
    if mouse.strain is None or mouse.route is None or mouse.kinetics is None:
        return {}
    found = table_of(mouse.strain, mouse.route, mouse.kinetics)
    for regimen in (mouse.chemotherapy or {}).values():
        for agent, _, _ in CHEMOTHERAPY.get(regimen or "", ()):
            found |= {f"{agent}_{name}": draw_of(one) for name, one in agents_of(agent, "mouse").items()}
    if oligos:
        found |= {f"mimic_{name}": draw_of(one) for name, one in agents_of("mimic", "mouse").items()}
    found = draws_over(found, mouse.draws, place.at("draws"), "numbers of a mouse")
    _check(found, place.at("draws"))
    return dict(sorted(found.items()))


def _check(draws: Mapping[str, Draw], place: Cursor) -> None:
    """Faults of numbers that cannot be, alone or together."""
    ends: dict[str, tuple[float, float]] = {
        name: (draw.value, draw.value) if draw.law == "fixed" else (draw.low, draw.high) for name, draw in draws.items()
    }
    for name, (low, high) in ends.items():
        share = draws[name].unit == "1" and name not in ("stemness", "death_steepness")
        if low < 0.0 or (share and high > 1.0):
            place.at(name).fault("a share from 0 to 1" if share else "0 or more", found=f"{low:g} to {high:g}")
    most = 1.0 - ends["growth"][1] / ends["division"][0] if ends["division"][0] > 0.0 else 0.0
    if ends["resting"][1] > most:
        grows, divides = ends["growth"][1], ends["division"][0]
        found = f"up to {ends['resting'][1]:g}, with growth up to {grows:g} and {divides:g} divisions per day"
        place.at("resting").fault(f"at most 1 - growth / division = {most:.3g}", found=found)


def describe(mouse: Mouse) -> dict[str, Any]:
    """The mice in words, for tables and the report."""
    treated = (
        f"treated in culture for {when(mouse.injected_at_h)}, then injected"
        if mouse.injected_at_h is not None
        else f"treated in the mouse from {when(mouse.treated_from_h or 0.0)} after injection on"
    )
    return {
        "strain": mouse.strain,
        "route": mouse.route,
        "cells": mouse.cells,
        "mice": mouse.mice,
        "treatment": treated,
    }
