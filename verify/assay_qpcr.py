"""qPCR on 1,000 simulated sets each: arms of different donors, censored, and efficiencies from dilution series.

The paired comparison is in `verify/assays.py`. The bar is the simulation error of 1,000 sets: 0.9293 for coverage and
0.0707 for the type I error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from senexo.assays._qpcr.assay import qpcr
from senexo.assays._qpcr.standard_curve import efficiency
from senexo.assays.stats.censored import censored_groups
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import covers, keeps_level


def main() -> list[Check]:
    return [*_coverage(), *_levels()]


def _coverage() -> Iterator[Check]:
    for name, truth, draw in (
        ("unpaired ddCt, 5 + 5 donors, all detected", 1.0, lambda rng: _groups(rng, 5, 5, 1.0, 99.0)),
        ("unpaired ddCt, 6 + 6 donors, a quarter below", 1.0, lambda rng: _groups(rng, 6, 6, 1.0, 35.6)),
        ("unpaired ddCt, 20 + 10 donors, a quarter below", 1.0, lambda rng: _groups(rng, 20, 10, 1.0, 35.6)),
        ("unpaired fold, 8 + 8 donors, two wells, two references", 1.5, _through_the_assay),
        ("efficiency, 5 dilutions, 3 wells", 0.92, _efficiency),
    ):
        yield covers(name, truth, draw)


def _levels() -> Iterator[Check]:
    for name, draw in (
        ("unpaired ddCt, 5 + 5 donors, all detected", lambda rng: _groups(rng, 5, 5, 0.0, 99.0).p_value),
        ("unpaired ddCt, 6 + 6 donors, a quarter below", lambda rng: _groups(rng, 6, 6, 0.0, 34.7).p_value),
        ("unpaired ddCt, 15 + 5 donors, a quarter below", lambda rng: _groups(rng, 15, 5, 0.0, 34.7).p_value),
        ("an outlying replicate in 12 samples without one", _outlying),
    ):
        yield keeps_level(name, draw)


def _groups(rng: np.random.Generator, n: int, n_other: int, truth: float, limit: float) -> Estimate:
    first, second = rng.normal(34.0 + truth, 1.0, n), rng.normal(34.0, 1.0, n_other)
    sides = (first > limit).astype(np.int8), (second > limit).astype(np.int8)
    try:
        return censored_groups(np.minimum(first, limit), sides[0], np.minimum(second, limit), sides[1], resolution=0.05)
    except ValueError:  # too little observed: reported as not testable, which is neither a miss nor a rejection
        return Estimate(math.nan, -math.inf, math.inf, 1.0)


def _through_the_assay(rng: np.random.Generator) -> Estimate:
    rows = []
    for arm, shift in (("HSC", 0.0), ("LSC", 1.5)):
        for donor in range(8):
            sample, rna = rng.normal(33.0 + shift, 0.8), rng.normal(0.0, 0.5)
            for replicate in (1, 2):
                ct = sample + rna + rng.normal(0.0, 0.25)
                rows.append((arm, f"{arm}{donor}", replicate, "miR", ct if ct <= 35.5 else math.nan))
                rows += [
                    (arm, f"{arm}{donor}", replicate, name, middle + rna + rng.normal(0.0, 0.2))
                    for name, middle in (("U6", 20.0), ("RNU48", 23.0))
                ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "replicate", "target", "ct"])
    found = qpcr(
        table, target="miR", reference=["U6", "RNU48"], control="HSC", cutoff=35.5, min_detected=0.0, design="unpaired"
    )
    row = found.tables["fold_changes"].iloc[0]
    if math.isnan(row["ddct"]):
        return Estimate(math.nan, -math.inf, math.inf)
    return Estimate(row["ddct"], row["ddct_low"], row["ddct_high"])


def _efficiency(rng: np.random.Generator) -> Estimate:
    """Every dilution is pipetted once with its own error, then measured in three wells."""
    rows = []
    for step in range(5):
        middle = 20.0 + step / math.log10(1.92) + rng.normal(0.0, 0.1)
        rows += [("U6", 10.0**-step, well, middle + rng.normal(0.0, 0.1)) for well in range(3)]
    row = efficiency(pd.DataFrame(rows, columns=["target", "quantity", "replicate", "ct"])).iloc[0]
    return Estimate(row["efficiency"], row["low"], row["high"])


def _outlying(rng: np.random.Generator) -> float:
    """0 where any sample is called outlying, 1 otherwise: the level of that call over all samples of a target."""
    rows = [
        (arm, donor, well, name, 25.0 + rng.normal(0.0, 0.4))
        for arm in ("mock", "mimic")
        for donor in range(6)
        for well in range(3)
        for name in ("miR", "U6")
    ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "replicate", "target", "ct"])
    found = qpcr(table, target="miR", reference="U6", control="mock").tables["replicates"]
    return 0.0 if found.loc[found["target"] == "miR", "outlying"].any() else 1.0
