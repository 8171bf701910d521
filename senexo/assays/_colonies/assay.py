"""Colonies per cells plated: plating efficiency, surviving fraction against a control, by donor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.assays._colonies.sentences import efficiency_finding, ratio_finding
from senexo.assays._colonies.spec import SPEC
from senexo.assays._colonies.tables import LARGE_RATIO, SMALL_RATIO, dish_scatter, efficiencies_of, fractions_of
from senexo.assays.comparisons import pairs_of
from senexo.assays.result import AssayResult, p_text, records
from senexo.assays.stats.estimate import LEVEL
from senexo.base.table import check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_METHOD = (
    "Colonies and cells plated were summed by donor and arm. Surviving fractions (ratios of colonies per cell plated) "
    "are from a Poisson model with donors as blocks, the larger of its quasi-likelihood and its sandwich error "
    "(HC2), and t on donors less one; where an arm has no colony, from the exact conditional test. A negative "
    "binomial model of single dishes stands beside it. P-values are corrected by Holm."
)


@dataclass(frozen=True)
class ColoniesResult(AssayResult):
    """Tables: fractions, efficiencies (every arm), samples (and donor), dishes. Columns: docs/assays/colonies.md."""

    def figure(self) -> Figure:
        from senexo.assays._colonies.figure import colonies_figure

        return colonies_figure(self.tables)


def colonies(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    where: str = "table",
) -> ColoniesResult:
    """Estimate the plating efficiency of every arm, and surviving fractions against controls, by donor.

    efficiency = colonies / cells plated; surviving fraction = efficiency / that of the control, same donors.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per dish or well: arm, donor, colonies (whole, 0 is allowed), cells_plated, and replicate where a donor
        has several. Other columns are ignored.
    compare : pair of str or sequence of pairs, optional
        (arm, control arm), or several such pairs.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    ColoniesResult
        Tables fractions, efficiencies, samples, dishes. One donor: ``not testable`` (the exact test of its own counts
        is in the table).

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    McCullagh P, Nelder JA, Generalized Linear Models, 2nd ed. 1989, chapters 4.5 and 6.2. MacKinnon JG, White H, J
    Econom 1985;29:305-325, doi 10.1016/0304-4076(85)90158-7.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("colonies")
    >>> colonies(table, **options).findings[0].verdict
    'large'
    """
    found = check(table, SPEC.checks(), where=where, key=SPEC.key)
    compared = pairs_of(found["arm"], compare, where)
    samples = found.groupby(["arm", "donor"], sort=False, as_index=False).agg(
        n_dishes=("colonies", "size"), colonies=("colonies", "sum"), cells_plated=("cells_plated", "sum")
    )
    samples["efficiency"] = samples["colonies"] / samples["cells_plated"]
    dishes = dish_scatter(found)
    fractions = fractions_of(found, samples, compared)
    tables = {"fractions": fractions, "efficiencies": efficiencies_of(samples), "samples": samples, "dishes": dishes}
    settings = {"compare": compared, "level": LEVEL, "small_ratio": SMALL_RATIO, "large_ratio": LARGE_RATIO}
    findings = [ratio_finding(row) for row in records(fractions)] or [
        efficiency_finding(r) for r in records(tables["efficiencies"])
    ]
    notes = tuple(
        f"dishes of {row['arm']} scatter {row['dispersion']:.2g} times as much as counting alone "
        f"({p_text(row['p_value'])}); donors are the unit, so this is allowed for"
        for row in records(dishes)
        if row["p_value"] < 0.05
    )
    return ColoniesResult("colonies", _METHOD, settings, tuple(findings), tables, notes)
