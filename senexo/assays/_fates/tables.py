"""Tables of `fates`: incidences of donors and arms, differences between arms, and curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._fates.pooled import PooledArms
from senexo.assays._fates.spec import SPEC
from senexo.assays._senescence.contrasts import LARGE, SMALL
from senexo.assays.result import judge
from senexo.assays.stats.censored import paired_t
from senexo.assays.stats.competing_risks import Incidence, log_rank_score
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import mean_contrast, mean_share, share_variance
from senexo.assays.stats.unpaired import welch
from senexo.base.errors import Fault
from senexo.base.table import at, check

if TYPE_CHECKING:
    import pandas as pd


def fates_of(table: pd.DataFrame, cells: pd.DataFrame, censored: str) -> list[str]:
    """The fates that can occur: the categories of a categorical column, otherwise those that did."""
    import pandas as pd

    kind = table["fate"].dtype
    names = kind.categories if isinstance(kind, pd.CategoricalDtype) else cells["fate"]
    return [name for name in dict.fromkeys(names) if name != censored]


def cells_of(table: pd.DataFrame, where: str) -> pd.DataFrame:
    def followed(rows: pd.DataFrame) -> list[Fault]:
        entry = rows["entry_h"] if "entry_h" in rows else rows["time_h"] * 0.0
        return [
            Fault(at(where, row, "time_h"), f"'{rows.loc[row, 'time_h']:g}'", f"later than {entry[row]:g}")
            for row in rows.index[entry >= rows["time_h"]]
        ]

    found = check(table, SPEC.checks(), where=where, key=SPEC.key, rules=[followed])
    return found if "entry_h" in found else found.assign(entry_h=0.0)


def donors_of(
    cells: pd.DataFrame, curves: Mapping[Any, Incidence], known: Sequence[str], causes: Sequence[str], now: float
) -> pd.DataFrame:
    """Incidence at the time, by arm, donor and fate; nan where the donor was not followed so long."""
    import pandas as pd

    n = cells.groupby(["arm", "donor"], sort=False).size()
    rows = []
    for (arm, donor), curve in curves.items():
        value, error = curve.at(now)
        for name in causes:
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


def fractions_of(donors: pd.DataFrame, pooled: PooledArms) -> pd.DataFrame:
    """Mean over donors: `mean_share` of as many followed cells as the error of the incidence is worth.

    Where a donor was not followed to the time judged, the Aalen-Johansen estimate of all donors together.
    """
    import pandas as pd

    rows = []
    for (arm, fate), mine in donors.groupby(["arm", "fate"], sort=False):
        if mine["incidence"].isna().any():
            found = pooled.fraction(str(arm), list(mine["donor"]), str(fate))
            if math.isfinite(found.value):
                rows.append((arm, fate, len(mine), int(mine["n_cells"].sum()), found.value, found.low, found.high))
            continue
        share = mine["incidence"].to_numpy(float)
        n = mine["n_cells"].to_numpy(float)
        error = mine["std_error"].to_numpy(float)
        worth = np.divide(share * (1.0 - share), error**2, out=n.copy(), where=error > 0.0)
        worth = np.clip(np.floor(worth), 1.0, n).astype(np.int64)
        mean = mean_share(np.rint(share * worth).astype(np.int64), worth)
        value = float(share.mean())
        rows.append((arm, fate, len(mine), int(n.sum()), value, min(mean.low, value), max(mean.high, value)))
    return pd.DataFrame(rows, columns=["arm", "fate", "n_donors", "n_cells", "incidence", "low", "high"])


def differences_of(
    cells: pd.DataFrame, donors: pd.DataFrame, known: Sequence[str], causes: Sequence[str],
    compared: Sequence[tuple[str, str]], design: str, pooled: PooledArms,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for arm, control in compared:
        for name in causes:
            of = donors[donors["fate"] == name]
            first, second = (of[of["arm"] == which].set_index("donor") for which in (arm, control))
            if design == "paired":
                both = first.index.intersection(second.index, sort=False)
                first, second = first.loc[both], second.loc[both]
            rows.append({
                "arm": arm, "control": control, "fate": name, "n_donors": len(first), "n_donors_control": len(second),
                **_compared(arm, control, name, first, second, design, pooled),
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


def _compared(
    arm: str, control: str, fate: str, first: pd.DataFrame, second: pd.DataFrame, design: str, pooled: PooledArms
) -> dict[str, float]:
    """Incidences of both arms and their difference: of donors that were all followed, else of all donors together."""
    if len(first) and len(second) and (first["incidence"].isna().any() or second["incidence"].isna().any()):
        donors = [list(part.index) for part in (first, second)]
        gap = pooled.difference(arm, control, donors, fate, design == "paired")
        shares = [pooled.fraction(name, own, fate).value for name, own in zip((arm, control), donors, strict=True)]
        return {"incidence": shares[0], "incidence_control": shares[1], **_within(gap)}
    shares = [float(part["incidence"].mean()) for part in (first, second)]
    return {"incidence": shares[0], "incidence_control": shares[1], **_tested(first, second, design)}


def _within(found: Estimate) -> dict[str, float]:
    """A difference of shares, its interval no wider than -1 to 1."""
    low, high = (min(max(end, -1.0), 1.0) if math.isfinite(end) else end for end in (found.low, found.high))
    return {"difference": found.value, "low": low, "high": high, "p_value": found.p_value}


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
    return _within(found)


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


def curves_of(curves: Mapping[Any, Incidence], known: Sequence[str], causes: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for (arm, donor), curve in curves.items():
        low, high = curve.interval()
        for name in causes:
            k = known.index(name)
            frames.append(pd.DataFrame({
                "arm": arm, "donor": donor, "fate": name, "time_h": curve.time, "n_at_risk": curve.at_risk,
                "n_events": curve.events[k], "incidence": curve.incidence[k], "std_error": curve.error[k],
                "low": low[k], "high": high[k],
            }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)
