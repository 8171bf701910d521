"""Total-order indices of a claim: worlds in which some parameters are drawn anew, beside the study as it stands.

In such a world a draw has the values of all other parameters (`anew` of a world), so that the two are the pairs of
Jansen's estimator (`assays.stats.total_order`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.assays.stats.total_order import total_order
from senexo.base.streams import generator
from senexo.study.worlds import AS_IT_STANDS

if TYPE_CHECKING:
    from senexo.lab.worlds import Judged

COLUMNS = ("claim", "world", "parameters", "comparison", "total_order", "se", "n_draws", "left_out")
WHOLE = "the whole claim"


def table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per claim, group of parameters drawn anew, and comparison; and of the claim's truth (0 or 1)."""
    return pd.DataFrame([row for one in judged for row in _rows(one, judged)], columns=list(COLUMNS))


def _rows(one: Judged, judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    names = [name for name, draw in one.resolved.donors.draws.items() if draw.anew]
    if not names:
        return
    base = next(other for other in judged if other.study == one.study and other.world == AS_IT_STANDS)
    kept = base.verdict.found.kept & one.verdict.found.kept
    outcomes = {
        part.text: (base.verdict.found.margins[part], margin) for part, margin in one.verdict.found.margins.items()
    }
    outcomes[WHOLE] = base.verdict.found.true.astype(float), one.verdict.found.true.astype(float)
    for position, (text, (first, anew)) in enumerate(outcomes.items()):
        rng = generator(one.resolved.seed, "total-order indices", position)
        index, se = total_order(np.where(kept, first, np.nan), np.where(kept, anew, np.nan), rng)
        yield {
            "claim": one.verdict.claim.id, "world": one.world, "parameters": ", ".join(names), "comparison": text,
            "total_order": index, "se": se, "n_draws": int(kept.sum()), "left_out": float(1.0 - kept.mean()),
        }  # fmt: skip


def findings(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The index of the claim's truth for every group of parameters, in words."""
    for row in rows[rows["comparison"] == WHOLE].to_dict("records"):
        index, se = row["total_order"], row["se"]
        known = index == index
        said = f"{100 * index:.0f} % (SE {100 * se:.0f})" if known else "not known (too few draws, or no spread)"
        yield {
            "assay": "total order", "id": f"total:{row['claim']}:{row['world']}",
            "sentence": f"{row['claim']}: of the variance of whether it is true, {said} depends on "
            f"{row['parameters']}, alone or together with others ({row['n_draws']} draws).",
            "estimate": index if known else None, "low": index - 1.96 * se if known else None,
            "high": index + 1.96 * se if known else None, "unit": "share of variance", "p_value": None,
            "verdict": "estimated" if known else "not tested", "request": None,
        }  # fmt: skip
