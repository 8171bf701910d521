"""Where did the copies go: a mass balance that tells transfer (recipients gain) from mere loss, by donor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._balance.spec import SPEC
from senexo.assays.comparisons import pairs_of
from senexo.assays.drawing import draw_estimates
from senexo.assays.result import AssayResult, Finding, p_text, records
from senexo.assays.stats.estimate import ALPHA, LEVEL, Estimate, significant
from senexo.assays.stats.fieller import ratio_of_means
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import mean_contrast
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, capped, check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MIN_RECOVERY = 0.1  # share of what donor cells lose that recipients must gain for a loss to be called transfer
PLACES = ("donor_cells", "recipient_cells", "vesicular", "free", "degraded")
CLOSES = 1e-9  # relative error with which a simulated balance closes
WELLS = next(table for table in SPEC.tables if table.name == "wells")
TRANSFER, LOSS, OPEN = "transfer", "loss without transfer", "not decided"

_METHOD = (
    "Copies per well were averaged by donor. Loss of donor cells and gain of recipients were taken as differences to a "
    "control in which transfer is prevented, within donors, and tested by Student's t over donors (the error of "
    "measuring as a floor). The transfer index is the ratio of the mean gain to the mean loss with Fieller's interval. "
    "P-values are corrected by Holm. Transfer is claimed where recipients gain, and by no more than donor cells lose; "
    "loss without transfer where donor cells lose and an index of {min_recovery:g} is excluded."
)


@dataclass(frozen=True)
class BalanceResult(AssayResult):
    """Tables: transfers, changes (of every donor), wells. Columns: docs/assays/balance.md."""

    def figure(self) -> Figure:
        from senexo.assays.drawing import canvas

        found = records(self.tables["transfers"])
        rows = [
            (f"{row['arm']}\n/ {row['control']}: {name}", row[name], row[f"{name}_low"], row[f"{name}_high"])
            for row in found
            for name in ("loss", "gain")
        ]
        index = [(row["arm"], row["index"], row["index_low"], row["index_high"]) for row in found]
        with canvas(6.4, 1.4 + 0.5 * len(rows)) as figure:
            left, right = figure.subplots(1, 2)
            draw_estimates(left, rows, nothing=0.0, label="copies per well (mean of donors, 95 % CI)")
            draw_estimates(right, index, nothing=1.0, label="transfer index (gain / loss, 95 % CI)")
            left.set_title("A")
            right.set_title("B")
            return figure


@former_keywords({"least": "min_recovery"})
def balance(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]],
    time_h: float | None = None,
    min_recovery: float = MIN_RECOVERY,
    where: str = "table",
) -> BalanceResult:
    """Decide whether recipients gain the copies that donor cells lose (transfer), or whether they are merely lost.

    loss = donor cells of the control - of the arm, gain = recipients of the arm - of the control, within each donor;
    transfer index = mean gain / mean loss.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per well and time: arm, donor, copies in donor_cells and recipient_cells; where there are any replicate,
        time_h (hours), vesicular and free (copies in the medium), degraded, made, and the standard errors of measuring
        donor_cells_sd and recipient_cells_sd. Empty recipient_cells: a well without recipients. Other columns are
        ignored.
    compare : pair of str or sequence of pairs
        (arm, control), or several such pairs; in the control the same cells are kept from transfer (apart, or with an
        inhibitor).
    time_h : float, optional
        The time judged in hours; by default the last.
    min_recovery : float, default 0.1
        Transfer index below which a loss is no transfer.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    BalanceResult
        Tables transfers, changes, wells. Fewer than two donors: ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    Fieller EC, J R Stat Soc B 1954;16:175-185, doi 10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("balance")
    >>> balance(table, **options).findings[0].verdict
    'transfer'
    """
    if not 0.0 < min_recovery < 1.0:
        raise InvalidInput([Fault(f"{where}: min_recovery", f"{min_recovery:g}", "a share between 0 and 1")])
    wells, notes = _wells(table, time_h, where)
    compared = pairs_of(wells["arm"], compare, where)
    if not compared:
        raise InvalidInput([Fault(f"{where}: compare", "nothing", "an arm and its control without transfer")])
    changes = _changes(wells, compared)
    transfers = _transfers(changes, compared, min_recovery)
    notes += _lost_donors(wells, changes, compared)
    settings = {
        "compare": compared, "time_h": None if wells["time_h"].isna().all() else float(wells["time_h"].iloc[0]),
        "min_recovery": min_recovery, "level": LEVEL,
    }  # fmt: skip
    tables = {"transfers": transfers, "changes": changes, "wells": wells}
    findings = tuple(_finding(row, min_recovery) for row in records(transfers))
    return BalanceResult("balance", _METHOD.format(min_recovery=min_recovery), settings, findings, tables, tuple(notes))


def _wells(table: pd.DataFrame, time_h: float | None, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The checked wells of one time; `total` of all places told and, where made is told, what it leaves open."""
    errors = ("donor_cells_sd", "recipient_cells_sd")
    found = check(table, SPEC.checks(), where=where, key=SPEC.key)
    notes = []
    if "time_h" in found:
        times = sorted(set(found["time_h"]))
        if time_h is not None and time_h not in times:
            told = ", ".join(f"{time:g}" for time in times[:12])
            raise InvalidInput([Fault(f"{where}: time_h", f"{time_h:g}", f"a time of the table: {told}")])
        now = times[-1] if time_h is None else time_h
        if len(times) > 1:
            notes.append(
                f"{int((found['time_h'] != now).sum())} of {len(found)} rows are of other times than {now:g} h"
            )
        found = found[found["time_h"] == now]
    elif time_h is not None:
        raise InvalidInput([Fault(f"{where}: time_h", f"{time_h:g}", "a column time_h in the table")])
    faults = [
        Fault(at(where, row, error), "a standard error without its copies", f"copies in {error[:-3]}")
        for error in errors
        if error in found
        for row in found.index[found[error].notna() & found[error[:-3]].isna()]
    ]
    if faults:
        raise capped(faults, where)
    for name in ("replicate", "time_h", *PLACES[2:], "made", *errors):
        if name not in found:
            found = found.assign(**{name: "" if name == "replicate" else math.nan})
    found = found.assign(total=found[list(PLACES)].fillna(0.0).sum(axis=1))
    found["unaccounted"] = found["made"] - found["total"]
    open_wells = found["unaccounted"].abs() > CLOSES * found["made"]
    if open_wells.any():
        share = (found["unaccounted"] / found["made"].where(found["made"] > 0))[open_wells]
        notes.append(
            f"in {int(open_wells.sum())} of {len(found)} wells copies made are not those found in all places "
            f"(unaccounted: {100 * share.min():.1f} to {100 * share.max():.1f} %)"
        )
    return found[[field.name for field in WELLS.fields]].reset_index(drop=True), notes


