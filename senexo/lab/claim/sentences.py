"""The sentences of a judged claim: one fact each, the verdict first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, assert_never

from senexo.assays.stats.estimate import significant
from senexo.assays.stats.ranks import wilson
from senexo.lab.claim.judge import HOLDS, NOT, UNDECIDED, World, hinge, same_margins
from senexo.lab.claim.planning import MAX_DONORS, POWER
from senexo.lab.claim.rule import ALIKE, FEWEST, moments
from senexo.lab.claim.tables import DECIDES, FEWEST_TO_RANK, READ_FROM
from senexo.study.claims import Clause
from senexo.study.claims import comparisons as comparisons_of

if TYPE_CHECKING:
    import pandas as pd

    from senexo.study.schema import Claim

TOLD_PARAMETERS = 5


class Reason(Enum):
    """Why a claim is not decided, where it is not the width of an interval that leaves it open."""

    TOO_FEW = "too few donors have a value"
    NO_VALUE = "no world has a value"
    NULL_CANNOT_ACT = "the null cannot act on what the claim reads"
    NULL_CHANGED_NOTHING = "the null changed nothing in these draws"
    HOLDS_IN_NULL = "the claim holds in its null too"


def verdict(claim: Claim, outcome: str, found: World, reason: Reason | None) -> str:
    """The verdict, and in how many donors the claim is true, or why nothing was decided."""
    head = f"{claim.id} {'is ' if outcome.startswith('not ') else ''}{outcome}"
    match reason:
        case None:
            share = f"true in {100 * found.n_true / found.n:.1f} % of them"
            return f"{head} for the mean of {found.n} donors; it is {share}."
        case Reason.TOO_FEW:
            return f"{head}: {found.n} donors have a value for everything it reads, and the rule needs {FEWEST}."
        case Reason.NO_VALUE:
            return f"{head}: no world has a value for everything it reads."
        case Reason.NULL_CANNOT_ACT:
            return f"{head}: in this model its null cannot act on anything it reads, so the study does not test it."
        case Reason.NULL_CHANGED_NOTHING:
            return f"{head}: in these {found.n} draws its null changed nothing that it reads, which may be chance."
        case Reason.HOLDS_IN_NULL:
            return f"{head}: it holds in its null too, so it does not depend on what the null cuts."
        case _:
            assert_never(reason)


def comparisons(claim: Claim, tree: Clause, found: World) -> Iterator[str]:
    """Mean margin, interval and outcome of every comparison."""
    for part in comparisons_of(tree) if found.n else ():
        i, outcome = found.interval(part, claim.level), found.outcomes[part]
        yield (
            f"{part.text}: mean margin {significant(i.mean)} over {i.n} donors ({100 * claim.level:g} % CI "
            f"{significant(i.low)} to {significant(i.high)}), {outcome}."
        )
        if outcome == UNDECIDED and i.n >= FEWEST and (i.low > 0 or i.high < 0):
            alike = bool(moments(found.margins[part][found.kept]).alike)
            yield (
                f"All {i.n} donors show the same margin, which counts from {ALIKE} donors on."
                if alike
                else f"Its distribution over donors is too skewed for this interval with {i.n} donors."
            )


def shares(claim: Claim, found: World) -> Iterator[str]:
    """In how many donors the claim is true, and how many have no value."""
    if found.n:
        yield f"Donor by donor: true in {_percent(found)}."
    if found.n and claim.share is not None:
        yield f"It has to be true in more than {100 * claim.share:g} % of the donors."
    if found.n < len(found.kept):
        why = "no living cell to read" + (f", or not {claim.given}" if claim.given else "")
        yield f"{len(found.kept) - found.n} of {len(found.kept)} donors were left out: {why}."


def null(claim: Claim, found: World, cut: World, *, acts: bool, decided: bool = True) -> Iterator[str]:
    """What the null is, what the claim is in it, and what a null without any difference can mean.

    decided: whether the donors' mean decides, as in a cohort.
    """
    if cut.n == 0:
        yield f"In the null ({_cuts(claim)}) no donor has a value."
        return
    outcome = {HOLDS: "it holds: ", NOT: "it does not hold: ", UNDECIDED: "it is not decided: "}[cut.outcome]
    yield f"In the null ({_cuts(claim)}) {outcome if decided else 'it is '}true in {_percent(cut)}."
    if acts and found.n and same_margins(found, cut):
        most = 1.0 - 0.05 ** (1.0 / found.n)
        yield (
            f"No draw differs between the two worlds; the null may still change up to {100 * most:.2g} % of draws "
            "(upper 95 % bound)."
        )


def _cuts(claim: Claim) -> str:
    return "; ".join(
        f"{verb.replace('_', ' ')} {', '.join(names) if isinstance(names, list) else _pairs(names)}"
        for verb, names in claim.null.items()
    )


def _pairs(names: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in names.items())


def _percent(one: World) -> str:
    low, high = wilson(one.n_true, one.n)
    share = f"{100 * one.n_true / one.n:.1f} %; 95 % CI {100 * low:.1f} to {100 * high:.1f}"
    return f"{one.n_true} of {one.n} donors ({share})"


def parameters(ranks: pd.DataFrame, found: World, tree: Clause) -> Iterator[str]:
    """Which parameters go with the margin on which the claim turns."""
    if ranks.empty:
        return
    if found.n < FEWEST_TO_RANK:
        yield f"{found.n} draws are too few to rank parameters; that takes {FEWEST_TO_RANK}."
        return
    part = hinge(found, comparisons_of(tree))
    own = ranks[ranks["comparison"] == part.text]
    deciding = own[own["reading"] == DECIDES].head(TOLD_PARAMETERS)
    if deciding.empty:
        yield f"No parameter alone decides {part.text}: no rank correlation reaches {READ_FROM} in size."
        return
    listed = ", ".join(f"{r.parameter} {r.rho:+.2f} ({r.low:+.2f} to {r.high:+.2f})" for r in deciding.itertuples())
    first = deciding.iloc[0]
    yield f"What decides {part.text} (rank correlation with its margin, 95 % CI): {listed}."
    yield (
        f"In the lowest, middle and highest third of {first['parameter']} the claim is true in "
        f"{100 * first['true_in_lowest_third']:.0f}, {100 * first['true_in_middle_third']:.0f} and "
        f"{100 * first['true_in_highest_third']:.0f} % of draws."
    )


def to_test_it(reason: Reason) -> Iterator[str]:
    """What would make a test of a claim that its null leaves open."""
    match reason:
        case Reason.NULL_CANNOT_ACT:
            yield "To test it, let the null cut something that acts on what the claim reads in the arms it compares."
        case Reason.NULL_CHANGED_NOTHING:
            yield "To test it, compare arms in which what the null cuts is at work, or run more donors."
        case Reason.HOLDS_IN_NULL:
            yield "To test it, compare arms that differ only by what the null cuts, or cut more in the null."
        case Reason.NO_VALUE:
            yield "To test it, read earlier, or drop a condition (given) that no world meets."
        case Reason.TOO_FEW:
            return
        case _:
            assert_never(reason)


def planning(tree: Clause, found: World, needed: int | None, ranks: pd.DataFrame) -> Iterator[str]:
    """How many donors would decide an open claim, and which parameter explains most of its margin."""
    if found.n == 0:
        return
    runs = f"{100 * POWER:.0f} % of runs"
    if needed is None:
        yield f"More donors like these will not decide it: {MAX_DONORS:,} would in fewer than {runs}."
    else:
        yield f"About {needed:,} donors would decide it in {runs}, if they vary as these {len(found.kept)} do."
    open_ones = [part for part in comparisons_of(tree) if found.outcomes[part] == UNDECIDED]
    if open_ones and not ranks.empty and found.n >= FEWEST_TO_RANK:
        first = ranks[ranks["comparison"] == open_ones[0].text].head(1)
        for row in first.itertuples():
            yield f"A narrower range of {row.parameter} would help most (rank correlation {row.rho:+.2f})."
