"""A dose as a regimen: how much of an agent, when, how often and over how long; and its amount in active copies.

An amount is in active copies per cell (those that Argonaute loads), as a fold over the cell's own level, or as a
concentration in the medium. The last two are converted: a fold with the level that the donors of the study draw, a
concentration with the factors of `dose_conversions.csv`. Every converted amount has the range that its factors leave.
Amounts per body weight or surface need a body (weight, route, pharmacokinetics), which treated mice have and a culture
does not (`senexo.study.body_doses`).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import COPIES, FOLD, NUMBER, Kind, parse, shown
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows
from senexo.study.actions import grouped, number, when

AVOGADRO = 6.02214076e23
NM = Kind("nanomolar", 'a concentration in the medium, e.g. "20 nM"')
BODY = re.compile(rf"\s*{NUMBER}\s*(?P<unit>[µμumn]?g\s*/\s*(kg|m2|m²|m\^2))\s*", re.ASCII)
EXPECTED = (
    'a whole number of copies, e.g. 300, a fold over the cell\'s own level ("10-fold") or nM in the medium ("20 nM")'
)
NO_BODY = (
    "copies, a fold or nM: a dose per body weight or surface, or of a table, needs a body (mice that are treated: "
    "[mouse] with treated_from); `senexo exposure` says how many active copies it becomes"
)
Unit = Literal["copies", "fold", "nM"]
STEP_H, FEWEST_PARTS, MOST_PARTS = 1.0, 12, 1000  # parts in which an infusion is given
MOST_DOSES = 1000


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of an oligo as it is written."""

    value: float
    unit: Unit

    @property
    def label(self) -> str:
        """As the rung of a ladder: copies without their unit."""
        return number(self.value) + {"copies": "", "fold": "-fold", "nM": " nM"}[self.unit]


@dataclass(frozen=True, slots=True)
class Level:
    """The cell's own copies of what a dose raises: the parameter that holds them, its central value and its range."""

    parameter: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Copies:
    """Active copies per cell, whole, and the range of a converted amount; `how`: what it was converted from."""

    value: float
    low: float
    high: float
    how: str = ""

    def __str__(self) -> str:
        if not self.how:
            return grouped(self.value)
        return f"{grouped(self.value)} ({self.how}; range {grouped(self.low)} to {grouped(self.high)})"


@dataclass(frozen=True, slots=True)
class Regimen:
    """`count` doses of `amount` each, the first at `at_h`, then every `every_h` hours, each given over `over_h` hours.

    The object does not know where it is given: an experiment with a body adds a route and pharmacokinetics to it.

    >>> Regimen("drug", 12.0, at_h=24.0, every_h=24.0, count=2).words("12 units")
    '12 units of drug at 1 d, then every 1 d, 2 in all'
    >>> list(Regimen("drug", 12.0, at_h=24.0, every_h=24.0, count=2).events())
    [(24.0, 12.0), (48.0, 12.0)]
    """

    what: str
    amount: float
    at_h: float = 0.0
    every_h: float = 0.0
    count: int = 1
    over_h: float = 0.0

    @property
    def total(self) -> float:
        """The amount of all doses together."""
        return self.amount * self.count

    @property
    def last_h(self) -> float:
        """When the last dose ends."""
        return self.at_h + self.every_h * (self.count - 1) + self.over_h

    def events(self, *, whole: bool = False) -> Iterator[tuple[float, float]]:
        """(hour, amount) of everything that is added, in order; whole: in whole numbers that sum to the amount.

        An infusion is given in equal parts in the middles of steps of at most an hour, at least 12 of them. What a
        first-order loss at the rate k leaves of it differs from a steady infusion by (k step)^2 / 24 (1.6e-4 for a
        half-life of 11 h and a step of 1 h).
        """
        parts = 1 if not self.over_h else min(MOST_PARTS, max(FEWEST_PARTS, math.ceil(self.over_h / STEP_H)))
        for dose in range(self.count):
            start = self.at_h + dose * self.every_h
            given = 0.0
            for part in range(parts):
                up_to = self.amount * (part + 1) / parts
                up_to = float(round(up_to)) if whole else up_to
                added, given = up_to - given, up_to
                if added or parts == 1:
                    yield start + self.over_h * (part + 0.5) / parts if parts > 1 else start, added

    def words(self, amount: str) -> str:
        """What is given, in words; `amount`: the amount with its unit."""
        said = f"{amount} of {self.what} at {when(self.at_h)}"
        if self.count > 1:
            said += f", then every {when(self.every_h)}, {self.count} in all"
        return said + (f", over {when(self.over_h)}" + (" each" if self.count > 1 else "") if self.over_h else "")


def read_amount(value: object, where: str) -> Amount:
    """The amount of an oligo as a study file has it.

    Raises
    ------
    InvalidInput
        For what is no amount, an amount per body, or a fold below 1, which no dose gives.
    """
    if isinstance(value, str) and BODY.fullmatch(value):
        raise InvalidInput([Fault(where, shown(value), NO_BODY)])
    kinds: tuple[tuple[Kind, Unit], ...] = ((COPIES, "copies"), (FOLD, "fold"), (NM, "nM"))
    for kind, unit in kinds:
        if kind is not COPIES and not isinstance(value, str):
            break
        try:
            found = Amount(
                parse(value, Kind(kind.unit, EXPECTED, kind.low, kind.high, kind is COPIES, kind.whole)), unit
            )
        except InvalidInput:
            continue
        if unit == "fold" and found.value < 1:
            raise InvalidInput([Fault(where, shown(value), "a fold of 1 or more: a dose adds copies (cut, inhibit and "
                                      "knock_down take away)")])  # fmt: skip
        return found
    raise InvalidInput([Fault(where, shown(value), EXPECTED)])


def in_copies(amount: Amount, level: Level | None) -> Copies | None:
    """An amount in whole active copies per cell; None for a fold over a level that is not known."""
    match amount.unit:
        case "copies":
            return Copies(amount.value, amount.value, amount.value)
        case "fold":
            if level is None:
                return None
            added = amount.value - 1.0
            how = f"{amount.label} over {number(level.value)} copies, {level.parameter}"
            value, low, high = (float(round(added * own)) for own in (level.value, level.low, level.high))
            return Copies(value, low, high, how)
        case "nM":
            factors = conversions().values()
            per_cell = amount.value * 1e-9 * AVOGADRO * 1e-9  # molecules in a nL
            value, low, high = (
                float(round(per_cell * math.prod(getattr(factor, end) for factor in factors)))
                for end in ("value", "low", "high")
            )
            return Copies(value, low, high, f"{amount.label} in the medium")


@functools.cache
def conversions() -> Mapping[str, CircuitParameter]:
    """The factors between a concentration in the medium and active copies per cell, each with range and source."""
    file, faults = "dose_conversions.csv", list[Fault]()
    text = (resources.files("senexo.study") / file).read_text(encoding="utf-8")
    found = [parameter(place, row, faults) for place, row in rows(file, text, CircuitParameter.__slots__, faults)]
    known = {one.name: one for one in found if one is not None}
    faults += [fault for one in known.values() for fault in range_faults(one.name, one)]
    assert not faults, faults
    return known
