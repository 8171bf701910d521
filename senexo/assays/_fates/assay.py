"""Fates of single cells followed by time-lapse: how many divide, die, commit by a time, each fate hiding the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._fates.spec import SPEC
from senexo.assays._senescence.contrasts import LARGE, SMALL
from senexo.assays.comparisons import check_design, pairs_of
from senexo.assays.result import AssayResult, Finding, before_holm, interval_text, judge, records
from senexo.assays.stats.censored import paired_t
from senexo.assays.stats.competing_risks import Incidence, incidence, log_rank_score
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import mean_contrast, mean_share, share_variance
from senexo.assays.stats.unpaired import welch
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, capped, check, likely

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_METHOD = (
    "Cumulative incidences of the fates were estimated by Aalen and Johansen's method, for each donor and arm, and "
    "averaged over donors (95 % intervals from a beta-binomial model and Student's t over donors). Arms were compared "
    "by {test} of the donors' incidences at {time:g} h, and over the whole time by Student's t of the donors' "
    "cause-specific log-rank scores. P-values are corrected by Holm."
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
    cells = _cells(table, where)
    known = _fates(table, cells, censored)
    asked = [cause] if isinstance(cause, str) else list(dict.fromkeys(cause))
    if not known:
        raise InvalidInput([Fault(f"{where}: column fate", f"nothing but '{censored}'", "the fate of some cells")])
    unknown = [Fault(f"{where}: cause", f"'{n}'", f"a fate: {likely(n, known)}") for n in asked if n not in known]
    if unknown:
        raise capped(unknown, where)
    compared = pairs_of(cells["arm"], compare, where)
    told = asked or known
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
    donors = _donors(cells, curves, known, told, now)
    short = donors[donors["incidence"].isna()].drop_duplicates(["arm", "donor"])
    notes = [f"{row.donor}, {row.arm}: not followed to {now:g} h and no part" for row in short.itertuples()]
    differences = _differences(cells, donors, known, told, compared, design)
    settings = {
        "compare": compared, "cause": told, "time_h": now, "censored": censored, "design": design, "level": LEVEL,
        "small_difference": SMALL, "large_difference": LARGE,
    }  # fmt: skip
    fractions = _fractions(donors)
    tables = {
        "differences": differences, "fractions": fractions, "donors": donors, "curves": _curves(curves, known, told)
    }  # fmt: skip
    words = [_difference(row, settings) for row in records(differences)] or [_share(r, now) for r in records(fractions)]
    method = _METHOD.format(test=_TESTS[design], time=now)
    return FatesResult("fates", method, settings, tuple(words), tables, tuple(notes))


def _fates(table: pd.DataFrame, cells: pd.DataFrame, censored: str) -> list[str]:
    """The fates that can occur: the categories of a categorical column, otherwise those that did."""
    import pandas as pd

    kind = table["fate"].dtype
    names = kind.categories if isinstance(kind, pd.CategoricalDtype) else cells["fate"]
    return [name for name in dict.fromkeys(names) if name != censored]


def _cells(table: pd.DataFrame, where: str) -> pd.DataFrame:
    def followed(rows: pd.DataFrame) -> list[Fault]:
        entry = rows["entry_h"] if "entry_h" in rows else rows["time_h"] * 0.0
        return [
            Fault(at(where, row, "time_h"), f"'{rows.loc[row, 'time_h']:g}'", f"later than {entry[row]:g}")
            for row in rows.index[entry >= rows["time_h"]]
        ]

    found = check(table, SPEC.checks(), where=where, key=SPEC.key, rules=[followed])
    return found if "entry_h" in found else found.assign(entry_h=0.0)


def _donors(
    cells: pd.DataFrame, curves: Mapping[Any, Incidence], known: Sequence[str], told: Sequence[str], now: float
) -> pd.DataFrame:
    """Incidence at the time, by arm, donor and fate; nan where the donor was not followed so long."""
    import pandas as pd

    n = cells.groupby(["arm", "donor"], sort=False).size()
    rows = []
    for (arm, donor), curve in curves.items():
        value, error = curve.at(now)
        for name in told:
            place = known.index(name)
            seen = now <= curve.reach
            numbers = (float(value[place]), float(error[place])) if seen else (math.nan, math.nan)
            events = int(curve.events[place, curve.time <= now].sum())
            rows.append((arm, donor, name, int(n[arm, donor]), events, *numbers))
    return pd.DataFrame(rows, columns=["arm", "donor", "fate", "n_cells", "n_events", "incidence", "std_error"])


def _counting(rows: pd.DataFrame) -> np.ndarray:
    """Variance of each donor's incidence by its finite number of cells: never below that of cells all followed."""
    n = rows["n_cells"].to_numpy(float)
    return np.maximum(rows["std_error"].to_numpy(float) ** 2, share_variance(rows["incidence"].to_numpy(float) * n, n))


def _fractions(donors: pd.DataFrame) -> pd.DataFrame:
    """Mean over donors: `mean_share` of as many followed cells as the error of the incidence is worth."""
    import pandas as pd

    rows = []
    for (arm, fate), mine in donors.dropna(subset="incidence").groupby(["arm", "fate"], sort=False):
        share = mine["incidence"].to_numpy(float)
        n = mine["n_cells"].to_numpy(float)
        error = mine["std_error"].to_numpy(float)
        worth = np.divide(share * (1.0 - share), error**2, out=n.copy(), where=error > 0.0)
        worth = np.clip(np.floor(worth), 1.0, n).astype(np.int64)
        mean = mean_share(np.rint(share * worth).astype(np.int64), worth)
        value = float(share.mean())
        rows.append((arm, fate, len(mine), int(n.sum()), value, min(mean.low, value), max(mean.high, value)))
    return pd.DataFrame(rows, columns=["arm", "fate", "n_donors", "n_cells", "incidence", "low", "high"])


