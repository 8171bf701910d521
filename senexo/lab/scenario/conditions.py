"""What must be true for claims to be: a confirmed box of parameters for every claim, and for all of them at once.

Boxes are sought in the draws of one world (`lab.scenario.box`), in the parameters that are drawn there. Each bound is
given with the assay that would measure the parameter, as the circuit names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.lab.donors import donor_values
from senexo.lab.scenario.box import Found, seek, words

if TYPE_CHECKING:
    from senexo.study.schema import Study

COLUMNS = (
    "world", "claims", "parameter", "low", "high", "unit", "measured_by", "draws_in_box", "coverage", "density",
    "outside", "density_unseen", "p_first", "p_second",
)  # fmt: skip


@dataclass(frozen=True)
class Conditions:
    """The box of a claim, or of several at once, in one world; `found`: None where none was confirmed."""

    world: str
    claims: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    found: Found | None
    measures: dict[str, str]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per bound."""
        if self.found is None:
            return
        for column, (low, high) in sorted(self.found.box.bounds.items()):
            name = self.names[column]
            yield {
                "world": self.world, "claims": self.claims, "parameter": name,
                "low": low if np.isfinite(low) else np.nan, "high": high if np.isfinite(high) else np.nan,
                "unit": self.units[column], "measured_by": self.measures.get(name, ""),
                "draws_in_box": self.found.mass, "coverage": self.found.coverage, "density": self.found.density,
                "outside": self.found.outside, "density_unseen": self.found.density_unseen,
                "p_first": self.found.p[0], "p_second": self.found.p[1],
            }  # fmt: skip

    def finding(self) -> dict[str, Any]:
        """The box in words."""
        return {
            "assay": "conditions", "id": f"conditions:{self.claims}:{self.world}",
            "sentence": f"{self.world}: {self._said()}", "estimate": self.found.density if self.found else None,
            "low": None, "high": None, "unit": "share of worlds",
            "p_value": max(self.found.p) if self.found else None,
            "verdict": "shown" if self.found else "not shown", "request": None,
        }  # fmt: skip

    def _said(self) -> str:
        verb = "are" if " and " in self.claims else "is"
        if self.found is None:
            return f"no box of parameters in which {self.claims} {verb} true was confirmed in both halves of the draws."
        one, bounds = self.found, words(self.found.box, self.names)
        said = (
            f"{self.claims} {verb} true where {' and '.join(bounds)}: in {_percent(one.density)} of such draws "
            f"({_percent(one.density_unseen)} in draws in which the box was not sought), in {_percent(one.outside)} of "
            f"the others. {_percent(one.mass)} of the draws are in this box, and {_percent(one.coverage)} of those in "
            f"which {self.claims} {verb} true."
        )
        named = [self.names[column] for column in sorted(one.box.bounds)]
        how = "; ".join(f"{name}: {self.measures[name]}" for name in named if name in self.measures)
        return said + (f" Measured by: {how}." if how else "")


def sought(
    world: str, claims: str, study: Study, true: NDArray[np.bool_], kept: NDArray[np.bool_], measures: dict[str, str]
) -> Conditions:
    """The box of the draws `kept` in which claims are `true` [draws]."""
    draws = study.donors.draws
    varying = {name: draw for name, draw in draws.items() if draw.varies}
    values = np.array([
        [*donor_values(varying, study.seed, number).values()] for number in range(1, study.donors.n + 1)
    ])  # fmt: skip
    found = seek(values[kept], true[kept], study.seed) if varying else None
    return Conditions(world, claims, tuple(varying), tuple(draw.unit for draw in varying.values()), found, measures)


def table(conditions: Sequence[Conditions]) -> pd.DataFrame:
    """One row per bound of every box."""
    return pd.DataFrame([row for one in conditions for row in one.rows()], columns=list(COLUMNS))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"
