"""Particles on 1,000 simulated sets each, 3 to 8 donors: intervals of rates and ratios cover, tests keep their level.

Readings scatter by 10 %, donors differ in level and in effect, the medium holds some particles of its own, of which
only a few blank readings tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from senexo.assays import particles
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import SEED, SETS, covers, error, keeps_level

EFFECT = np.log(0.5)
WORTH = 5.0 / (2e6 * 48.0)  # of one particle per mL, per cell and hour


def main() -> list[Check]:
    return [*_coverage(), *_levels(), _families_of_tests()]


def _coverage() -> Iterator[Check]:
    """Share of sets whose interval holds the truth."""
    for name, options in _worlds():
        yield covers(f"ratio, {name}", EFFECT, lambda rng, o=options: _ratio(rng, EFFECT, **o))
    for n in (3, 6):
        yield covers(f"rate, {n} donors", np.log(25.0), lambda rng, n=n: _rate(rng, n))
    yield covers(
        "ratio, 8 donors, a third below blank", np.log(0.3), lambda rng: _ratio(rng, np.log(0.3), n=8, dim=0.4)
    )
    # a known limit, held where it is: an arm that is testable by luck (docs/assays/particles.md says so)
    name = "known limit: ratio, 8 donors, two thirds below blank"
    yield covers(name, np.log(0.3), lambda rng: _ratio(rng, np.log(0.3), n=8, dim=0.18), nominal=0.91)


def _levels() -> Iterator[Check]:
    """Share of sets without any effect in which the test says p < 0.05."""
    for name, options in _worlds():
        yield keeps_level(f"ratio, {name}", lambda rng, o=options: _ratio(rng, 0.0, **o).p_value)


def _worlds() -> Iterator[tuple[str, dict[str, Any]]]:
    for n in (3, 4, 6):
        yield f"{n} donors", {"n": n}
    yield "4 donors, effects of one arm vary more", {"n": 4, "spread": 0.5}
    yield "5 donors, a shared blank of a quarter of the control", {"n": 5, "held": 8e7}
    yield "5 donors, a blank for each", {"n": 5, "held": 8e7, "own": True}
    yield "4 and 4 donors, unpaired", {"n": 4, "design": "unpaired"}


def _families_of_tests() -> Check:
    """Four arms that do nothing: one verdict other than "nothing" at most in 5 % of sets."""
    rng, wrong = np.random.default_rng([SEED, 7]), 0
    arms = ("control", "a", "b", "c", "d")
    for _ in range(SETS):
        table = _readings(rng, 5, dict.fromkeys(arms, 0.0), 4e7, {}, False, 1.0)
        found = particles(table, compare=[(arm, "control") for arm in arms[1:]], blank="medium")
        told = [finding.verdict for finding in found.findings if finding.id.startswith("ratio:")]
        wrong += any(verdict not in ("absent", "not shown") for verdict in told)
    bar = 0.05 + error(SETS)
    return Check("level: Holm over four ratios", wrong / SETS, bar, wrong / SETS <= bar, f"{SETS} sets, seed {SEED}")


def _readings(
    rng: np.random.Generator, n: int, effects: dict[str, float], held: float, spread: dict[str, float], own: bool,
    dim: float,
) -> pd.DataFrame:  # fmt: skip
    """Two readings of each sample, four of a shared blank or three of each donor's own.

    held: particles per mL that the medium holds without cells; spread: SD of donors' own effect; dim: of all rates.
    """
    rows = []
    for donor in range(n):
        level = 25.0 * dim * rng.lognormal(0.0, 0.4)
        medium = held * rng.lognormal(0.0, 0.2) if own else held
        for arm, effect in effects.items():
            particles_per_ml = medium + level * np.exp(effect + rng.normal(0.0, spread.get(arm, 0.15))) / WORTH
            rows += [(arm, f"d{donor}", f"d{donor}", run, particles_per_ml * rng.normal(1.0, 0.1)) for run in (1, 2)]
        if own:
            rows += [("medium", "", f"d{donor}", run, medium * rng.normal(1.0, 0.1)) for run in (1, 2, 3)]
    if not own:
        rows += [("medium", "", "", run, held * rng.normal(1.0, 0.1)) for run in range(4)]
    table = pd.DataFrame(rows, columns=["arm", "donor", "batch", "replicate", "particles_per_ml"])
    table = table.assign(dilution=1, volume_ml=5.0, n_cells=2e6, hours=48.0)
    return table if own else table.drop(columns="batch")


def _ratio(
    rng: np.random.Generator, effect: float, *, n: int, spread: float = 0.15, held: float = 4e7, own: bool = False,
    design: str = "paired", dim: float = 1.0,
) -> Estimate:  # fmt: skip
    if dim < 1.0:  # rates so dim that treated samples do not rise above the blank
        table = _readings(rng, n, {"control": 0.0, "kd": effect}, 2e8, {"kd": 0.4, "control": 0.2}, False, dim)
    else:
        table = _readings(rng, n, {"control": 0.0, "kd": effect}, held, {"kd": spread}, own, 1.0)
    if design == "unpaired":
        table["donor"] = np.where(table["arm"] == "medium", "", table["arm"] + table["donor"])
    row = particles(table, compare=("kd", "control"), blank="medium", design=design).table.iloc[0]
    if np.isnan(row["p_value"]):  # reported as not testable, which is neither a miss nor a rejection
        return Estimate(np.nan, -np.inf, np.inf, 1.0)
    with np.errstate(divide="ignore"):
        return Estimate(*(float(np.log(row[name])) for name in ("ratio", "low", "high")), row["p_value"])


def _rate(rng: np.random.Generator, n: int) -> Estimate:
    table = _readings(rng, n, {"control": 0.0}, 4e7, {}, False, 1.0)
    row = particles(table, blank="medium").tables["rates"].iloc[0]
    return Estimate(*(float(np.log(row[name])) for name in ("rate", "low", "high")))
