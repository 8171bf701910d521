"""A claim's verdict in tables and plain words: judged, in how many draws, against its null, and what decides it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.assays.stats.estimate import significant
from senexo.assays.stats.ranks import permutation_p, rank_correlations, rank_interval, wilson
from senexo.base.streams import generator
from senexo.lab.claim.judge import (
    ALIKE,
    FEWEST,
    HOLDS,
    NOT,
    UNDECIDED,
    Floats,
    Interval,
    Readings,
    World,
    donors_needed,
    hinge,
    holds_in,
    sides,
    undecided,
    world,
)
from senexo.lab.claim.null import trees
from senexo.study.claims import Clause, Comparison, comparisons

if TYPE_CHECKING:
    from senexo.study.schema import Claim

FEWEST_TO_RANK = 700  # below it a parameter that is not even in the path has scored -0.26 (docs/claims.md)
READ_FROM = 0.2  # rank correlations nearer to 0 decide little, however sure they are
ALPHA = 0.05
NULL_WORLD = "null world"  # "null" alone would be read back from a CSV as nothing
MOST_DONORS = 100_000  # that anyone would run
THIRDS = 3


@dataclass(frozen=True)
class Verdict:
    """A judged claim: `verdict`, its sentences, and the tables `claim`, `claim_draws` and `claim_ranks`."""

    claim: Claim
    verdict: str
    sentences: tuple[str, ...]
    found: World
    null: World
    tables: dict[str, pd.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """What findings.json holds of it."""
        return {
            "id": self.claim.id, "holds_when": self.claim.holds_when, "given": self.claim.given,
            "level": self.claim.level, "share": self.claim.share, "verdict": self.verdict,
            "null_outcome": self.null.outcome, "sentences": list(self.sentences),
        }  # fmt: skip

    def finding(self) -> dict[str, Any]:
        """The verdict as one of a run's findings; its estimate is the share of draws in which the claim holds."""
        low, high = _share(self.found)
        return {
            "assay": "claim", "id": f"claim:{self.claim.id}", "sentence": self.sentences[0],
            "estimate": self.found.n_true / self.found.n if self.found.n else None, "low": low, "high": high,
            "unit": "share of draws", "p_value": None, "verdict": self.verdict,
        }  # fmt: skip


def judge(claim: Claim, seen: Readings, cut: Readings, parameters: pd.DataFrame, *, seed: int) -> Verdict:
    """Judge a claim. seen, cut: one number per donor for everything it reads, in its own world and in its null.

    parameters: one row per donor, in the same order, one column per parameter that donors differ in.
    """
    tree, asked = trees(claim)
    n = len(next(iter(seen.values())))
    with np.errstate(invalid="ignore", divide="ignore"):
        given = holds_in(asked, seen) if asked else np.ones(n, dtype=bool)
    found, null = world(claim, tree, seen, given), world(claim, tree, cut, given)
    verdict, reason = _verdict(claim, tree, found, null)
    ranks = _ranks(tree, found, parameters, seed)
    tables = {
        "claim": pd.DataFrame(_rows(claim, tree, found, null)),
        "claim_draws": pd.concat([_draws(tree, found, seen, "claim"), _draws(tree, null, cut, NULL_WORLD)]),
        "claim_ranks": ranks,
    }
    sentences = (
        f"{claim.id} {'is ' if verdict == UNDECIDED else ''}{verdict}{reason or _how_often(found)}.",
        *_told(claim, tree, found),
        _told_null(claim, found, null),
        *_told_ranks(ranks, found, tree),
        *([] if verdict != UNDECIDED else _would_decide(claim, tree, found, null, ranks)),
    )
    return Verdict(claim, verdict, sentences, found, null, tables)


def _verdict(claim: Claim, tree: Clause, found: World, null: World) -> tuple[str, str]:
    """The verdict, and why where it is not plain."""
    if found.n < FEWEST:
        return UNDECIDED, f": {found.n} donors have a value for everything it reads, and judging takes {FEWEST}"
    if all(np.array_equal(found.margins[c], null.margins[c], equal_nan=True) for c in comparisons(tree)):
        return UNDECIDED, ": its null changes nothing it reads, so the study does not test it"
    if found.outcome != NOT and null.outcome == HOLDS:
        return UNDECIDED, ": it holds in its null too, so it does not rest on what the null cuts"
    return found.outcome, ""


