"""A small made-up table that `response` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up patients: the higher miR-34a-5p, the more often they reach remission; miR-34c-5p was hardly seen.

    >>> example().shape
    (60, 6)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    n = 60
    level, age = rng.normal(0.0, 1.0, n), rng.normal(58.0, 11.0, n).round().clip(20, 85)
    chance = 1.0 / (1.0 + np.exp(-(0.6 + 1.3 * level - 0.03 * (age - 58.0))))
    remission = np.where(rng.random(n) < chance, np.where(rng.random(n) < 0.8, "CR", "CRi"), "no")
    return pd.DataFrame({
        "patient": [f"P{i + 1:02d}" for i in range(n)], "remission": remission,
        "arm": np.where(rng.random(n) < 0.5, "7+3", "aza"), "age": age.astype(int),
        "miR-34a-5p": rng.poisson(150.0 * np.exp(0.8 * level)), "miR-34c-5p": rng.poisson(0.7, n),
    })  # fmt: skip
