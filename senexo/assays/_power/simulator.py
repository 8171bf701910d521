"""What the power of one assay needs: how a table with an effect is drawn, what is assumed, how a pilot is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.base.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from senexo.assays.result import AssayResult

Rng = np.random.Generator
Numbers = Mapping[str, float]
Found = dict[str, float]  # what a pilot says of the assumptions


@dataclass(frozen=True, slots=True)
class Pilot:
    """Which roles a pilot of one assay needs, and how it is read: (table, roles, design, where) -> numbers, notes."""

    roles: tuple[str, ...]
    read: Callable[[pd.DataFrame, Mapping[str, Any], str, str], tuple[Found, list[str]]]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that power rests on; whole numbers are counts."""

    name: str
    value: float
    says: str
    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Simulator:
    """What power needs of one assay.

    function: the assay; unit: what n counts; effect: what it is, and its lowest and highest value and that without an
    effect; claim: the effect in words; draw: a table of n units, from (rng, n, effect, assumptions, paired?); options:
    the assay's keyword arguments for it; answer: the id of the finding that holds the p-value; pilot: how a pilot table
    is read; test: the p-value that the assay gives to a table of `draw`, from its statistics alone, without tables and
    sentences; None: the assay is run as it is; impossible: what is expected instead where an effect cannot be, with
    these assumptions (else nothing).
    """

    function: Callable[..., AssayResult]
    unit: str
    effect: str
    low: float
    high: float
    none: float
    smallest: int
    assumptions: tuple[Assumption, ...]
    claim: Callable[[float, Numbers], str]
    draw: Callable[[Rng, int, float, Numbers, bool], pd.DataFrame]
    options: Callable[[Numbers, str], dict[str, Any]]
    answer: str
    pilot: Pilot
    designs: bool = False
    test: Callable[[pd.DataFrame, str], float] | None = None
    impossible: Callable[[float, Numbers], str] = lambda effect, numbers: ""

    def p_value(self, rng: Rng, n: int, effect: float, numbers: Numbers, design: str) -> float:
        """p-value of one simulated table of n units; nan where the assay says that nothing is testable."""
        table = self.draw(rng, n, effect, numbers, design == "paired")
        return self.by_assay(table, numbers, design) if self.test is None else self.test(table, design)

    def by_assay(self, table: pd.DataFrame, numbers: Numbers, design: str) -> float:
        """The p-value of a table in the assay's own answer."""
        try:
            result = self.function(table, **self.options(numbers, design))
        except InvalidInput:  # no event, every patient a responder: a table that the assay refuses shows nothing
            return math.nan
        found = next(finding for finding in result.findings if finding.id == self.answer)
        return math.nan if found.p_value is None else found.p_value
