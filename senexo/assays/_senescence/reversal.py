"""Reversibility: how much of an effect on the share of positive cells remains after wash-out, by donor.

remaining = (share washed out - background) / (share with the effect kept - background), a ratio of means over donors.
Its interval is Fieller's: the ratios rho at which the paired t-test of washed - rho kept does not reject. It needs an
effect that is shown; a ratio to nothing is not an estimate. Fieller EC, J R Stat Soc B 1954;16:175-185,
doi 10.1111/j.2517-6161.1954.tb00159.x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.result import Finding, before_holm, day, p_text, records
from senexo.assays.stats.estimate import ALPHA, LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import mean_contrast, share_variance
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
GONE, HELD = 0.2, 0.8  # of the effect: at most this remains: reversible; at least this remains: held
SETTINGS = {"gone": GONE, "held": HELD}
_COLUMNS = (
    "washed", "kept", "control", "time_h", "kept_time_h", "n_donors", "share_washed", "share_kept",
    "share_control", "share_control_kept", "remaining", "low", "high", "p_value", "p_holm", "p_effect", "verdict",
)  # fmt: skip


def pairs(
    per_donor: pd.DataFrame, washout: Sequence[str] | Sequence[Sequence[str]] | None, control: str | None,
    time_h: float, washout_h: float, where: str,
) -> list[tuple[str, str]]:  # fmt: skip
    """The (washed out, kept) arms asked for, once all of them are known to have been counted at their times."""
    if not washout:
        if control is not None:
            raise InvalidInput([Fault(f"{where}: control", f"'{control}'", "nothing, as no washout was asked for")])
        return []
    asked: list[Sequence[str]] = [washout] if isinstance(washout[0], str) else list(washout)  # type: ignore[list-item]
    known = set(zip(per_donor["arm"], per_donor["time_h"], strict=True))
    faults = [
        Fault(f"{where}: washout", f"{len(pair)} names", "two: the arm washed out and the arm kept")
        for pair in asked
        if len(pair) != 2
    ]
    wanted = [("washout", arm, time) for pair in asked for arm, time in zip(pair, (time_h, washout_h), strict=False)]
    wanted += [("control", control, time) for time in dict.fromkeys((time_h, washout_h)) if control is not None]
    faults += [
        Fault(f"{where}: {option}", f"'{arm}' at {time:g} h", f"an arm counted then: {_arms(known, time)}")
        for option, arm, time in wanted
        if (arm, time) not in known
    ]
    faults += [
        Fault(f"{where}: washout", f"'{pair[0]}' twice, at one time", "two arms, or washout_h, the time of wash-out")
        for pair in asked
        if len(pair) == 2 and pair[0] == pair[1] and time_h == washout_h
    ]
    if faults:
        raise InvalidInput(faults)
    return [(pair[0], pair[1]) for pair in asked]


def table(
    per_donor: pd.DataFrame, washed_kept: Sequence[tuple[str, str]], control: str | None, time_h: float,
    washout_h: float,
) -> pd.DataFrame:  # fmt: skip
    """One row per wash-out; counts summed per donor, all times."""
    import pandas as pd

    rows = []
    for washed, kept in washed_kept:
        samples = [(washed, time_h), (kept, washout_h)]
        samples += [(control, time_h), (control, washout_h)] if control is not None else []
        found = _remaining([_counts(per_donor, *sample) for sample in samples], same_time=time_h == washout_h)
        names = {"washed": washed, "kept": kept, "control": control or ""}
        rows.append({**names, "time_h": time_h, "kept_time_h": washout_h, **found})
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_holm"] = float(p)
        row["verdict"] = _verdict(row)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def findings(washouts: pd.DataFrame, readout: str, label: str, *, timed: bool) -> list[Finding]:
    """One sentence per wash-out."""
    return [
        Finding.of(
            "senescence", f"{readout}:washout:{row['washed']}:{row['kept']}",
            f"{label}, {_arms_in_words(row, timed=timed)}: {_words(row)}",
            Estimate(row["remaining"], row["low"], row["high"]), unit="share of the effect that remains",
            p_holm=row["p_holm"], verdict=row["verdict"],
        )
        for row in records(washouts)
    ]  # fmt: skip


def _arms(known: set[tuple[str, float]], time_h: float) -> str:
    there = sorted({arm for arm, time in known if time == time_h})
    return ", ".join(there) or f"nothing was counted at {time_h:g} h"


def _counts(per_donor: pd.DataFrame, arm: str | None, time_h: float) -> pd.DataFrame:
    rows = per_donor[(per_donor["arm"] == arm) & (per_donor["time_h"] == time_h)].set_index("donor")
    return rows[["n_positive", "n_total"]].astype(float)


def _remaining(samples: Sequence[pd.DataFrame], *, same_time: bool) -> dict[str, Any]:
    """samples: washed, kept, and where there is a control its counts at the time of each."""
    donors = samples[0].index
    for sample in samples[1:]:
        donors = donors.intersection(sample.index)
    n, counts = len(donors), [sample.loc[donors].to_numpy().T for sample in samples]
    row: dict[str, Any] = {"n_donors": n}
    names = ("share_washed", "share_kept", "share_control", "share_control_kept")
    shares = [positive / total for positive, total in counts]
    row |= {name: float(share.mean()) if n else math.nan for name, share in zip(names, shares, strict=False)}
    if n < 2:
        value = _ratio(shares) if n else math.nan
        return row | {"remaining": value, "low": math.nan, "high": math.nan, "p_value": math.nan, "p_effect": math.nan}
    variances = [share_variance(positive, total) for positive, total in counts]
    washed, kept = shares[0], shares[1]
    counting = np.array([variances[0].mean(), 0.0, variances[1].mean()])  # of washed, of both, of kept
    if len(samples) > 2:
        washed, kept = washed - shares[2], kept - shares[3]
        shared = variances[2].mean() if same_time else 0.0  # one background subtracted from both errs in both alike
        counting += [variances[2].mean(), shared, variances[3].mean()]
    effect = mean_contrast(kept, np.full(n, counting[2]))
    reversed_ = mean_contrast(washed - kept, np.full(n, counting[0] - 2.0 * counting[1] + counting[2]))
    row |= {"p_effect": effect.p_value, "p_value": math.nan, "low": math.nan, "high": math.nan, "remaining": math.nan}
    if effect.p_value < ALPHA and effect.value > 0.0:
        low, high = fieller(washed, kept, counting)
        row |= {"remaining": float(washed.mean() / kept.mean()), "low": low, "high": high}
        row["p_value"] = reversed_.p_value
    return row


def fieller(first: Floats, second: Floats, counting: Floats) -> tuple[float, float]:
    """95 % interval of mean(first) / mean(second), paired, where mean(second) is shown to differ from zero.

    The hull of two sets of ratios rho: (a - rho b)^2 <= t(n-1)^2 V / n with the means a, b, and V the variance of
    first - rho second between donors, or that of counting cells. counting: variance of first, covariance, variance of
    second.
    """
    from scipy.special import stdtrit

    n, a, b = len(first), float(first.mean()), float(second.mean())
    scale = float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0)) ** 2 / n
    between = np.cov(first, second)
    ends = []
    for saa, sab, sbb in ((between[0, 0], between[0, 1], between[1, 1]), counting):
        # the roots of (b^2 - s sbb) rho^2 - 2 (a b - s sab) rho + (a^2 - s saa)
        lead, half, rest = b * b - scale * sbb, a * b - scale * sab, a * a - scale * saa
        root = math.sqrt(max(half * half - lead * rest, 0.0))
        ends += [(half - root) / lead, (half + root) / lead]
    return min(ends), max(ends)


def _ratio(shares: Sequence[Floats]) -> float:
    washed, kept = (float(share.mean()) for share in shares[:2])
    if len(shares) > 2:
        washed, kept = washed - float(shares[2].mean()), kept - float(shares[3].mean())
    return washed / kept if kept > 0.0 else math.nan


def _verdict(row: Mapping[str, Any]) -> str:
    if math.isnan(row["p_value"]):
        return "not testable"
    if row["low"] >= HELD:
        return "held"
    if row["high"] <= GONE:
        return "reversible"
    return "partly reversible" if row["p_holm"] < ALPHA and row["remaining"] < 1.0 else "not shown"


def _arms_in_words(row: Mapping[str, Any], *, timed: bool) -> str:
    if not timed:
        return f"wash-out ({row['washed']} against {row['kept']})"
    if row["time_h"] == row["kept_time_h"]:
        return f"wash-out ({row['washed']} against {row['kept']}, {day(row['time_h'])})"
    return f"wash-out ({row['washed']}, {day(row['time_h'])}, against {row['kept']}, {day(row['kept_time_h'])})"


def _words(row: Mapping[str, Any]) -> str:
    n = row["n_donors"]
    if n == 0:
        return "not testable: no donor was counted in all of these (the test is paired by donor)."
    shares = f"{100 * row['share_washed']:.1f} % and {100 * row['share_kept']:.1f} %"
    if row["control"]:
        shares += f" (background {100 * row['share_control']:.1f} %)"
    if n == 1:
        return f"{shares} in the only donor: not testable, one donor says nothing about others."
    if row["verdict"] == "not testable":
        return f"{shares}: not testable, the arm that was kept shows no effect that could be reversed ({n} donors)."
    numbers = (
        f"95 % CI {100 * row['low']:.0f} to {100 * row['high']:.0f} %; {p_text(row['p_holm'])}; {n} donors, paired"
    )
    words = {
        "held": f"the effect is held; {100 * (1 - HELD):.0f} % or less of it is lost.",
        "reversible": f"the effect is reversible; {100 * GONE:.0f} % of it or less remains.",
        "partly reversible": "the effect is partly reversible"
        + ("." if row["low"] > 0.0 else "; that nothing of it remains is not excluded."),
        "not shown": f"no reversal shown{before_holm(row)}; a loss of up to "
        f"{100 * min(1.0, 1.0 - row['low']):.0f} % of the effect is not excluded.",
    }
    return f"{shares}; {100 * row['remaining']:.0f} % of the effect remains ({numbers}): {words[row['verdict']]}"
