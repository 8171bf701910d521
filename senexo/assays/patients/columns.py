"""Columns of a table of patients: covariates of a model, and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays.stats.kaplan_meier import Flags, Floats
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, as_number, as_text, is_number

if TYPE_CHECKING:
    import pandas as pd

MAX_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Covariate:
    """A column: numbers (nan = empty), or names (empty = "") of which the first level is the reference."""

    name: str
    values: pd.Series
    numeric: bool

    def present(self) -> Flags:
        filled: Flags = (self.values.notna() if self.numeric else self.values != "").to_numpy()
        return filled

    def levels(self, rows: Flags) -> list[str]:
        return in_order(set(self.values[rows]))

    def columns(self, rows: Flags) -> tuple[Floats, list[str]]:
        """Its columns in a model of these patients, and what a hazard ratio of each is of."""
        if self.numeric:
            return self.values[rows].to_numpy(dtype=float)[:, None], [self.name]
        levels = self.levels(rows)
        if len(levels) < 2:  # a column that tells nothing, which models refuse by name
            return np.zeros((int(rows.sum()), 1)), [self.name]
        return indicators(self.values[rows], levels), [f"{self.name}: {x} against {levels[0]}" for x in levels[1:]]


def indicators(labels: pd.Series, levels: Sequence[str]) -> Floats:
    """A column for every level but the first."""
    return np.column_stack([(labels == level).to_numpy(dtype=float) for level in levels[1:]])


def in_order(names: set[str]) -> list[str]:
    """Names as a reader expects them: by number where all are numbers, else by letter."""
    numbers = {name: as_number(name) for name in names}
    whole = all(value == value for value in numbers.values())
    return sorted(names, key=lambda name: (numbers[name] if whole else 0.0, name))


def is_numeric(cells: pd.Series) -> bool:
    """Are most of the filled cells numbers? Then the others are slips of the pen, and faults."""
    words = [word for word in map(as_text, cells) if word.lower() not in EMPTY]
    return sum(is_number(word) for word in words) > len(words) / 2


def covariate(name: str, values: pd.Series, numeric: bool, where: str) -> Covariate:
    if numeric:
        return Covariate(name, values, True)
    values = values.where(~values.str.lower().isin(EMPTY), "")
    levels = set(values) - {""}
    if len(levels) > MAX_GROUPS:
        shown = ", ".join(f"'{level}'" for level in in_order(levels)[:3])
        found = f"{len(levels)} different names ({shown}, ...)"
        raise InvalidInput([Fault(f"{where}: column {name}", found, f"at most {MAX_GROUPS} groups, or numbers")])
    return Covariate(name, values, False)


def check_group(group: Covariate, rows: Flags, control: str | None, where: str, order: Sequence[str] = ()) -> list[str]:
    """The groups in the order given, else the control first; InvalidInput where there are not two, or others."""
    levels = group.levels(rows)
    place = f"{where}: column {group.name}"
    if len(levels) < 2:
        raise InvalidInput([Fault(place, f"only the group {levels[0]}" if levels else "no group", "two groups")])
    if order and (sorted(order) != sorted(levels) or control not in (None, order[0])):
        faults = [
            Fault(f"{where}: order", f"'{name}'", f"a group: {', '.join(levels)}")
            for name in order
            if name not in levels
        ]
        faults += [Fault(f"{where}: order", f"no '{name}'", "every group") for name in levels if name not in order]
        faults += [
            Fault(f"{where}: order", f"'{name}' twice", "once")
            for name in dict.fromkeys(order)
            if list(order).count(name) > 1
        ]
        if control not in (None, order[0]):
            faults.append(Fault(f"{where}: control", f"'{control}'", f"the first of the order, {order[0]}"))
        raise InvalidInput(faults)
    if order:
        return list(order)
    if control is None:
        return levels
    if control not in levels:
        raise InvalidInput([Fault(f"{where}: control", f"'{control}'", f"a group: {', '.join(levels)}")])
    return [control, *(level for level in levels if level != control)]


def refuse_two_roles(given: Sequence[str | None], where: str) -> None:
    names = [name for name in given if name is not None]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    if twice:
        raise InvalidInput([Fault(f"{where}: options", f"column {name} in two roles", "one") for name in twice])