def _changes(wells: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row per pair of arms and donor in both: means over wells, what changed, and the variance of measuring it."""
    import pandas as pd

    means = wells.groupby(["arm", "donor"], sort=False)[list(PLACES)].mean()
    variance = pd.DataFrame({
        name: (wells[f"{name}_sd"].fillna(0.0) ** 2).groupby([wells["arm"], wells["donor"]]).mean()
        / wells.groupby(["arm", "donor"])[name].count().clip(lower=1)
        for name in PLACES[:2]
    })  # fmt: skip
    rows = []
    for arm, control in compared:
        there = [donor for a, donor in means.index if a == arm and (control, donor) in means.index]
        for donor in there:
            now, then = means.loc[(arm, donor)], means.loc[(control, donor)]
            change = now - then
            if math.isnan(change["recipient_cells"]):
                continue
            noise = variance.loc[(arm, donor)] + variance.loc[(control, donor)]
            medium = change[["vesicular", "free"]].fillna(0.0).sum()
            rows.append((
                arm, control, donor, -change["donor_cells"], change["recipient_cells"], float(medium),
                float(change[["degraded"]].fillna(0.0).sum()), noise["donor_cells"], noise["recipient_cells"],
            ))  # fmt: skip
    names = ["loss", "gain", "medium", "degraded_more", "loss_variance", "gain_variance"]
    return pd.DataFrame(rows, columns=["arm", "control", "donor", *names])


def _transfers(changes: pd.DataFrame, compared: Sequence[tuple[str, str]], min_recovery: float) -> pd.DataFrame:
    """One row per pair of arms: loss, gain, index, and the share of the loss that is found again anywhere."""
    import pandas as pd

    nothing = Estimate(math.nan, math.nan, math.nan)
    rows: list[dict[str, Any]] = []
    for arm, control in compared:
        mine = changes[(changes["arm"] == arm) & (changes["control"] == control)]
        loss, gain, medium = (mine[name].to_numpy(float) for name in ("loss", "gain", "medium"))
        noise = [mine[f"{name}_variance"].to_numpy(float) for name in ("loss", "gain")]
        found = {"loss": nothing, "gain": nothing, "index": nothing, "recovered": nothing}
        if len(mine):
            floor = float(noise[0].mean()), float(noise[1].mean())
            back = gain + medium + mine["degraded_more"].to_numpy(float)
            found = {
                "loss": _mean(loss, noise[0]), "gain": _mean(gain, noise[1]),
                "index": ratio_of_means(gain, loss, (floor[1], floor[0])), "recovered": ratio_of_means(back, loss),
            }  # fmt: skip
        row: dict[str, Any] = {"arm": arm, "control": control, "n_donors": len(mine)}
        for name, estimate in found.items():
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        rows.append(row | {"p_loss": found["loss"].p_value, "p_gain": found["gain"].p_value})
    for name in ("loss", "gain"):
        for row, p in zip(rows, holm([row[f"p_{name}"] for row in rows]), strict=True):
            row[f"p_{name}_holm"] = float(p)
    for row in rows:
        row["verdict"] = _verdict(row, min_recovery)
    return pd.DataFrame(rows)


def _mean(values: np.ndarray, noise: np.ndarray) -> Estimate:
    """`mean_contrast`; donors that agree to the last digit, measured without error, leave nothing open."""
    if len(values) > 1 and not values.any() and not noise.any():
        return Estimate(0.0, 0.0, 0.0, 1.0)
    if len(values) > 1 and values.var() == 0.0 and not noise.any():
        return Estimate(float(values[0]), float(values[0]), float(values[0]), 0.0)
    return mean_contrast(values, noise)


def _verdict(row: Mapping[str, Any], min_recovery: float) -> str:
    if math.isnan(row["p_gain_holm"]):
        return "not testable"
    gains, loses = (row[f"p_{name}_holm"] < ALPHA and row[name] > 0.0 for name in ("gain", "loss"))
    if gains and loses and row["index_low"] <= 1.0:
        return TRANSFER
    if loses and row["index_high"] < min_recovery:
        return LOSS
    return OPEN


def _finding(row: Mapping[str, Any], min_recovery: float) -> Finding:
    index = Estimate(row["index"], row["index_low"], row["index_high"])
    title = f"{row['arm']} against {row['control']}: "
    n = f"{row['n_donors']} donor{'' if row['n_donors'] == 1 else 's'}"
    if row["verdict"] == "not testable":
        words = f"not testable, {n} with donor cells and recipients in both arms; two are needed."
    else:
        words = f"{_change(row, 'loss', 'donor cells lose')}, {_change(row, 'gain', 'recipients gain')} ({n}): "
        words += _conclusion(row, min_recovery)
    return Finding.of(
        "balance", f"transfer:{row['arm']}:{row['control']}", title + words, index, unit="gain / loss",
        p_holm=row["p_gain_holm"], verdict=row["verdict"],
    )  # fmt: skip


def _change(row: Mapping[str, Any], name: str, words: str) -> str:
    ends = f"95 % CI {significant(row[f'{name}_low'])} to {significant(row[f'{name}_high'])}"
    return f"{words} {significant(row[name])} copies per well ({ends}; {p_text(row[f'p_{name}_holm'])})"


def _conclusion(row: Mapping[str, Any], min_recovery: float) -> str:
    closed = math.isfinite(row["index_low"]) and math.isfinite(row["index_high"])
    ends = f" (95 % CI {significant(row['index_low'])} to {significant(row['index_high'])})" if closed else ""
    index = f"index {significant(row['index'])}{ends}"
    if row["verdict"] == TRANSFER:
        return f"transfer; {index}."
    if row["verdict"] == LOSS:
        return f"loss without transfer; {index}, {min_recovery:g} is excluded."
    gains, loses = (row[f"p_{name}_holm"] < ALPHA and row[name] > 0.0 for name in ("gain", "loss"))
    if gains and loses:
        return f"not decided; {index}, recipients gain more than donor cells lose, so they have another source."
    if gains:
        return "not decided; recipients gain, but no loss of donor cells is shown: they may have another source."
    if loses:
        return f"not decided; {index}: neither a gain nor its absence is shown."
    return "not decided; neither a loss nor a gain is shown."


def _lost_donors(wells: pd.DataFrame, changes: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> list[str]:
    notes = []
    for arm, control in compared:
        met = set(wells.loc[wells["arm"].isin([arm, control]), "donor"])
        used = set(changes.loc[(changes["arm"] == arm) & (changes["control"] == control), "donor"])
        if met - used:
            notes.append(
                f"{len(met - used)} of {len(met)} donors have no donor cells and recipients in both {arm} and "
                f"{control} and are no part"
            )
    return notes
