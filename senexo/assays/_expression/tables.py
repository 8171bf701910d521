"""The tables of `expression`: what was measured, what was compared, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.detection import NOT_TESTABLE, verdict_of
from senexo.assays.panel import Layout, Panel
from senexo.assays.result import judge, records
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.moderated import moderate, pairs, two_groups
from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm
from senexo.assays.stats.negative_binomial import size_factors, wald
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

SMALL_FOLD, LARGE_FOLD = 1.5, 4.0
SETTINGS = {"small_fold": SMALL_FOLD, "large_fold": LARGE_FOLD}
MIN_NORMALISING = 10  # RNAs without which depth cannot be distinguished from change


def is_measured(data: Panel, layout: Layout, min_reads: float, background: float | None) -> pd.DataFrame:
    """Was it measured? One answer per sample and RNA."""
    if layout.kind != "intensities":
        return data.values >= min_reads
    if background is None:
        return data.values.notna()
    if layout.scale == "linear" and background <= 0.0:
        raise InvalidInput([Fault("background", f"{background:g}", "a number > 0, as intensities are linear")])
    return data.values > (math.log2(background) if layout.scale == "linear" else background)


def detected(data: Panel, measured: pd.DataFrame) -> pd.DataFrame:
    """One row per RNA and group: in how many samples it was measured."""
    import pandas as pd

    nothing = data.values.isna() | (data.values == 0.0)
    parts = []
    for name, chosen in ((data.case, data.is_case), (data.control, ~data.is_case)):
        n, n_detected = int(chosen.sum()), measured[chosen].sum()
        share = n_detected / n
        parts.append(pd.DataFrame({
            "feature": data.values.columns, "group": name, "n": n, "n_zero": nothing[chosen].sum().to_numpy(int),
            "n_detected": n_detected.to_numpy(int), "share_detected": share.to_numpy(float),
            "verdict": [verdict_of(x) for x in share],
        }))  # fmt: skip
    return pd.concat(parts).sort_values("feature", key=lambda x: x.map({
        name: i for i, name in enumerate(data.values.columns)
    }), kind="stable", ignore_index=True)  # fmt: skip


def compared(data: Panel, layout: Layout, tested: list[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Folds with tests of the RNAs that were detected, one row per RNA of the table; and what was fitted."""
    import pandas as pd

    values, is_case = data.values, data.is_case
    rows = pd.DataFrame(math.nan, index=values.columns, columns=[
        "mean_case", "mean_control", "log2_fold", "log2_low", "log2_high", "statistic", "df", "p_value", "p_wald",
    ])  # fmt: skip
    counts = layout.kind != "intensities"
    fit: dict[str, Any] = {"problem": _problem(data, layout, tested)}
    normalised = values
    if counts:
        size, fit["size_factor_type"] = _sizes(data)
        fit["size_factors"], normalised = size, values.div(size, axis=0)
    rows["mean_case"], rows["mean_control"] = normalised[is_case].mean(), normalised[~is_case].mean()
    if fit["problem"]:
        return rows, fit
    if counts:
        pairing = list(data.donor) if layout.design == "paired" else None
        test = wald(values[tested], is_case, size, pairing)
        found = {"log2_fold": test.value, "log2_low": test.low, "log2_high": test.high, "statistic": test.statistic,
                 "df": np.full(len(tested), test.df), "p_value": test.p_value, "p_wald": test.p_wald}  # fmt: skip
        fit["df_prior"] = test.df_prior
    else:
        effects = (pairs if layout.design == "paired" else two_groups)(
            values.loc[is_case, tested].to_numpy(), values.loc[~is_case, tested].to_numpy()
        )
        student = moderate(effects)
        found = {"log2_fold": student.value, "log2_low": student.low, "log2_high": student.high,
                 "statistic": student.t, "df": student.df, "p_value": student.p_value}  # fmt: skip
        fit |= {"df_prior": student.df_prior, "s2_prior": student.s2_prior}
    rows.update(pd.DataFrame(found, index=tested))
    return rows, fit


