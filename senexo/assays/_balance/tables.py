"""Tables of `balance`: wells of one time, what changed within each donor, and losses, gains and indices of arms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._balance.spec import SPEC
from senexo.assays.stats.estimate import ALPHA, Estimate
from senexo.assays.stats.fieller import ratio_of_means
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import mean_contrast
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, check

if TYPE_CHECKING:
    import pandas as pd

MIN_RECOVERY = 0.1  # share of what donor cells lose that recipients must gain for a loss to be called transfer
PLACES = ("donor_cells", "recipient_cells", "vesicular", "free", "degraded")
CLOSES = 1e-9  # relative error with which a simulated balance closes
WELLS = next(table for table in SPEC.tables if table.name == "wells")
TRANSFER, LOSS, OPEN = "transfer", "loss without transfer", "not decided"


def wells_of(table: pd.DataFrame, time_h: float | None, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The checked wells of one time; `total` of all places given and, where made is given, what it leaves open."""
    errors = ("donor_cells_sd", "recipient_cells_sd")
    found = check(table, SPEC.checks(), where=where, key=SPEC.key)
    notes = []
    if "time_h" in found:
        times = sorted(set(found["time_h"]))
        if time_h is not None and time_h not in times:
            known_times = ", ".join(f"{time:g}" for time in times[:12])
            raise InvalidInput([Fault(f"{where}: time_h", f"{time_h:g}", f"a time of the table: {known_times}")])
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
        raise InvalidInput(faults)
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


def changes_of(wells: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> pd.DataFrame:
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


def transfers_of(changes: pd.DataFrame, compared: Sequence[tuple[str, str]], min_recovery: float) -> pd.DataFrame:
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
                "loss": _mean_change(loss, noise[0]), "gain": _mean_change(gain, noise[1]),
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


def _mean_change(values: np.ndarray, noise: np.ndarray) -> Estimate:
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


def lost_donors(wells: pd.DataFrame, changes: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> list[str]:
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