def _rows(claim: Claim, tree: Clause, found: World, null: World) -> Iterator[dict[str, Any]]:
    """One row per comparison and one for the whole claim, in each world, and their paired difference."""
    for name, one in (("claim", found), (NULL_WORLD, null)):
        for part in comparisons(tree):
            values = one.margins[part][one.kept]
            true = int((values >= 0 if part.sign.endswith("=") else values > 0).sum())
            yield {
                "claim": claim.id, "world": name, "comparison": part.text, **_numbers(one.interval(part, claim.level)),
                "outcome": one.outcomes[part], **_shares(true, one.n),
            }  # fmt: skip
        blank = dict.fromkeys(("mean", "low", "high", "sd", "skewness"), math.nan)
        yield {
            "claim": claim.id, "world": name, "comparison": "the whole claim", "n_donors": one.n, **blank,
            "outcome": one.outcome, **_shares(one.n_true, one.n),
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
        "n_donors": interval.n,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "sd": interval.sd,
        "skewness": interval.skewness,
    }


def _shares(n_true: int | None, n: int) -> dict[str, Any]:
    if n_true is None or n == 0:
        return dict.fromkeys(("n_true", "share", "share_low", "share_high"), math.nan)
    low, high = wilson(n_true, n)
    return {"n_true": n_true, "share": n_true / n, "share_low": low, "share_high": high}


