"""A claim over worlds: donors that are draws of a prior, so that a share of them says where in the prior it is true.

A sample mean over draws of a prior estimates nothing of any cell, and whether its interval excludes 0 depends on how
many draws were made. So nothing "holds" here. Counted are the worlds in which the claim is true, those in which it
could be (`possible_when`: the strongest possible effect, a positive control), those in which it is true with what it
rests on cut (the null), and those in which it is true and not so in the null. All are shares of the same worlds, with
Wilson's interval; more draws narrow the interval and move the share within it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.stats.estimate import significant
from senexo.assays.stats.ranks import wilson
from senexo.lab.claim.judge import Observed, World, holds_in
from senexo.lab.claim.rule import Bools, is_true
from senexo.study.claims import Clause
from senexo.study.claims import comparisons as comparisons_of

if TYPE_CHECKING:
    from senexo.study.schema import Claim

SHARE, UNTESTED = "share of worlds", "not tested"  # the two verdicts of a sweep


@dataclass(frozen=True, slots=True)
class Share:
    """k of n worlds, and Wilson's interval of the share at `level`."""

    k: int
    n: int
    level: float = 0.95

    @property
    def value(self) -> float:
        """k / n; nan of no worlds."""
        return self.k / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval; 0 to 1 of no worlds."""
        return wilson(self.k, self.n, level=self.level) if self.n else (0.0, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.k} of {self.n} worlds ({100 * self.value:.1f} %; {100 * self.level:g} % CI {100 * low:.1f} to "
            f"{100 * high:.1f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Count and share with its interval; None for a share of no worlds."""
        low, high = self.interval
        return {"k": self.k, "n": self.n, "share": self.value if self.n else None, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Sweep:
    """A claim over worlds.

    Attributes
    ----------
    true
        Worlds in which the claim is true, of those that have a value and are within `given`.
    possible
        Worlds in which `possible_when` is true; None where the claim has no such condition.
    true_where_possible
        Worlds in which the claim is true, of those in which it could be; None as above.
    null
        Worlds in which it is true in the null, of those with a value there.
    beyond_null
        Worlds in which it is true and not so in the null, of those with a value in both.
    """

    true: Share
    possible: Share | None
    true_where_possible: Share | None
    null: Share
    beyond_null: Share

    def to_dict(self) -> dict[str, Any]:
        """What findings.json holds of it."""
        fields = ("true", "possible", "true_where_possible", "null", "beyond_null")
        return {name: share.to_dict() if (share := getattr(self, name)) else None for name in fields}


def count(claim: Claim, found: World, null: World, possible: Bools | None) -> Sweep:
    """The shares of a claim judged in every world, and with its null in the same worlds."""

    def share(true: Bools, among: Bools) -> Share:
        return Share(int((true & among).sum()), int(among.sum()), claim.level)

    both = found.kept & null.kept
    return Sweep(
        true=share(found.true, found.kept),
        possible=None if possible is None else share(possible, found.kept),
        true_where_possible=None if possible is None else share(found.true, found.kept & possible),
        null=share(null.true, null.kept),
        beyond_null=share(found.true & ~null.true, both),
    )


def possible_in(clause: Clause | None, seen: Observed) -> Bools | None:
    """In which worlds the positive control shows what the claim states; None without such a condition."""
    if clause is None:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return holds_in(clause, seen)


def first(claim: Claim, found: Sweep) -> str:
    """The verdict in one sentence: in which share of worlds the claim is true, could be, and is in its null."""
    said = f"{claim.id} is true in {found.true}"
    if found.possible is not None:
        said += f"; it could be true in {_percent(found.possible)}"
    return f"{said}; with what it rests on cut, in {_percent(found.null)}."


def sentences(claim: Claim, tree: Clause, one: World, found: Sweep) -> Iterator[str]:
    """Every comparison, the positive control, what is beyond the null, and what was left out."""
    for part in comparisons_of(tree) if one.n else ():
        margins = one.margins[part][one.kept]
        low, middle, high = np.quantile(margins, [0.05, 0.5, 0.95])
        share = Share(int(is_true(part, margins).sum()), one.n, claim.level)
        yield (
            f"{part.text}: true in {share}; margin {significant(float(middle))} in the median world (5 to 95 %: "
            f"{significant(float(low))} to {significant(float(high))})."
        )
    if found.possible is None:
        yield (
            "The study has no positive control (claim.possible_when), so in how many worlds the claim could be true is "
            "not known."
        )
    elif found.true_where_possible is not None and found.possible.k:
        yield f"Where it could be true ({claim.possible_when}), it is in {found.true_where_possible}."
    if found.beyond_null.n:
        yield f"True here and not in its null: {found.beyond_null}."
    if claim.share is not None and one.n:
        low_end, high_end = found.true.interval
        shown = "is" if low_end > claim.share else "is not" if high_end <= claim.share else "may be"
        yield f"The share {shown} above {100 * claim.share:g} %."
    if one.n < len(one.kept):
        why = "no living cell to read" + (f", or not {claim.given}" if claim.given else "")
        yield f"{len(one.kept) - one.n} of {len(one.kept)} worlds were left out: {why}."


def _percent(share: Share) -> str:
    if not share.n:
        return "none (no world has a value)"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
