"""Fates of single cells followed by time-lapse: how many divide, die, commit by a time, each fate hiding the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.assays._fates.pooled import PooledArms
from senexo.assays._fates.sentences import difference_finding, share_finding
from senexo.assays._fates.tables import cells_of, curves_of, differences_of, donors_of, fates_of, fractions_of
from senexo.assays._senescence.contrasts import LARGE, SMALL
from senexo.assays.comparisons import check_design, pairs_of
from senexo.assays.result import AssayResult, records
from senexo.assays.stats.competing_risks import incidence
from senexo.assays.stats.estimate import LEVEL
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import likely

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_METHOD = (
    "Cumulative incidences of the fates were estimated by Aalen and Johansen's method, for each donor and arm, and "
    "averaged over donors (95 % intervals from a beta-binomial model and Student's t over donors). Arms were compared "
    "by {test} of the donors' incidences at {time:g} h, and over the whole time by Student's t of the donors' "
    "cause-specific log-rank scores. P-values are corrected by Holm."
)
_POOLED = (
    " In arms with a donor that was not followed so long, the estimate is Aalen and Johansen's over all cells, each "
    "donor with the same weight, with errors by the infinitesimal jackknife over donors and Student's t."
)
_TESTS = {"paired": "Student's t within donors", "unpaired": "Welch's t between donors"}


@dataclass(frozen=True)
class FatesResult(AssayResult):
    """Tables: differences, fractions (arm and fate), donors, curves. Columns: docs/assays/fates.md."""

    def figure(self) -> Figure:
        from senexo.assays._fates.figure import fates_figure

        return fates_figure(self.tables, self.settings)


def fates(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    cause: str | Sequence[str] = (),
    time_h: float | None = None,
    censored: str = "censored",
    design: str = "paired",
    where: str = "table",
) -> FatesResult:
    """Estimate the cumulative incidence of each fate by a time in every arm, and compare arms, by donor.

    Fates are competing risks: cumulative incidence by Aalen and Johansen within each donor and arm; the mean over
    donors is compared.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per followed cell: arm, donor, cell, time_h (hours, of the fate or when it was last seen), fate (a name,
        or the word of `censored`), and where there are any entry_h (hour from which the cell was followed). Other
        columns are ignored. A categorical `fate` column states which fates are possible: one that happened to no cell
        has an incidence of 0.
    compare : pair of str or sequence of pairs, optional
        (arm, control arm), or several such pairs.
    cause : str or sequence of str, optional
        The fates reported and compared; by default all. The others still count as competing risks.
    time_h : float, optional
        The time judged in hours; by default the last to which every donor was followed.
    censored : str, default "censored"
        The word for a fate that was not observed.
    design : {"paired", "unpaired"}, default "paired"
        Arms of the same donors, or of different donors.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    FatesResult
        Tables differences, fractions, donors, curves. Fewer than two donors: ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column), unknown arms and fates, together.

    References
    ----------
    Aalen OO, Johansen S, Scand J Stat 1978;5:141-150.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("fates")
    >>> result = fates(table, **options, cause="commitment")
    >>> result.findings[0].verdict
    'large'
    """
    check_design(design, where)
    cells = cells_of(table, where)
    known = fates_of(table, cells, censored)
    asked = [cause] if isinstance(cause, str) else list(dict.fromkeys(cause))
    if not known:
        raise InvalidInput([Fault(f"{where}: column fate", f"nothing but '{censored}'", "the fate of some cells")])
    unknown = [Fault(f"{where}: cause", f"'{n}'", f"a fate: {likely(n, known)}") for n in asked if n not in known]
    if unknown:
        raise InvalidInput(unknown)
    compared = pairs_of(cells["arm"], compare, where)
    causes = asked or known
    cells["cause"] = [known.index(name) if name in known else -1 for name in cells["fate"]]
    curves = {
        key: incidence(
            mine["entry_h"].to_numpy(float), mine["time_h"].to_numpy(float), mine["cause"].to_numpy(int), len(known)
        )
        for key, mine in cells.groupby(["arm", "donor"], sort=False)
    }
    reach = min(min(curve.reach for curve in curves.values()), float(cells["time_h"].max()))
    now = reach if time_h is None else float(time_h)
    if not now > 0.0:
        raise InvalidInput([Fault(f"{where}: time_h", f"{now:g}", "a time > 0")])
    donors = donors_of(cells, curves, known, causes, now)
    short = donors[donors["incidence"].isna()].drop_duplicates(["arm", "donor"])
    notes = _followed_in_part(donors, short, now)
    pooled = PooledArms(cells, known, now)
    differences = differences_of(cells, donors, known, causes, compared, design, pooled)
    settings = {
        "compare": compared, "cause": causes, "time_h": now, "censored": censored, "design": design, "level": LEVEL,
        "small_difference": SMALL, "large_difference": LARGE,
    }  # fmt: skip
    fractions = fractions_of(donors, pooled)
    tables = {
        "differences": differences, "fractions": fractions, "donors": donors, "curves": curves_of(curves, known, causes)
    }  # fmt: skip
    words = [difference_finding(row, settings) for row in records(differences)] or [
        share_finding(r, now) for r in records(fractions)
    ]
    method = _METHOD.format(test=_TESTS[design], time=now) + (_POOLED if len(short) else "")
    return FatesResult("fates", method, settings, tuple(words), tables, tuple(notes))


def _followed_in_part(donors: pd.DataFrame, short: pd.DataFrame, now: float) -> list[str]:
    """Arms with donors that were not followed to the time judged."""
    notes = []
    for arm, mine in short.groupby("arm", sort=False):
        n = donors.loc[donors["arm"] == arm, "donor"].nunique()
        names = ", ".join(mine["donor"])
        notes.append(
            f"{arm}: {len(mine)} of {n} donors ({names}) {'was' if len(mine) == 1 else 'were'} not followed to {now:g} "
            "h; what was followed is used, as if their cells went on like those of the others"
        )
    return notes