def _draws(tree: Clause, one: World, readings: Readings, name: str) -> pd.DataFrame:
    """Every donor's sides and margin of every comparison; `kept`: it has a value and was asked."""
    frames = []
    for part in comparisons(tree):
        left, right = sides(part, readings)
        frames.append(
            pd.DataFrame({
                "world": name, "donor": np.arange(1, len(left) + 1), "comparison": part.text, "left": left,
                "right": right, "margin": one.margins[part], "claim_is_true": one.true, "kept": one.kept,
            })
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _ranks(tree: Clause, found: World, parameters: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rank correlation of every parameter with the margin of every comparison, and the claim's share by thirds."""
    rows: list[dict[str, Any]] = []
    kept = parameters[found.kept]
    varying = [name for name in kept if kept[name].nunique() > 1]
    numbers = kept[varying].to_numpy(dtype=float)
    for position, part in enumerate(comparisons(tree) if varying and found.n > FEWEST else ()):
        margin = found.margins[part][found.kept]
        if np.ptp(margin) == 0:
            continue
        rho = rank_correlations(numbers, margin)
        p = permutation_p(numbers, margin, generator(seed, "claim permutations", position))
        own: list[dict[str, Any]] = []
        for column, name in enumerate(varying):
            low, high = rank_interval(float(rho[column]), found.n)
            own.append({
                "comparison": part.text, "parameter": name, "rho": rho[column], "low": low, "high": high,
                "p_corrected": p[column], "n_donors": found.n, "reading": _reading(rho[column], p[column], found.n),
                **_thirds(kept[name].to_numpy(dtype=float), found.true[found.kept]),
            })  # fmt: skip
        rows += sorted(own, key=lambda row: -abs(row["rho"]))
    columns = [
        "comparison", "parameter", "rho", "low", "high", "p_corrected", "n_donors", "reading", "true_in_lowest_third",
        "true_in_middle_third", "true_in_highest_third",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _reading(rho: float, p: float, n: int) -> str:
    if n < FEWEST_TO_RANK:
        return "too few draws to rank"
    return "not shown" if p >= ALPHA else "decides" if abs(rho) >= READ_FROM else "weak"


def _thirds(values: Floats, true: np.ndarray) -> dict[str, float]:
    """Share of draws in which the claim holds, by thirds of a parameter's values."""
    order = np.array_split(np.argsort(values, kind="stable"), THIRDS)
    words = ("lowest", "middle", "highest")
    return {f"true_in_{word}_third": float(true[rows].mean()) for word, rows in zip(words, order, strict=True)}


def _share(one: World) -> tuple[float, float]:
    return wilson(one.n_true, one.n)


def _how_often(found: World) -> str:
    return f" on the mean of {found.n} draws; one by one it is true in {100 * found.n_true / found.n:.1f} % of them"


def _percent(one: World) -> str:
    low, high = _share(one)
    return (
        f"{one.n_true} of {one.n} draws ({100 * one.n_true / one.n:.1f} %; 95 % CI {100 * low:.1f} to {100 * high:.1f})"
    )


def _told(claim: Claim, tree: Clause, found: World) -> Iterator[str]:
    if found.n == 0:
        return
    for part in comparisons(tree):
        i = found.interval(part, claim.level)
        open_ = found.outcomes[part] == UNDECIDED and (i.low > 0 or i.high < 0)
        tail = ", made by too few of them to trust this interval" if open_ and i.n >= FEWEST else ""
        yield (
            f"{part.text}: over {i.n} donors its margin has a mean of {significant(i.mean)} "
            f"({100 * claim.level:g} % CI {significant(i.low)} to {significant(i.high)}){tail}, so it "
            f"{'is ' if found.outcomes[part] == UNDECIDED else ''}{found.outcomes[part]} on average."
        )
    rule = f"; it was asked to hold in more than {100 * claim.share:g} %" if claim.share is not None else ""
    yield f"Donor by donor it is true in {_percent(found)}{rule}."
    if found.n < len(found.kept):
        why = "no living cell to show a value" + (f", or not {claim.given}" if claim.given else "")
        yield f"{len(found.kept) - found.n} of {len(found.kept)} donors were left out: {why}."


def _told_null(claim: Claim, found: World, null: World) -> str:
    if null.n == 0:
        return "In its null no donor has a value."
    cut = "; ".join(
        f"{verb} {', '.join(names) if isinstance(names, list) else ', '.join(f'{k} = {v}' for k, v in names.items())}"
        for verb, names in claim.null.items()
    )
    outcome = {HOLDS: "it holds too: ", NOT: "it does not hold: "}.get(null.outcome, "it is ")
    return f"In its null ({cut}) {outcome}true in {_percent(null)}."


def _told_ranks(ranks: pd.DataFrame, found: World, tree: Clause) -> Iterator[str]:
    if ranks.empty:
        return
    if found.n < FEWEST_TO_RANK:
        yield f"{found.n} draws are too few to say which parameters decide; that takes {FEWEST_TO_RANK}."
        return
    part = hinge(found, comparisons(tree))
    own = ranks[ranks["comparison"] == part.text]
    deciding = own[own["reading"] == "decides"].head(5)
    what = "it" if len(comparisons(tree)) == 1 else part.text
    if deciding.empty:
        yield f"No parameter by itself decides {what}: no rank correlation reaches {READ_FROM} in size."
        return
    told = ", ".join(f"{r.parameter} {r.rho:+.2f} ({r.low:+.2f} to {r.high:+.2f})" for r in deciding.itertuples())
    first = deciding.iloc[0]
    yield (
        f"What decides {what} (rank correlation with its margin, 95 % CI): {told}. By thirds of {first['parameter']}, "
        f"from its lowest values, the claim is true in {100 * first['true_in_lowest_third']:.0f}, "
        f"{100 * first['true_in_middle_third']:.0f} and {100 * first['true_in_highest_third']:.0f} % of draws."
    )


def _would_decide(claim: Claim, tree: Clause, found: World, null: World, ranks: pd.DataFrame) -> Iterator[str]:
    """What would settle an open claim."""
    if null.outcome == HOLDS and found.outcome != NOT:
        yield "To test it, compare arms that differ only by what the null cuts, or cut more in the null."
        return
    needed: Mapping[Comparison, float] = {
        part: donors_needed(found.interval(part, claim.level), claim.level) for part in undecided(tree, found.outcomes)
    }
    for part, n in needed.items():
        if math.isnan(n):
            yield f"{part.text}: all donors show the same; {ALIKE} that do would count as an answer."
        elif n > MOST_DONORS:
            yield f"{part.text}: the mean is so near to the limit that more donors of this table will not decide it."
        else:
            yield f"{part.text}: about {n:,.0f} donors would decide it, if mean and spread stay as they are."
    if needed and not ranks.empty and found.n >= FEWEST_TO_RANK:
        first = ranks[ranks["comparison"] == next(iter(needed)).text].head(1)
        for row in first.itertuples():
            yield f"Knowing {row.parameter} better would tell most (rank correlation {row.rho:+.2f})."
