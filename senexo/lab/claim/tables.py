"""The tables of a judged claim: `claim`, `claim_draws` and `claim_ranks` (docs/results.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.assays.stats.first_order import first_order
from senexo.assays.stats.ranks import permutation_p, rank_correlations, rank_interval, wilson
from senexo.base.streams import generator
from senexo.lab.claim.judge import Interval, Observed, World, sides
from senexo.lab.claim.rule import FEWEST, Bools, Floats, is_true
from senexo.study.claims import Clause, comparisons

if TYPE_CHECKING:
    from senexo.lab.claim.sweep import Sweep
    from senexo.study.schema import Claim

CLAIM_WORLD, NULL_WORLD = "claim", "null world"  # "null" alone would be read back from a CSV as nothing
WHOLE = "the whole claim"
# rows of a sweep: the share of worlds in which the claim could be true; among them, that in which it is; and so on
OF_SWEEP = {"possible": "possible", "true_where_possible": "where possible", "beyond_null": "beyond null"}
FEWEST_TO_RANK = 700  # below it a parameter that is not even in the path has scored -0.26 (docs/claims.md)
READ_FROM = 0.2  # rank correlations nearer to 0 explain little, however sure they are
ALPHA = 0.05
DECIDES, WEAK, NOT_SHOWN, TOO_FEW = "decides", "weak", "not shown", "too few draws to rank"
THIRDS = ("lowest", "middle", "highest")


def rows(claim: Claim, tree: Clause, found: World, null: World, sweep: Sweep | None = None) -> Iterator[dict[str, Any]]:
    """One row per comparison and one for the whole claim, in each world, and their paired difference.

    Of donors that are worlds no outcome is given, and further rows hold the shares of the sweep.
    """
    blank = dict.fromkeys(("mean", "low", "high", "sd", "skewness"), math.nan)
    for name, one in ((CLAIM_WORLD, found), (NULL_WORLD, null)):
        for part in comparisons(tree):
            true = int(is_true(part, one.margins[part][one.kept]).sum())
            yield {
                "claim": claim.id, "world": name, "comparison": part.text, **_numbers(one.interval(part, claim.level)),
                "outcome": "" if sweep else one.outcomes[part], **_shares(true, one.n),
            }  # fmt: skip
        yield {
            "claim": claim.id, "world": name, "comparison": WHOLE, "n_donors": one.n, **blank,
            "outcome": "" if sweep else one.outcome, **_shares(one.n_true, one.n),
        }  # fmt: skip
    for key, name in OF_SWEEP.items():
        share = getattr(sweep, key, None)
        if share is not None:
            yield {
                "claim": claim.id, "world": name, "comparison": WHOLE, "n_donors": share.n, **blank, "outcome": "",
                **_shares(share.k, share.n),
            }  # fmt: skip
    for part in comparisons(tree):
        both = found.kept & null.kept
        change = World({part: found.margins[part] - null.margins[part]}, found.true, both, "", {})
        yield {
            "claim": claim.id, "world": "difference", "comparison": part.text,
            **_numbers(change.interval(part, claim.level)), "outcome": "", **_shares(None, 0),
        }  # fmt: skip


def _numbers(interval: Interval) -> dict[str, Any]:
    return {
        "n_donors": interval.n, "mean": interval.mean, "low": interval.low, "high": interval.high, "sd": interval.sd,
        "skewness": interval.skewness,
    }  # fmt: skip


def _shares(n_true: int | None, n: int) -> dict[str, Any]:
    if n_true is None or n == 0:
        return dict.fromkeys(("n_true", "share", "share_low", "share_high"), math.nan)
    low, high = wilson(n_true, n)
    return {"n_true": n_true, "share": n_true / n, "share_low": low, "share_high": high}


def draws(tree: Clause, one: World, observed: Observed, name: str, possible: Bools | None = None) -> pd.DataFrame:
    """Every donor's sides and margin of every comparison.

    `kept`: it has a value and is within `given`; `possible`: the positive control shows what the claim states (a column
    only where the claim has one).
    """
    frames = []
    for part in comparisons(tree):
        left, right = sides(part, observed)
        frames.append(
            pd.DataFrame({
                "world": name, "donor": np.arange(1, len(left) + 1), "comparison": part.text, "left": left,
                "right": right, "margin": one.margins[part], "claim_is_true": one.true, "kept": one.kept,
                **({} if possible is None else {"possible": possible}),
            })
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def ranks(tree: Clause, found: World, parameters: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rank correlation of every parameter with the margin of every comparison, and the claim's share by thirds."""
    made: list[dict[str, Any]] = []
    kept = parameters[found.kept]
    varying = [name for name in kept if kept[name].nunique() > 1]
    numbers = kept[varying].to_numpy(dtype=float)
    for position, part in enumerate(comparisons(tree) if varying and found.n > FEWEST else ()):
        margin = found.margins[part][found.kept]
        if np.ptp(margin) == 0:
            continue
        rho = rank_correlations(numbers, margin)
        p = permutation_p(numbers, margin, generator(seed, "claim permutations", position))
        index, se = first_order(numbers, margin, generator(seed, "claim indices", position))
        own: list[dict[str, Any]] = []
        for column, name in enumerate(varying):
            low, high = rank_interval(float(rho[column]), found.n)
            own.append({
                "comparison": part.text, "parameter": name, "rho": rho[column], "low": low, "high": high,
                "p_corrected": p[column], "n_donors": found.n, "reading": _reading(rho[column], p[column], found.n),
                "first_order": index[column], "first_order_se": se[column],
                "left_out": 1.0 - found.n / len(found.kept),
                **_thirds(kept[name].to_numpy(dtype=float), found.true[found.kept]),
            })  # fmt: skip
        made += sorted(own, key=lambda row: -abs(row["rho"]))
    columns = [
        "comparison", "parameter", "rho", "low", "high", "p_corrected", "n_donors", "reading",
        "first_order", "first_order_se", "left_out", *(f"true_in_{third}_third" for third in THIRDS),
    ]  # fmt: skip
    return pd.DataFrame(made, columns=columns)


def _reading(rho: float, p: float, n: int) -> str:
    if n < FEWEST_TO_RANK:
        return TOO_FEW
    return NOT_SHOWN if p >= ALPHA else DECIDES if abs(rho) >= READ_FROM else WEAK


def _thirds(values: Floats, true: Bools) -> dict[str, float]:
    """Share of draws in which the claim is true, by thirds of a parameter's values."""
    order = np.array_split(np.argsort(values, kind="stable"), len(THIRDS))
    return {f"true_in_{third}_third": float(true[own].mean()) for third, own in zip(THIRDS, order, strict=True)}