def _sizes(data: Panel) -> tuple[np.ndarray, str]:
    if data.depth is not None:
        logs = np.log(data.depth.to_numpy(float))
        return np.exp(logs - logs.mean()), "depth"
    return size_factors(data.values.to_numpy(float))


def _problem(data: Panel, layout: Layout, tested: list[str]) -> str | None:
    """Why nothing at all can be tested."""
    n_case, n_control = int(data.is_case.sum()), int((~data.is_case).sum())
    if layout.design == "paired" and n_case < 2:
        n = "1 donor has" if n_case else "no donor has"
        return f"{n} samples of both {data.case} and {data.control}; two are needed"
    if min(n_case, n_control) < 2:
        return f"{data.case} has {n_case} and {data.control} {n_control} donors; two in each are needed"
    if not tested:
        return "no RNA was detected"
    if layout.kind != "intensities" and not layout.depth and len(tested) < MIN_NORMALISING:
        few = f"only {len(tested)} RNA{'s were' if len(tested) > 1 else ' was'} detected"
        return f"{few}, too few to tell the depth of a sample from change (depth = a column with all its reads)"
    return None


def judged(found: pd.DataFrame, detection: pd.DataFrame, targets: list[str]) -> pd.DataFrame:
    """Fold changes, corrected p and verdict of every RNA, smallest p first."""
    kinds = detection.groupby("feature", sort=False)["verdict"].agg(set)
    kinds = kinds.map(lambda those: those.pop() if len(those) == 1 else "partly below detection")
    rows = found.rename_axis("feature").reset_index()
    rows.insert(1, "detection", rows["feature"].map(kinds))
    for name, log2 in (("fold", "log2_fold"), ("low", "log2_low"), ("high", "log2_high")):
        rows[name] = np.exp2(rows[log2])
    rows["p_bh"] = benjamini_hochberg(rows["p_value"].to_numpy(float))
    asked = rows["feature"].isin(targets)
    rows["p_holm"] = math.nan
    rows.loc[asked, "p_holm"] = holm(rows.loc[asked, "p_value"].to_list())
    rows["target"] = asked
    rows["verdict"] = [_verdict(row) for row in records(rows)]
    order = ["feature", "detection", "target", "mean_case", "mean_control", "fold", "low", "high", "log2_fold",
             "log2_low", "log2_high", "statistic", "df", "p_value", "p_bh", "p_holm", "p_wald", "verdict"]  # fmt: skip
    return rows[order].sort_values("p_value", kind="stable", na_position="last", ignore_index=True)


def _verdict(row: Mapping[str, Any]) -> str:
    if row["detection"] == "below detection":
        return NOT_TESTABLE
    estimate = Estimate(row["log2_fold"], row["log2_low"], row["log2_high"])
    p = row["p_holm"] if row["target"] else row["p_bh"]
    return judge(estimate, p, small=math.log2(SMALL_FOLD), large=math.log2(LARGE_FOLD))


def samples(data: Panel, measured: pd.DataFrame, sizes: np.ndarray | None) -> pd.DataFrame:
    """One row per donor and group: depth and size of the sample, and how many RNAs were measured in it."""
    import pandas as pd

    depth = math.nan if sizes is None else data.values.sum(axis=1) if data.depth is None else data.depth
    return pd.DataFrame({
        "donor": data.donor, "group": data.group, "depth": depth,
        "size_factor": math.nan if sizes is None else sizes, "n_measured": measured.sum(axis=1),
    })  # fmt: skip


def drawn(data: Panel, samples: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Normalised reads, or log2 intensities, of the RNAs that are drawn one by one."""
    sizes = samples["size_factor"].fillna(1.0)
    chosen = data.values[names].div(sizes, axis=0).assign(donor=data.donor, group=data.group)
    return chosen.melt(id_vars=["donor", "group"], var_name="feature", value_name="value")[
        ["feature", "donor", "group", "value"]
    ]
