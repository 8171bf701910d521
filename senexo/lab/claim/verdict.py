"""A claim's verdict: what the rule decides, whether the null was a test, and the tables and sentences of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.assays.stats.ranks import wilson
from senexo.lab.claim import sentences, tables
from senexo.lab.claim.judge import HOLDS, NOT, UNDECIDED, Observed, World, holds_in, same_margins, world
from senexo.lab.claim.null import trees
from senexo.lab.claim.planning import donors_needed
from senexo.lab.claim.rule import FEWEST

if TYPE_CHECKING:
    from senexo.study.schema import Claim


@dataclass(frozen=True)
class Verdict:
    """A judged claim.

    Attributes
    ----------
    claim
        The claim of the study.
    verdict
        "holds", "does not hold" or "not decided".
    sentences
        The verdict and what it rests on, the verdict first.
    found, null
        The claim in its own world and in its null.
    tables
        `claim`, `claim_draws` and `claim_ranks` (docs/results.md).
    """

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
        """The verdict as one of a run's findings; its estimate is the share of draws in which the claim is true."""
        low, high = wilson(self.found.n_true, self.found.n)
        return {
            "assay": "claim", "id": f"claim:{self.claim.id}", "sentence": self.sentences[0],
            "estimate": self.found.n_true / self.found.n if self.found.n else None, "low": low, "high": high,
            "unit": "share of draws", "p_value": None, "verdict": self.verdict, "request": None,
        }  # fmt: skip


def judge(
    claim: Claim, seen: Observed, cut: Observed, parameters: pd.DataFrame, *, seed: int, null_acts: bool = True
) -> Verdict:
    """Judge a claim.

    Parameters
    ----------
    claim
        The claim.
    seen, cut
        Arrays [donors] of everything that the claim reads, in its own world and in its null.
    parameters
        One row per donor, in the same order; one column per parameter in which donors may differ.
    seed
        Of the permutations of the rank correlations, and of the runs resampled to plan donors.
    null_acts
        Whether what the null changes can reach, through the model, anything that the claim reads
        (`senexo.lab.claim.reach`).
    """
    tree, asked = trees(claim)
    n = len(next(iter(seen.values())))
    with np.errstate(invalid="ignore", divide="ignore"):
        given = holds_in(asked, seen) if asked else np.ones(n, dtype=bool)
    found, null = world(claim, tree, seen, given), world(claim, tree, cut, given)
    verdict, reason = _verdict(found, null, null_acts=null_acts)
    ranks = tables.ranks(tree, found, parameters, seed)
    text: list[str] = [
        sentences.verdict(claim, verdict, found, reason),
        *sentences.comparisons(claim, tree, found),
        *sentences.shares(claim, found),
        *sentences.null(claim, found, null, acts=null_acts),
        *sentences.parameters(ranks, found, tree),
    ]
    if reason not in (None, sentences.Reason.TOO_FEW):
        text += sentences.to_test_it(reason)
    elif verdict == UNDECIDED:
        needed = donors_needed(claim, tree, found, null, seed=seed)
        text += sentences.planning(tree, found, needed, ranks)
    made = {
        "claim": pd.DataFrame(tables.rows(claim, tree, found, null)),
        "claim_draws": pd.concat([
            tables.draws(tree, found, seen, tables.CLAIM_WORLD), tables.draws(tree, null, cut, tables.NULL_WORLD)
        ]),
        "claim_ranks": ranks,
    }  # fmt: skip
    return Verdict(claim, verdict, tuple(text), found, null, made)


def _verdict(found: World, null: World, *, null_acts: bool) -> tuple[str, sentences.Reason | None]:
    """The verdict, and why nothing was decided where it is not the rule that leaves it open."""
    if not null_acts:
        return UNDECIDED, sentences.Reason.NULL_CANNOT_ACT
    if found.n < FEWEST:
        return UNDECIDED, sentences.Reason.TOO_FEW
    if found.outcome == NOT:
        return NOT, None
    if same_margins(found, null):
        return UNDECIDED, sentences.Reason.NULL_CHANGED_NOTHING
    if null.outcome == HOLDS:
        return UNDECIDED, sentences.Reason.HOLDS_IN_NULL
    return found.outcome, None