def _differences(
    cells: pd.DataFrame, donors: pd.DataFrame, known: Sequence[str], told: Sequence[str],
    compared: Sequence[tuple[str, str]], design: str,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    whole = donors.dropna(subset="incidence")
    rows: list[dict[str, Any]] = []
    for arm, control in compared:
        for name in told:
            of = whole[whole["fate"] == name]
            first, second = (of[of["arm"] == which].set_index("donor") for which in (arm, control))
            if design == "paired":
                both = first.index.intersection(second.index, sort=False)
                first, second = first.loc[both], second.loc[both]
            rows.append({
                "arm": arm, "control": control, "fate": name, "n_donors": len(first), "n_donors_control": len(second),
                "incidence": float(first["incidence"].mean()), "incidence_control": float(second["incidence"].mean()),
                **_tested(first, second, design),
                "p_log_rank": _log_rank(cells, arm, control, known.index(name)) if design == "paired" else math.nan,
            })  # fmt: skip
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        estimate = Estimate(row["difference"], row["low"], row["high"])
        row |= {"p_holm": float(p), "verdict": judge(estimate, float(p), small=SMALL, large=LARGE)}
    names = (
        "arm", "control", "fate", "n_donors", "n_donors_control", "incidence", "incidence_control", "difference", "low",
        "high", "p_value", "p_holm", "p_log_rank", "verdict",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(names))


def _tested(first: pd.DataFrame, second: pd.DataFrame, design: str) -> dict[str, float]:
    values = [part["incidence"].to_numpy(float) for part in (first, second)]
    if not len(first) or not len(second):
        return dict.fromkeys(("difference", "low", "high", "p_value"), math.nan)
    if design == "paired":
        found = mean_contrast(values[0] - values[1], _counting(first) + _counting(second))
    elif min(map(len, values)) < 2:
        found = Estimate(float(values[0].mean() - values[1].mean()), math.nan, math.nan)
    else:
        found = welch(values[0], values[1], _counting(first), _counting(second))
    low, high = (min(max(end, -1.0), 1.0) if math.isfinite(end) else end for end in (found.low, found.high))
    return {"difference": found.value, "low": low, "high": high, "p_value": found.p_value}


def _log_rank(cells: pd.DataFrame, arm: str, control: str, cause: int) -> float:
    """Student's t over donors of the cause-specific log-rank score within each: cells are not the unit."""
    scores = []
    for _, mine in cells[cells["arm"].isin([arm, control])].groupby("donor", sort=False):
        first = (mine["arm"] == arm).to_numpy()
        if first.any() and not first.all():
            entry, time = mine["entry_h"].to_numpy(float), mine["time_h"].to_numpy(float)
            scores.append(log_rank_score(entry, time, (mine["cause"] == cause).to_numpy(), first))
    values = np.array(scores)
    if len(values) < 2 or values.var() == 0.0:
        return math.nan
    return paired_t(values).p_value


def _curves(curves: Mapping[Any, Incidence], known: Sequence[str], told: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for (arm, donor), curve in curves.items():
        low, high = curve.interval()
        for name in told:
            k = known.index(name)
            frames.append(pd.DataFrame({
                "arm": arm, "donor": donor, "fate": name, "time_h": curve.time, "n_at_risk": curve.at_risk,
                "n_events": curve.events[k], "incidence": curve.incidence[k], "std_error": curve.error[k],
                "low": low[k], "high": high[k],
            }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _share(row: Mapping[str, Any], now: float) -> Finding:
    estimate = Estimate(row["incidence"], row["low"], row["high"])
    n = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}, {row['n_cells']} cells"
    interval = f"95 % CI {100 * row['low']:.1f} to {100 * row['high']:.1f} %; {n}"
    sentence = f"{row['arm']}: {row['fate']} by {now:g} h in {100 * row['incidence']:.1f} % of cells ({interval})."
    id = f"incidence:{row['fate']}:{row['arm']}"
    return Finding.of("fates", id, sentence, estimate, unit="share", p_holm=math.nan, verdict="estimated")


def _difference(row: Mapping[str, Any], settings: Mapping[str, Any]) -> Finding:
    title = f"{row['fate']} by {settings['time_h']:g} h, {row['arm']} against {row['control']}: "
    return Finding.of(
        "fates", f"difference:{row['fate']}:{row['arm']}:{row['control']}", title + _words(row, settings["design"]),
        Estimate(row["difference"], row["low"], row["high"]), unit="share", p_holm=row["p_holm"],
        verdict=row["verdict"],
    )  # fmt: skip


def _words(row: Mapping[str, Any], design: str) -> str:
    n, n_control = row["n_donors"], row["n_donors_control"]
    if row["verdict"] == "not testable":
        return f"not testable: {n} and {n_control} donors were followed; two in each arm are needed."
    shares = f"{100 * row['incidence']:.1f} % and {100 * row['incidence_control']:.1f} %"
    points = f"{100 * row['difference']:+.1f} points"
    bracket = interval_text(
        row["low"], row["high"], row["p_holm"], n, scale=100, sign="+.1f",
        n_control=None if design == "paired" else n_control,
    )  # fmt: skip
    words = {
        "absent": f"no effect shown; {100 * SMALL:g} points or more are excluded.",
        "not shown": f"no effect shown{before_holm(row)}; up to {100 * max(-row['low'], row['high']):.0f} points are "
        "not excluded.",
    }
    return f"{shares}, {points} ({bracket}): {words.get(row['verdict'], 'a ' + row['verdict'] + ' effect.')}"
