"""A claim's verdict: what the rule decides, whether the null was a test, and the tables and sentences of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.assays.stats.ranks import wilson
from senexo.lab.claim import sentences, sweep, tables
from senexo.lab.claim.judge import HOLDS, NOT, UNDECIDED, Observed, World, holds_in, same_margins, world
from senexo.lab.claim.null import trees
from senexo.lab.claim.planning import donors_needed
from senexo.lab.claim.rule import FEWEST

if TYPE_CHECKING:
    from senexo.study.claims import Clause
    from senexo.study.schema import Claim


@dataclass(frozen=True)
class Verdict:
    """A judged claim.

    Attributes
    ----------
    claim
        The claim of the study.
    verdict
        "holds", "does not hold" or "not decided" of a cohort; "share of worlds" or "not tested" of a sweep.
    sentences
        The verdict and what it rests on, the verdict first.
    found, null
        The claim in its own world and in its null.
    sweep
        Of donors that are worlds: the shares in which the claim is true, could be, and is in its null; else None.
    tables
        `claim`, `claim_draws` and `claim_ranks` (docs/results.md).
    """

    claim: Claim
    verdict: str
    sentences: tuple[str, ...]
    found: World
    null: World
    sweep: sweep.Sweep | None
    tables: dict[str, pd.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """What findings.json holds of it."""
        return {
            "id": self.claim.id, "holds_when": self.claim.holds_when, "given": self.claim.given,
            "possible_when": self.claim.possible_when, "level": self.claim.level, "share": self.claim.share,
            "verdict": self.verdict, "null_outcome": None if self.sweep else self.null.outcome,
            "worlds": self.sweep.to_dict() if self.sweep else None, "sentences": list(self.sentences),
        }  # fmt: skip

    def finding(self) -> dict[str, Any]:
        """The verdict as one of a run's findings; its estimate is the share of donors in which the claim is true."""
        low, high = wilson(self.found.n_true, self.found.n)
        return {
            "assay": "claim", "id": f"claim:{self.claim.id}", "sentence": self.sentences[0],
            "estimate": self.found.n_true / self.found.n if self.found.n else None, "low": low, "high": high,
            "unit": "share of worlds" if self.sweep else "share of donors", "p_value": None,
            "verdict": self.verdict, "request": None,
        }  # fmt: skip


def judge(
    claim: Claim,
    seen: Observed,
    cut: Observed,
    parameters: pd.DataFrame,
    *,
    seed: int,
    null_acts: bool = True,
    worlds: bool = False,
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
    worlds
        Whether the donors are draws of a prior (`Donors.are_worlds`): shares of them are reported, and no mean of them
        decides anything.
    """
    tree, asked, possible_tree = trees(claim)
    n = len(next(iter(seen.values())))
    with np.errstate(invalid="ignore", divide="ignore"):
        given = holds_in(asked, seen) if asked else np.ones(n, dtype=bool)
    found, null = world(claim, tree, seen, given), world(claim, tree, cut, given)
    ranks = tables.ranks(tree, found, parameters, seed)
    possible = sweep.possible_in(possible_tree, seen)
    counted = sweep.count(claim, found, null, possible) if worlds else None
    made = {
        "claim": pd.DataFrame(tables.rows(claim, tree, found, null, counted)),
        "claim_draws": pd.concat([
            tables.draws(tree, found, seen, tables.CLAIM_WORLD, possible),
            tables.draws(tree, null, cut, tables.NULL_WORLD, possible),
        ]),
        "claim_ranks": ranks,
    }  # fmt: skip
    if counted is not None:
        verdict, text = _of_worlds(claim, tree, found, null, counted, ranks, null_acts=null_acts)
    else:
        verdict, text = _of_cohort(claim, tree, found, null, ranks, seed=seed, null_acts=null_acts)
    return Verdict(claim, verdict, tuple(text), found, null, counted, made)


def _of_worlds(
    claim: Claim, tree: Clause, found: World, null: World, counted: sweep.Sweep, ranks: pd.DataFrame, *, null_acts: bool
) -> tuple[str, list[str]]:
    """Verdict and sentences over worlds: shares, unless the study does not test the claim."""
    reason = (
        sentences.Reason.NULL_CANNOT_ACT if not null_acts
        else sentences.Reason.NO_VALUE if not found.n
        else sentences.Reason.NULL_CHANGED_NOTHING if found.n_true and same_margins(found, null)
        else None
    )  # fmt: skip
    text = [
        sweep.first(claim, counted) if reason is None else sentences.verdict(claim, sweep.UNTESTED, found, reason),
        *sweep.sentences(claim, tree, found, counted),
        *sentences.null(claim, found, null, acts=null_acts, decided=False),
        *sentences.parameters(ranks, found, tree),
        *(sentences.to_test_it(reason) if reason else ()),
    ]
    return sweep.UNTESTED if reason else sweep.SHARE, text


def _of_cohort(
    claim: Claim, tree: Clause, found: World, null: World, ranks: pd.DataFrame, *, seed: int, null_acts: bool
) -> tuple[str, list[str]]:
    """Verdict and sentences over donors of one world, whose mean is an estimate."""
    verdict, reason = _verdict(found, null, null_acts=null_acts)
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
    return verdict, text


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
