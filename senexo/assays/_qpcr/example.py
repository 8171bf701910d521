"""A small made-up table that `qpcr` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up wells of five donors: miR-34c-5p against U6 and RNU48 in two replicates, and a dilution series.

    A mimic raises it, a decoy takes some samples below detection.

    >>> example()["target"].unique().tolist()
    ['miR-34c-5p', 'U6', 'RNU48']
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    rows: list[tuple[object, ...]] = []
    for donor in range(5):
        level, rna = rng.normal(35.5, 0.7), rng.normal(0.0, 0.4)
        for arm, shift in (("mock", 0.0), ("mimic", -3.5), ("decoy", 5.5)):
            sample = {"miR-34c-5p": level + shift + rng.normal(0.0, 0.3), "U6": 20.0, "RNU48": 23.5}
            sample["RNU48"] += rng.normal(0.0, 0.15)
            for replicate in (1, 2):
                for name, middle in sample.items():
                    ct = middle + rna + rng.normal(0.0, 0.2)
                    cell = round(ct, 2) if ct <= 40.0 else "undetected"
                    rows.append((arm, f"donor {donor + 1}", name, replicate, math.nan, cell))
    for name, first, per_tenfold in (("miR-34c-5p", 24.0, 3.45), ("U6", 16.0, 3.35), ("RNU48", 18.0, 3.4)):
        for step in range(4):
            cell = round(first + per_tenfold * step + rng.normal(0.0, 0.05), 2)
            rows.append(("", "", name, 1, 10.0**-step, cell))
    rows += [("", "", name, 1, 0.0, "undetected") for name in ("miR-34c-5p", "U6", "RNU48")]
    return pd.DataFrame(rows, columns=["arm", "donor", "target", "replicate", "quantity", "ct"])
