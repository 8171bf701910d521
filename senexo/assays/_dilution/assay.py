"""Extreme limiting dilution analysis: how rare are the cells that grow out, from wells or mice that did or did not.

Hu Y, Smyth GK, J Immunol Methods 2009;347:70-78, doi 10.1016/j.jim.2009.06.008. With d cells in a unit and a frequency
f of cells of which one suffices, a unit stays negative with probability exp(-f d) (single hit).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from senexo.assays._dilution import sentences as dilution_words
from senexo.assays._dilution.shares import counted
from senexo.assays.result import AssayResult
from senexo.assays.stats import single_hit
from senexo.assays.stats.estimate import ALPHA, LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.single_hit_fit import Fit, f_test, goodness_of_fit, widened
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, at, check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ALL = "all"  # the one group of a plate without groups

METHOD = (
    "Limiting dilution by a generalised linear model with binomial response, complementary log-log link and log(cells) "
    "as offset (Hu and Smyth 2009): frequency of responding cells with Wald interval on the log scale; where no unit "
    "responded, a one-sided 95 % upper bound of the frequency, where all did, a one-sided lower bound. The single-hit "
    "model was tested by the slope of log(cells) (likelihood ratio, Wald and score tests) and by its deviance on doses "
    "less one degrees of freedom (against chi-squared, or simulated plates where few units are expected), the two with "
    "Holm's correction; groups and pairs of groups by likelihood ratio, pairs with Holm's correction."
)
OVERDISPERSED = (
    " As the deviance contradicts the model, intervals are of quasi-likelihood (Pearson's dispersion, Student's t), "
    "and groups were compared by F tests."
)


@dataclass(frozen=True)
class DilutionResult(AssayResult):
    """Tables: frequencies (of groups), single_hit, fit, groups, pairs, units. Columns: docs/assays/dilution.md."""

    def figure(self) -> Figure:
        from senexo.assays._dilution.figure import log_fractions

        return log_fractions(self.tables)


def dilution(
    table: pd.DataFrame,
    *,
    dose: str = "dose",
    tested: str = "tested",
    response: str = "response",
    group: str | None = None,
    where: str = "table",
) -> DilutionResult:
    """Estimate the frequency of cells that grow out or engraft, 1 in N, by limiting dilution, and compare groups.

    P(a unit with d cells responds) = 1 - exp(-f d), so log(-log(1 - P)) = log f + log d: a binomial generalised linear
    model with complementary log-log link and offset. Equal to `elda` of R's statmod.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each dose and group, or one row per well or mouse; rows of one dose are summed.
    dose : str, default "dose"
        Column of cells per well or mouse.
    tested : str, default "tested"
        Column of the number of wells or mice.
    response : str, default "response"
        Column of how many of them grew out or engrafted; also ``4/6``, which needs no column of tested, or ``50%``.
    group : str, optional
        Column of the groups to compare; without it all rows are one group.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    DilutionResult
        Tables frequencies, single_hit, fit, groups, pairs, units. Where no unit responded the frequency has a one-sided
        upper bound (0 of n is a bound, never zero); where all did, a one-sided lower bound. Where the
        deviance contradicts the single-hit model, intervals allow for overdispersion.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column), together.

    References
    ----------
    Hu Y, Smyth GK, J Immunol Methods 2009;347:70-78, doi 10.1016/j.jim.2009.06.008.

    Examples
    --------
    >>> import pandas as pd
    >>> wells = pd.DataFrame({"dose": [100, 300, 1000], "tested": [24, 24, 24], "response": [5, 12, 22]})
    >>> print(dilution(wells))
    dilution: 3 findings (95 % intervals; p after Holm)
    frequency:all   418 [294, 596]      1 in N cells         estimated
    single_hit:all  1.03 [0.612, 1.46]  slope         p = 1  agrees with single hit
    fit:all         0.0363 [-, -]       deviance      p = 1  agrees with single hit
    """
    units, notes = _units(table, dose, tested, response, group, where)
    names = list(dict.fromkeys(units["group"]))
    fits = {name: single_hit.fit(*_columns(units[units["group"] == name])) for name in names}
    shape = single_hit.slope(*_columns(units), units["group"].to_numpy())
    plates = {name: _columns(units[units["group"] == name]) for name in names}
    by_group, overall = goodness_of_fit(plates, fits)
    p_slope, p_fit = holm([single_hit.two_sided(shape.z_ratio), overall.p_value])
    wide = overall if p_fit < ALPHA else None
    plain = fits
    if wide is not None:
        fits = {name: widened(fit, wide) for name, fit in fits.items()}
    tables = {
        "frequencies": _frequencies(units, fits, plain, wide),
        "single_hit": _shape_table(shape),
        "fit": _fit_table(by_group, overall),
        "groups": _group_table(units, names, wide),
        "pairs": _pair_table(units, names, fits, wide),
        "units": units,
    }
    settings = {
        "dose": dose, "tested": tested, "response": response, "group": group, "level": LEVEL,
        "small_fold": dilution_words.SMALL_FOLD, "large_fold": dilution_words.LARGE_FOLD,
    }  # fmt: skip
    judged = dilution_words.Judged(shape, overall, float(p_slope), float(p_fit))
    findings = tuple(dilution_words.findings(tables, judged, named=group is not None))
    method = METHOD + (OVERDISPERSED if wide is not None else "")
    return DilutionResult("dilution", method, settings, findings, tables, tuple(notes))


def _units(
    table: pd.DataFrame, dose: str, tested: str, response: str, group: str | None, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """The input as group, dose, tested, response; one row per group and dose."""
    import pandas as pd

    columns = [Column(dose, "number", low=0), Column(tested, "whole", low=0), Column(response, "whole", low=0)]
    if group is not None:
        columns.append(Column(group, "text"))
    names = [column.name for column in columns]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InvalidInput([Fault(f"{where}: options", f"column {name} in two roles", "one") for name in twice])

    def responses(rows: pd.DataFrame) -> list[Fault]:
        over = [
            Fault(
                at(where, row, response),
                f"{rows.loc[row, response]} of {rows.loc[row, tested]} units",
                f"no more than {tested}",
            )
            for row in rows.index[rows[response] > rows[tested]]
        ]
        return over + [
            Fault(at(where, row, dose), "0 cells with a unit that responded", "cells > 0")
            for row in rows.index[(rows[dose] == 0) & (rows[response] > 0)]
        ]

    table, notes = counted(table, tested, response, where)
    rows = check(table, columns, where=where, rules=[responses])
    empty = (rows[tested] == 0) | (rows[dose] == 0)
    if empty.all():
        raise InvalidInput([Fault(where, "no unit with cells in it", "at least one")])
    if empty.any():
        many = int(empty.sum())
        notes.append(f"{many} row{'s' if many > 1 else ''} without units or without cells left out")
    rows = rows[~empty]
    named = rows[group] if group is not None else ALL
    units = pd.DataFrame({"group": named, "dose": rows[dose], "tested": rows[tested], "response": rows[response]})
    order = {name: k for k, name in enumerate(dict.fromkeys(units["group"]))}
    if group is not None and len(order) == 1:
        notes.append(f"{group} holds one group only: nothing to compare")
    summed = units.groupby(["group", "dose"], sort=False)[["tested", "response"]].sum().reset_index()
    if len(summed) < len(units):
        notes.append(f"{len(units)} rows were summed to {len(summed)}, one for each dose and group")
    summed = summed.sort_values("dose").sort_values("group", key=lambda names: names.map(order), kind="stable")
    return summed.reset_index(drop=True), notes


def _columns(units: pd.DataFrame) -> single_hit.Plate:
    dose, tested, response = (units[name].to_numpy(dtype=float) for name in ("dose", "tested", "response"))
    return dose, tested, response


def _frequencies(
    units: pd.DataFrame, fits: Mapping[str, Estimate], plain: Mapping[str, Estimate], wide: Fit | None
) -> pd.DataFrame:
    """1 in N: N falls where the frequency rises, so the bounds change places; N is never below 1."""
    import pandas as pd

    rows = []
    for name, fit in fits.items():
        own = units[units["group"] == name]
        rows.append({
            "group": name, "one_in": _one_in(fit.value),
            "one_in_low": _one_in(fit.high), "one_in_high": _one_in(fit.low),
            "frequency": min(fit.value, 1.0), "frequency_low": min(fit.low, 1.0), "frequency_high": min(fit.high, 1.0),
            "n_tested": int(own["tested"].sum()), "n_response": int(own["response"].sum()), "n_doses": len(own),
            "one_in_low_elda": _one_in(plain[name].high), "one_in_high_elda": _one_in(plain[name].low),
            "dispersion": 1.0 if wide is None else max(1.0, wide.dispersion),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _one_in(frequency: float) -> float:
    return math.inf if frequency == 0 else max(1.0, 1.0 / frequency)


def _shape_table(shape: single_hit.Slope) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([
        {"test": name, "slope": shape.value, "slope_low": shape.low, "slope_high": shape.high, "z": z,
         "p_value": single_hit.two_sided(z)}
        for name, z in (("likelihood ratio", shape.z_ratio), ("Wald", shape.z_wald),
                        ("score, log dose", shape.z_score_log), ("score, dose", shape.z_score_dose))
    ])  # fmt: skip


def _fit_table(by_group: Mapping[str, Fit], overall: Fit) -> pd.DataFrame:
    import pandas as pd

    rows = list(by_group.items()) if len(by_group) == 1 else [*by_group.items(), (ALL, overall)]
    return pd.DataFrame([
        {"group": name, "deviance": fit.deviance, "pearson": fit.pearson, "degrees_of_freedom": fit.degrees_of_freedom,
         "p_value": fit.p_value, "dispersion": fit.dispersion,
         "against": "-" if not fit.degrees_of_freedom else "simulated plates" if fit.simulated else "chi-squared"}
        for name, fit in rows
    ])  # fmt: skip


def _group_table(units: pd.DataFrame, names: Sequence[str], wide: Fit | None) -> pd.DataFrame:
    import pandas as pd

    columns = ["chi_square", "degrees_of_freedom", "p_value"]
    if len(names) < 2:
        return pd.DataFrame(columns=columns)
    chi, p = single_hit.difference(*_columns(units), units["group"].to_numpy())
    p = p if wide is None else f_test(chi, len(names) - 1, wide)
    return pd.DataFrame([(chi, len(names) - 1, p)], columns=columns)


def _pair_table(
    units: pd.DataFrame, names: Sequence[str], fits: Mapping[str, Estimate], wide: Fit | None
) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for first, second in combinations(names, 2):
        both = units[units["group"].isin([first, second])]
        chi, p = single_hit.difference(*_columns(both), both["group"].to_numpy())
        p = p if wide is None else f_test(chi, 1, wide)
        ratio = single_hit.ratio(
            fits[first], fits[second], *(_columns(both[both["group"] == x]) for x in (first, second))
        )
        rows.append({"group": first, "other": second, "fold": ratio.value, "fold_low": ratio.low,
                     "fold_high": ratio.high, "chi_square": chi, "p_value": p})  # fmt: skip
    table = pd.DataFrame(rows, columns=["group", "other", "fold", "fold_low", "fold_high", "chi_square", "p_value"])
    return table.assign(p_holm=holm(table["p_value"].to_list()))
