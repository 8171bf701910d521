"""A small made-up table that `survival` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up patients: the lower miR-34a-5p, the shorter they live; miR-34c-5p was hardly seen.

    >>> example().shape
    (60, 7)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    n = 60
    level, age = rng.normal(0.0, 1.0, n), rng.normal(58.0, 11.0, n).round().clip(20, 85)
    months = rng.exponential(16.0, n) * np.exp(0.9 * level - 0.03 * (age - 58.0))
    end = rng.uniform(6.0, 60.0, n)
    return pd.DataFrame({
        "patient": [f"P{i + 1:02d}" for i in range(n)],
        "os_months": np.minimum(months, end).clip(0.1).round(1), "dead": (months <= end).astype(int),
        "arm": np.where(rng.random(n) < 0.5, "7+3", "aza"), "age": age.astype(int),
        "miR-34a-5p": rng.poisson(150.0 * np.exp(0.8 * level)), "miR-34c-5p": rng.poisson(0.7, n),
    })  # fmt: skip
