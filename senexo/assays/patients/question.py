"""What a call about patients compares with their outcome: a column of groups, or levels computed from columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from senexo.assays.detection import Detection
from senexo.assays.stats.kaplan_meier import Flags, Floats
from senexo.assays.transform import column, columns_used
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

CohortT = TypeVar("CohortT")


@dataclass(frozen=True, slots=True)
class Question:
    """A column of groups (`values` None), or a formula and its numbers (nan = missing); curves: are they wanted?

    same_as: covariates that are this level, or that it is computed from alone; its adjusted model leaves them out.
    """

    name: str
    values: Floats | None
    detection: Detection | None
    curves: bool
    same_as: tuple[str, ...] = ()

    @property
    def below(self) -> bool:
        return self.detection is not None and not self.detection.testable


def names_of(given: str | Sequence[str]) -> list[str]:
    """One name or several, as a list."""
    return [given] if isinstance(given, str) else list(given)


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows numbered as `read_table` leaves them, so that messages name the row of the spreadsheet."""
    import pandas as pd

    good = table.index.is_unique and pd.api.types.is_integer_dtype(table.index)
    return table if good else table.reset_index(drop=True)


def cut_of(
    cut: str | float | None, words: Sequence[str], expected: str, where: str
) -> tuple[str | float | None, list[Fault]]:
    """The cut as one of the words or a number, and what is wrong with it."""
    number = cut
    if isinstance(cut, str) and cut not in words:
        try:
            number = float(cut)
        except ValueError:
            number = math.nan
    if isinstance(number, int | float) and not math.isfinite(number):
        return number, [Fault(f"{where}: cut", f"'{cut}'", expected)]
    return number, []


def unused_options(
    group: str | None, control: str | None, value: Sequence[str], cut: str | float | None, where: str
) -> list[Fault]:
    """Options that need another one, which is not given."""
    faults = []
    if cut is not None and not value:
        faults.append(Fault(f"{where}: cut", f"'{cut}' without a value", "a value to cut"))
    if control is not None and group is None:
        faults.append(Fault(f"{where}: control", f"'{control}' without a group", "the column of groups"))
    return faults


def read_levels(
    rows: pd.DataFrame, asked: Sequence[str], read_cohort: Callable[[], CohortT], where: str
) -> tuple[dict[str, pd.Series], CohortT]:
    """The levels and the patients, with the faults of both together."""
    faults: list[Fault] = []
    values: dict[str, pd.Series] = {}
    for text in asked:
        try:
            values[text] = column(rows, text, where=where)
        except InvalidInput as error:
            faults += error.faults
    try:
        cohort = read_cohort()
    except InvalidInput as error:
        raise InvalidInput(list(dict.fromkeys([*error.faults, *faults]))) from None
    if faults:
        raise InvalidInput(faults)
    return values, cohort


def own_covariates(table: pd.DataFrame, text: str, adjust: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The covariates that a level is computed from alone, and what to say of its adjusted model."""
    used = columns_used(table, text)
    own = tuple(name for name in adjust if used == [name])
    if not own:
        return (), []
    others = [name for name in adjust if name not in own]
    rest = f"adjusted for {', '.join(others)}" if others else "not adjusted"
    return own, [f"{text} is itself held constant in the adjusted models: its own is {rest}"]


def missing_note(name: str, missing: Flags, of: str = "") -> list[str]:
    """How many patients have no value in a column, where there are any."""
    n = int(missing.sum())
    if not n:
        return []
    return [
        f"{n} of {len(missing)} patients {'has' if n == 1 else 'have'} no {name} and {'is' if n == 1 else 'are'} "
        f"no part{of}"
    ]
